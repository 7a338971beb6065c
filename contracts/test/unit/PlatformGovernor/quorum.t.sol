// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {GovernanceBase} from "../../GovernanceBase.t.sol";

contract PlatformGovernorQuorumTest is GovernanceBase {
    /// @dev Whatever is locked for however long: the larger of the two, by the scores at the start of the week.
    function test_the_quorum_is_the_larger_of_part_and_floor(uint256 amount, uint256 weeks_, uint256 later) public {
        _lock(alice, bound(amount, 52, FUNDS), bound(weeks_, 1, 52));
        _nextWeek(1);
        uint256 score = escrow.totalScore();
        uint256 timepoint = time() + bound(later, 0, WEEK - 2);
        vm.warp(timepoint + 1);
        uint256 part = score * QUORUM_BPS / 10_000;
        assertEq(governor.quorum(timepoint), part > FLOOR ? part : FLOOR, "quorum");
    }

    function test_a_proposal_without_a_quorum_is_defeated() public {
        _stakeAll(); // the quorum is 100,000, what carol has
        uint256 id = _propose(alice, _payment());
        _untilVoting(id);
        assertEq(governor.quorum(governor.proposalSnapshot(id)), 100_000 * ONE, "quorum");
        _untilDecided(id);
        _assertState(id, IGovernor.ProposalState.Defeated, "no votes");

        Proposal memory second = _payment();
        second.description = "Pay Dave, again";
        id = _propose(alice, second);
        _untilVoting(id);
        _vote(bob, id, FOR);
        _untilDecided(id);
        _assertState(id, IGovernor.ProposalState.Succeeded, "quorum");
    }

    function test_abstentions_count_for_the_quorum_and_votes_against_do_not() public {
        _stakeAll();
        _lock(dave, 2_000 * ONE, 52);
        _nextWeek(1);
        skip(1);
        uint256 id = _propose(alice, _payment());
        _untilVoting(id);
        _vote(dave, id, FOR);
        _vote(carol, id, AGAINST);
        _vote(bob, id, AGAINST);
        _untilDecided(id);
        _assertState(id, IGovernor.ProposalState.Defeated, "against");

        Proposal memory second = _payment();
        second.description = "Pay Dave, again";
        id = _propose(alice, second);
        _untilVoting(id);
        _vote(dave, id, FOR);
        _vote(bob, id, ABSTAIN);
        _untilDecided(id);
        _assertState(id, IGovernor.ProposalState.Succeeded, "abstained");
    }

    /// @dev Part and floor are those of the snapshot: a decision does not change the quorum of a vote that runs.
    function test_a_running_vote_keeps_its_quorum() public {
        _stakeAll();
        uint256 before = time() - 1;
        uint256 quorum = governor.quorum(before);
        _decide(_call(address(governor), abi.encodeCall(governor.setQuorumFloor, (400_000 * ONE)), "Floor"));
        assertEq(governor.quorumFloor(), 400_000 * ONE, "new floor");
        assertEq(governor.quorum(before), quorum, "old quorum by floor");
        assertEq(governor.quorumFloor(before), FLOOR, "old floor");
        _decide(_call(address(governor), abi.encodeCall(governor.updateQuorumNumerator, (5_000)), "Part"));
        assertEq(governor.quorum(before), quorum, "old quorum by part");
        assertEq(governor.quorumNumerator(), 5_000, "new part");
    }
}
