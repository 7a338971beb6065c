// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {GovernanceBase} from "../../GovernanceBase.t.sol";

contract PlatformGovernorCancelTest is GovernanceBase {
    function setUp() public override {
        super.setUp();
        _stakeAll();
    }

    function test_a_proposer_cancels_until_voting_starts() public {
        Proposal memory payment = _payment();
        uint256 id = _propose(alice, payment);
        _refuse(bob, id, payment);
        vm.warp(governor.proposalSnapshot(id));
        _cancel(alice, payment);
        _assertState(id, IGovernor.ProposalState.Canceled, "cancelled");

        payment.description = "Pay Dave, again";
        id = _propose(alice, payment);
        _untilVoting(id);
        _refuse(alice, id, payment);
    }

    function test_the_guardian_cancels_at_any_time_before_execution() public {
        Proposal memory payment = _payment();
        uint256 id = _propose(alice, payment);
        _cancel(guardian, payment);
        _assertState(id, IGovernor.ProposalState.Canceled, "pending");

        payment.description = "while it is voted on";
        id = _propose(alice, payment);
        _untilVoting(id);
        _cancel(guardian, payment);
        _assertState(id, IGovernor.ProposalState.Canceled, "active");

        payment.description = "after it passed";
        id = _passed(payment);
        _cancel(guardian, payment);
        _assertState(id, IGovernor.ProposalState.Canceled, "succeeded");

        payment.description = "in the timelock";
        id = _queued(payment);
        skip(TIMELOCK_DELAY);
        _cancel(guardian, payment);
        _assertState(id, IGovernor.ProposalState.Canceled, "queued");
        vm.expectRevert(_unexpected(id, IGovernor.ProposalState.Canceled, 1 << 5));
        this.executeProposal(payment);
        assertEq(dollar.balanceOf(dave), 0, "nothing was paid");
    }

    function test_the_guardian_expires_at_its_date() public {
        uint256 until = governor.GUARDIAN_UNTIL();
        vm.warp(until - 30 days);
        _extend(alice, 52);
        vm.warp(until - 1 days);
        Proposal memory first = _payment();
        Proposal memory second = _payment();
        second.description = "Pay Dave, again";
        uint256 firstId = _propose(alice, first);
        uint256 secondId = _propose(alice, second);
        vm.warp(until - 1);
        _cancel(guardian, first);
        _assertState(firstId, IGovernor.ProposalState.Canceled, "in the last second");
        vm.warp(until);
        _refuse(guardian, secondId, second);
    }

    function test_a_decision_replaces_the_guardian_and_not_its_date() public {
        uint256 until = governor.GUARDIAN_UNTIL();
        _decide(_call(address(governor), abi.encodeCall(governor.setGuardian, (carol)), "Guardian"));
        assertEq(governor.guardian(), carol, "guardian");
        assertEq(governor.GUARDIAN_UNTIL(), until, "date");
        Proposal memory payment = _payment();
        uint256 id = _propose(alice, payment);
        _refuse(guardian, id, payment);
        _cancel(carol, payment);
    }

    /// @dev Calls that `expectRevert` sees first.
    function executeProposal(Proposal memory proposal) external {
        _execute(proposal);
    }

    function _refuse(address account, uint256 id, Proposal memory proposal) private {
        _refused(account, abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, id, account));
        governor.cancel(proposal.targets, proposal.values, proposal.calldatas, keccak256(bytes(proposal.description)));
    }
}
