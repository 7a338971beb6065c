// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {GovernanceBase} from "../GovernanceBase.t.sol";

/// @notice Stakers who lock, propose, vote, queue, execute and cancel in any order, and a guardian who cancels now and then.
///         Each proposal pays one dollar of the treasury.
contract GovernanceHandler is GovernanceBase {
    uint256 public executed;
    uint256 public unfounded; // executed without a quorum of the floor at least, a majority, or the delay
    uint256 public proposed;
    Proposal[] private _proposals;
    uint256[] private _ids;
    mapping(uint256 id => uint256) private _queuedAt;

    constructor() {
        setUp();
    }

    function lock(uint256 who, uint256 amount, uint256 weeks_) external {
        address staker = _staker(who);
        if (escrow.lockOf(staker).amount != 0 || token.balanceOf(staker) < ONE) return;
        _lock(staker, bound(amount, ONE, token.balanceOf(staker)), bound(weeks_, 1, 52));
    }

    function extend(uint256 who) external {
        address staker = _staker(who);
        if (escrow.lockOf(staker).amount == 0 || escrow.lockOf(staker).endsAt >= escrow.endAfter(52)) return;
        _extend(staker, 52);
    }

    function propose(uint256 who) external {
        address staker = _staker(who);
        if (escrow.getPastTotalSupply(time() - 1) <= FLOOR) return;
        if (escrow.getPastVotes(staker, time() - 1) < THRESHOLD) return;
        Proposal memory payment =
            _call(address(dollar), abi.encodeCall(dollar.transfer, (dave, 1)), vm.toString(proposed++));
        _ids.push(_propose(staker, payment));
        _proposals.push(payment);
    }

    function vote(uint256 who, uint256 which, uint256 support) external {
        if (_ids.length == 0) return;
        uint256 id = _ids[which % _ids.length];
        address staker = _staker(who);
        if (governor.state(id) != IGovernor.ProposalState.Active || governor.hasVoted(id, staker)) return;
        _vote(staker, id, uint8(bound(support, AGAINST, ABSTAIN)));
    }

    function voteForTogether(uint256 which) external {
        for (uint256 i = 0; i < 4; ++i) {
            this.vote(i, which, FOR);
        }
    }

    function queue(uint256 which) external {
        if (_ids.length == 0) return;
        which %= _ids.length;
        if (governor.state(_ids[which]) != IGovernor.ProposalState.Succeeded) return;
        _queue(_proposals[which]);
        _queuedAt[_ids[which]] = time();
    }

    function execute(uint256 which) external {
        if (_ids.length == 0) return;
        which %= _ids.length;
        uint256 id = _ids[which];
        if (governor.state(id) != IGovernor.ProposalState.Queued || time() < governor.proposalEta(id)) return;
        _execute(_proposals[which]);
        ++executed;
        (uint256 against, uint256 inFavour, uint256 abstain) = governor.proposalVotes(id);
        bool founded = inFavour + abstain >= FLOOR && inFavour > against && time() >= _queuedAt[id] + TIMELOCK_DELAY;
        if (!founded) ++unfounded;
    }

    function cancel(uint256 which) external {
        if (_ids.length == 0 || which % 8 != 0) return;
        which %= _ids.length;
        IGovernor.ProposalState current = governor.state(_ids[which]);
        bool ended = current == IGovernor.ProposalState.Canceled || current == IGovernor.ProposalState.Executed
            || current == IGovernor.ProposalState.Expired;
        if (!ended && time() < governor.GUARDIAN_UNTIL()) _cancel(guardian, _proposals[which]);
    }

    function pass(uint256 duration) external {
        skip(bound(duration, 1 hours, 3 days));
    }

    /// @dev What the treasury has paid.
    function paid() external view returns (uint256) {
        return TREASURY - dollar.balanceOf(address(timelock));
    }

    function holdsAllRoles() external view returns (bool) {
        return timelock.hasRole(timelock.PROPOSER_ROLE(), address(governor))
            && timelock.hasRole(timelock.EXECUTOR_ROLE(), address(governor))
            && timelock.hasRole(timelock.CANCELLER_ROLE(), address(governor))
            && timelock.hasRole(bytes32(0), address(timelock)) && escrow.owner() == address(timelock);
    }

    function _staker(uint256 who) private view returns (address) {
        return [alice, bob, carol, dave][who % 4];
    }
}
