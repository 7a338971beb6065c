// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {IPlatformGovernor} from "../../src/interfaces/IPlatformGovernor.sol";
import {GovernanceBase} from "../GovernanceBase.t.sol";

/// @notice What a thief of the treasury tries on the governor, by the name of the known fault.
contract GovernanceThiefTest is GovernanceBase {
    address private thief = actor("thief");

    function setUp() public override {
        super.setUp();
        vm.prank(thief);
        token.approve(address(escrow), type(uint256).max);
    }

    /// @dev However much the first one locks: proposals open only past the floor, and one that has less than the floor
    ///      makes no quorum alone, at any total.
    function test_the_first_locker_cannot_pass_a_proposal(uint256 amount) public {
        amount = bound(amount, 2 * THRESHOLD, FLOOR);
        token.mint(thief, amount);
        _lock(thief, amount, 52);
        _nextWeek(1);
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(IPlatformGovernor.ProposalsNotOpen.selector, escrow.totalScore(), FLOOR));
        this.proposeTheft();

        _lock(bob, FLOOR, 52);
        _nextWeek(1);
        skip(1);
        uint256 id = _propose(thief, _theft());
        _untilVoting(id);
        _vote(thief, id, FOR);
        _untilDecided(id);
        _assertState(id, IGovernor.ProposalState.Defeated, "no quorum");
    }

    /// @dev Tokens borrowed for one transaction: locked, proposed and voted with in the same second.
    function test_flash_loaned_tokens_neither_propose_nor_vote() public {
        _stakeAll();
        uint256 id = _propose(alice, _payment());
        _untilVoting(id);
        token.mint(thief, 4 * FUNDS);
        _lock(thief, 4 * FUNDS, 52);
        assertEq(_vote(thief, id, FOR), 0, "no vote");
        vm.expectRevert(
            abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, thief, 0, THRESHOLD)
        );
        this.proposeTheft();
    }

    /// @dev Even at the exact second of the snapshot, and of the start of a week.
    function test_a_lock_in_the_block_of_the_snapshot_has_no_vote() public {
        _stakeAll();
        _nextWeek(1);
        vm.warp(time() + WEEK - VOTING_DELAY);
        uint256 id = _propose(alice, _payment());
        vm.warp(governor.proposalSnapshot(id));
        assertEq(time() % WEEK, 0, "a week starts");
        token.mint(thief, 4 * FUNDS);
        _lock(thief, 4 * FUNDS, 52);
        skip(1);
        assertEq(_vote(thief, id, FOR), 0, "no vote");
    }

    function test_no_one_schedules_cancels_or_executes_at_the_timelock() public {
        _stakeAll();
        Proposal memory payment = _payment();
        _queued(payment);
        skip(TIMELOCK_DELAY);
        address[4] memory accounts = [thief, guardian, alice, owner];
        bytes32 proposing = timelock.PROPOSER_ROLE();
        bytes32 salt = bytes20(address(governor)) ^ keccak256(bytes(payment.description));
        bytes32 operation = timelock.hashOperationBatch(payment.targets, payment.values, payment.calldatas, 0, salt);
        assertTrue(timelock.isOperationReady(operation), "ready");
        for (uint256 i = 0; i < accounts.length; ++i) {
            _refused(accounts[i], _missing(accounts[i], proposing));
            timelock.schedule(address(dollar), 0, payment.calldatas[0], 0, 0, TIMELOCK_DELAY);
            _refused(accounts[i], _missing(accounts[i], timelock.EXECUTOR_ROLE()));
            timelock.executeBatch(payment.targets, payment.values, payment.calldatas, 0, salt);
            _refused(accounts[i], _missing(accounts[i], timelock.CANCELLER_ROLE()));
            timelock.cancel(operation);
            _refused(accounts[i], _missing(accounts[i], 0));
            timelock.grantRole(proposing, thief);
        }
    }

    /// @dev Who copies a proposal of another and cancels the copy would stop it: the same content has the same id.
    function test_a_copy_in_front_does_not_stop_a_proposal_that_names_its_proposer() public {
        _stakeAll();
        Proposal memory payment = _payment();
        payment.description = string.concat("Pay Dave #proposer=", vm.toString(alice));
        _refused(bob, abi.encodeWithSelector(IGovernor.GovernorRestrictedProposer.selector, bob));
        governor.propose(payment.targets, payment.values, payment.calldatas, payment.description);
        uint256 id = _decide(payment);
        _assertState(id, IGovernor.ProposalState.Executed, "executed");
    }

    /// @dev The same tokens do not vote twice: a lock stays, and a delegation counts from the next week.
    function test_no_score_votes_twice_in_one_proposal() public {
        _stakeAll();
        uint256 id = _propose(alice, _payment());
        _untilVoting(id);
        _vote(alice, id, FOR);
        _delegate(alice, thief);
        assertEq(_vote(thief, id, FOR), 0, "delegated after the snapshot");
        (, uint256 inFavour,) = governor.proposalVotes(id);
        assertEq(inFavour, 600_000 * ONE, "once");
    }

    /// @dev A guardian whose key is stolen delays; it decides nothing, and takes nothing.
    function test_a_guardian_can_do_nothing_but_cancel() public {
        _stakeAll();
        vm.expectRevert(
            abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, guardian, 0, THRESHOLD)
        );
        this.proposeTheftAs(guardian);
        uint256 id = _propose(alice, _payment());
        _untilVoting(id);
        assertEq(_vote(guardian, id, FOR), 0, "no vote");
        _refused(guardian, abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, guardian));
        governor.setGuardian(guardian);
        _refused(guardian, abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, guardian));
        governor.relay(address(dollar), 0, "");
    }

    /// @dev Until its date, a guardian can also stop the proposal that would replace it. That is why the date is fixed.
    function test_limit_a_guardian_can_stop_its_own_removal_until_it_expires() public {
        _stakeAll();
        Proposal memory removal =
            _call(address(governor), abi.encodeCall(governor.setGuardian, (address(0))), "No guardian");
        uint256 id = _queued(removal);
        _cancel(guardian, removal);
        _assertState(id, IGovernor.ProposalState.Canceled, "stopped");
    }

    /// @dev One account with more than the floor and the part of the total decides alone, if the others do not vote.
    function test_limit_a_score_above_the_quorum_decides_where_no_one_else_votes() public {
        _stakeAll();
        uint256 id = _propose(carol, _theftTo(carol));
        _untilVoting(id);
        _vote(carol, id, FOR);
        _untilDecided(id);
        _assertState(id, IGovernor.ProposalState.Succeeded, "carol has a tenth, which is the quorum");
    }

    /// @dev Calls that `expectRevert` sees first.
    function proposeTheft() external {
        _propose(thief, _theft());
    }

    function proposeTheftAs(address account) external {
        _propose(account, _theft());
    }

    function _theft() private view returns (Proposal memory) {
        return _theftTo(thief);
    }

    function _theftTo(address account) private view returns (Proposal memory) {
        return _call(address(dollar), abi.encodeCall(dollar.transfer, (account, TREASURY)), "Donate");
    }

    function _missing(address account, bytes32 role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, role);
    }
}
