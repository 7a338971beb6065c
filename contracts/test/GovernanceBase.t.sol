// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {PlatformGovernor} from "../src/governance/PlatformGovernor.sol";
import {PlatformTimelock} from "../src/governance/PlatformTimelock.sol";
import {IPlatformGovernor} from "../src/interfaces/IPlatformGovernor.sol";
import {StakingBase} from "./staking/StakingBase.t.sol";

/// @notice The vote escrow of StakingBase, owned by a timelock with a treasury, and the governor on its scores.
abstract contract GovernanceBase is StakingBase {
    struct Proposal {
        address[] targets;
        uint256[] values;
        bytes[] calldatas;
        string description;
    }

    uint8 internal constant AGAINST = 0;
    uint8 internal constant FOR = 1;
    uint8 internal constant ABSTAIN = 2;

    uint48 internal constant VOTING_DELAY = 1 days;
    uint32 internal constant VOTING_PERIOD = 5 days;
    uint48 internal constant EXTENSION = 2 days;
    uint256 internal constant TIMELOCK_DELAY = 2 days;
    uint256 internal constant GUARDIAN_TERM = 365 days;
    uint256 internal constant GRACE = 14 days;
    uint256 internal constant THRESHOLD = 1_000 * ONE;
    uint256 internal constant QUORUM_BPS = 1_000;
    uint256 internal constant FLOOR = 40_000 * ONE; // 1 % of the supply
    uint256 internal constant TREASURY = 5_000 * ONE;

    address internal guardian = actor("guardian");
    PlatformTimelock internal timelock;
    PlatformGovernor internal governor;

    function setUp() public virtual override {
        super.setUp();
        timelock = _deployTimelock(TIMELOCK_DELAY);
        governor = _deployGovernor(_parameters());
        timelock.appoint(address(governor));
        vm.prank(owner);
        escrow.transferOwnership(address(timelock));
        vm.prank(address(timelock));
        escrow.acceptOwnership();
        dollar.mint(address(timelock), TREASURY);
    }

    function _deployTimelock(uint256 delay) internal returns (PlatformTimelock) {
        return
            PlatformTimelock(payable(deploy("PlatformTimelock.sol:PlatformTimelock", abi.encode(delay, address(this)))));
    }

    function _deployGovernor(IPlatformGovernor.Parameters memory parameters) internal returns (PlatformGovernor) {
        bytes memory arguments = abi.encode(escrow, timelock, parameters);
        return PlatformGovernor(payable(deploy("PlatformGovernor.sol:PlatformGovernor", arguments)));
    }

    function _parameters() internal view returns (IPlatformGovernor.Parameters memory) {
        return IPlatformGovernor.Parameters({
            votingDelay: VOTING_DELAY,
            votingPeriod: VOTING_PERIOD,
            proposalThreshold: THRESHOLD,
            quorumBps: QUORUM_BPS,
            quorumFloor: FLOOR,
            lateQuorumExtension: EXTENSION,
            guardian: guardian,
            guardianUntil: uint48(time() + GUARDIAN_TERM)
        });
    }

    /// @dev Alice has 60 % of the total score, Bob 30 %, Carol 10 %; dave has none.
    function _stakeAll() internal {
        _lock(alice, 600_000 * ONE, 52);
        _lock(bob, 300_000 * ONE, 52);
        _lock(carol, 100_000 * ONE, 52);
        _nextWeek(1);
        skip(1);
    }

    /// @dev One call. The description says which, so that two proposals of one call can live beside each other.
    function _call(address target, bytes memory data, string memory description)
        internal
        pure
        returns (Proposal memory proposal)
    {
        proposal.targets = new address[](1);
        proposal.values = new uint256[](1);
        proposal.calldatas = new bytes[](1);
        proposal.targets[0] = target;
        proposal.calldatas[0] = data;
        proposal.description = description;
    }

    /// @dev Pays 1,000 dollars of the treasury to dave.
    function _payment() internal view returns (Proposal memory) {
        return _call(address(dollar), abi.encodeCall(dollar.transfer, (dave, 1_000 * ONE)), "Pay Dave");
    }

    function _propose(address account, Proposal memory proposal) internal returns (uint256 id) {
        vm.prank(account);
        return governor.propose(proposal.targets, proposal.values, proposal.calldatas, proposal.description);
    }

    function _vote(address account, uint256 id, uint8 support) internal returns (uint256) {
        vm.prank(account);
        return governor.castVote(id, support);
    }

    function _queue(Proposal memory proposal) internal {
        governor.queue(proposal.targets, proposal.values, proposal.calldatas, keccak256(bytes(proposal.description)));
    }

    function _execute(Proposal memory proposal) internal {
        governor.execute(proposal.targets, proposal.values, proposal.calldatas, keccak256(bytes(proposal.description)));
    }

    function _cancel(address account, Proposal memory proposal) internal {
        vm.prank(account);
        governor.cancel(proposal.targets, proposal.values, proposal.calldatas, keccak256(bytes(proposal.description)));
    }

    function _untilVoting(uint256 id) internal {
        vm.warp(governor.proposalSnapshot(id) + 1);
    }

    function _untilDecided(uint256 id) internal {
        vm.warp(governor.proposalDeadline(id) + 1);
    }

    /// @dev Proposed by alice, and voted for by her and bob.
    function _passed(Proposal memory proposal) internal returns (uint256 id) {
        id = _propose(alice, proposal);
        _untilVoting(id);
        _vote(alice, id, FOR);
        _vote(bob, id, FOR);
        _untilDecided(id);
    }

    function _queued(Proposal memory proposal) internal returns (uint256 id) {
        id = _passed(proposal);
        _queue(proposal);
    }

    function _decide(Proposal memory proposal) internal returns (uint256 id) {
        id = _queued(proposal);
        skip(TIMELOCK_DELAY);
        _execute(proposal);
    }

    function _assertState(uint256 id, IGovernor.ProposalState expected, string memory what) internal view {
        assertEq(uint256(governor.state(id)), uint256(expected), what);
    }

    function _unexpected(uint256 id, IGovernor.ProposalState current, uint256 allowed)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IGovernor.GovernorUnexpectedProposalState.selector, id, current, bytes32(allowed));
    }

    function _outOfBounds(string memory parameter, uint256 value, uint256 least, uint256 most)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IPlatformGovernor.ParameterOutOfBounds.selector, parameter, value, least, most);
    }
}
