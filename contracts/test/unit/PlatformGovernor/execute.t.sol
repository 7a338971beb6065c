// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {GovernanceBase} from "../../GovernanceBase.t.sol";

contract PlatformGovernorExecuteTest is GovernanceBase {
    function setUp() public override {
        super.setUp();
        _stakeAll();
    }

    function test_anyone_queues_and_executes_what_passed() public {
        Proposal memory payment = _payment();
        uint256 id = _passed(payment);
        vm.prank(dave);
        _queue(payment);
        assertEq(governor.proposalEta(id), time() + TIMELOCK_DELAY, "eta");
        _assertState(id, IGovernor.ProposalState.Queued, "queued");
        skip(TIMELOCK_DELAY);
        vm.prank(dave);
        _execute(payment);
        _assertState(id, IGovernor.ProposalState.Executed, "executed");
        assertEq(dollar.balanceOf(dave), 1_000 * ONE, "paid");
        assertEq(dollar.balanceOf(address(timelock)), TREASURY - 1_000 * ONE, "treasury");
    }

    function test_a_proposal_changes_what_the_timelock_owns() public {
        _decide(_call(address(escrow), abi.encodeCall(escrow.setExitPenalty, (2_500)), "Open early exits"));
        assertEq(escrow.exitPenaltyBps(), 2_500, "penalty");
    }

    function test_several_calls_are_done_together_or_not_at_all() public {
        Proposal memory both = _payment();
        both.targets = new address[](2);
        both.values = new uint256[](2);
        both.calldatas = new bytes[](2);
        both.targets[0] = address(dollar);
        both.targets[1] = address(dollar);
        both.calldatas[0] = abi.encodeCall(dollar.transfer, (dave, 1_000 * ONE));
        both.calldatas[1] = abi.encodeCall(dollar.transfer, (carol, TREASURY));
        uint256 id = _queued(both);
        skip(TIMELOCK_DELAY);
        vm.expectRevert();
        this.executeProposal(both);
        assertEq(dollar.balanceOf(dave), 0, "nothing");
        _assertState(id, IGovernor.ProposalState.Queued, "may be tried again");
        dollar.mint(address(timelock), 1_000 * ONE);
        _execute(both);
        assertEq(dollar.balanceOf(carol), TREASURY, "all");
    }

    function test_reverts_beforeTheDelayIsOver() public {
        Proposal memory payment = _payment();
        _queued(payment);
        skip(TIMELOCK_DELAY - 1);
        bytes32 salt = bytes20(address(governor)) ^ keccak256(bytes(payment.description));
        bytes32 operation = timelock.hashOperationBatch(payment.targets, payment.values, payment.calldatas, 0, salt);
        bytes32 ready = bytes32(uint256(1 << uint256(TimelockController.OperationState.Ready)));
        vm.expectRevert(
            abi.encodeWithSelector(TimelockController.TimelockUnexpectedOperationState.selector, operation, ready)
        );
        this.executeProposal(payment);
    }

    function test_reverts_whenNotQueued_orDefeated_orDoneAlready() public {
        Proposal memory payment = _payment();
        uint256 id = _passed(payment);
        vm.expectRevert(_unexpected(id, IGovernor.ProposalState.Succeeded, 1 << 5));
        this.executeProposal(payment);
        _queue(payment);
        skip(TIMELOCK_DELAY);
        _execute(payment);
        vm.expectRevert(_unexpected(id, IGovernor.ProposalState.Executed, 1 << 5));
        this.executeProposal(payment);

        payment.description = "Pay Dave, again";
        id = _propose(alice, payment);
        _untilVoting(id);
        _vote(bob, id, FOR);
        _vote(alice, id, AGAINST);
        _untilDecided(id);
        vm.expectRevert(_unexpected(id, IGovernor.ProposalState.Defeated, 1 << 4));
        this.queueProposal(payment);
    }

    function test_what_passed_expires_when_it_is_not_queued() public {
        Proposal memory payment = _payment();
        uint256 id = _passed(payment);
        vm.warp(governor.proposalDeadline(id) + GRACE);
        _assertState(id, IGovernor.ProposalState.Succeeded, "last second");
        skip(1);
        vm.expectRevert(_unexpected(id, IGovernor.ProposalState.Expired, 1 << 4));
        this.queueProposal(payment);
    }

    function test_what_is_queued_expires_when_it_is_not_executed() public {
        Proposal memory payment = _payment();
        uint256 id = _queued(payment);
        vm.warp(governor.proposalEta(id) + GRACE);
        _assertState(id, IGovernor.ProposalState.Queued, "last second");
        skip(1);
        vm.expectRevert(_unexpected(id, IGovernor.ProposalState.Expired, 1 << 5));
        this.executeProposal(payment);
    }

    /// @dev Calls that `expectRevert` sees first.
    function executeProposal(Proposal memory proposal) external {
        _execute(proposal);
    }

    function queueProposal(Proposal memory proposal) external {
        _queue(proposal);
    }
}
