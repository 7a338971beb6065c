// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {IPlatformGovernor} from "../../../src/interfaces/IPlatformGovernor.sol";
import {GovernanceBase} from "../../GovernanceBase.t.sol";

contract PlatformGovernorProposeTest is GovernanceBase {
    function test_opens_a_proposal_with_its_snapshot_after_the_delay() public {
        _stakeAll();
        uint256 id = _propose(alice, _payment());
        assertEq(governor.proposalSnapshot(id), time() + VOTING_DELAY, "snapshot");
        assertEq(governor.proposalDeadline(id), time() + VOTING_DELAY + VOTING_PERIOD, "deadline");
        assertEq(governor.proposalProposer(id), alice, "proposer");
        _assertState(id, IGovernor.ProposalState.Pending, "pending");
    }

    function test_reverts_untilTheTotalScoreHasPassedTheFloor() public {
        _lock(alice, FLOOR, 52);
        _nextWeek(1);
        skip(1);
        _refused(alice, abi.encodeWithSelector(IPlatformGovernor.ProposalsNotOpen.selector, FLOOR, FLOOR));
        this.proposePayment();

        _lock(bob, 40 * ONE * 52, 52); // a week later alice's score is 51/52 of the floor
        _nextWeek(1);
        skip(1);
        assertTrue(escrow.totalScore() > FLOOR, "passed");
        _propose(alice, _payment());
    }

    function test_reverts_underTheThreshold() public {
        _stakeAll();
        _lock(dave, THRESHOLD, 52);
        _nextWeek(2); // one week decayed: 51/52 of the threshold
        skip(1);
        uint256 votes = escrow.getVotes(dave);
        bytes memory reason =
            abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, dave, votes, THRESHOLD);
        _refused(dave, reason);
        this.proposePayment();
        _increase(dave, 100 * ONE);
        _nextWeek(1);
        skip(1);
        assertTrue(escrow.getVotes(dave) > THRESHOLD, "reached");
        _propose(dave, _payment());
    }

    /// @dev A proposer who ends the description with their address cannot be overtaken by a copy that is then cancelled.
    function test_reverts_whenAnotherProposesWhatNamesItsProposer() public {
        _stakeAll();
        Proposal memory named = _payment();
        named.description = string.concat("Pay Dave #proposer=", vm.toString(alice));
        _refused(bob, abi.encodeWithSelector(IGovernor.GovernorRestrictedProposer.selector, bob));
        governor.propose(named.targets, named.values, named.calldatas, named.description);
        _propose(alice, named);
    }

    /// @dev A call that `prank` and `expectRevert` see first. The sender is the account that was pranked.
    function proposePayment() external {
        _propose(msg.sender, _payment());
    }
}
