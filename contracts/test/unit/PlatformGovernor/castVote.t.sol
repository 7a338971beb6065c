// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {GovernanceBase} from "../../GovernanceBase.t.sol";

contract PlatformGovernorCastVoteTest is GovernanceBase {
    uint256 private constant KEY = 0xA11CE;

    function test_a_vote_weighs_the_score_at_the_start_of_the_snapshots_week() public {
        _stakeAll();
        skip(4 days);
        uint256 id = _propose(alice, _payment());
        _increase(alice, 100_000 * ONE); // counts from the next week
        uint256 score = escrow.scoreOf(alice);
        _untilVoting(id);
        assertEq(_vote(alice, id, FOR), score, "weight");
        _nextWeek(1);
        assertTrue(escrow.getVotes(bob) < 300_000 * ONE, "a week later bob's score is lower");
        assertEq(_vote(bob, id, AGAINST), 300_000 * ONE, "and his vote is not");
        (uint256 against, uint256 inFavour, uint256 abstain) = governor.proposalVotes(id);
        assertEq(against, 300_000 * ONE, "against");
        assertEq(inFavour, score, "for");
        assertEq(abstain, 0, "abstain");
    }

    function test_a_delegate_votes_with_what_it_received() public {
        _stakeAll();
        _delegate(carol, dave);
        _nextWeek(1);
        skip(1);
        uint256 id = _propose(alice, _payment());
        _untilVoting(id);
        assertEq(_vote(dave, id, FOR), escrow.scoreOf(carol), "delegate");
        assertEq(_vote(carol, id, FOR), 0, "delegator");
    }

    function test_a_signed_vote_counts_once_whoever_sends_it() public {
        address signer = vm.addr(KEY);
        token.mint(signer, FUNDS);
        vm.prank(signer);
        token.approve(address(escrow), FUNDS);
        _lock(signer, FUNDS, 52);
        _stakeAll();
        uint256 id = _propose(alice, _payment());
        _untilVoting(id);
        bytes memory signature = _ballot(id, FOR, signer, 0);
        vm.prank(dave);
        assertEq(governor.castVoteBySig(id, FOR, signer, signature), FUNDS, "weight");
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, signer));
        governor.castVoteBySig(id, FOR, signer, signature);
    }

    function test_reverts_whenVotedTwice() public {
        _stakeAll();
        uint256 id = _propose(alice, _payment());
        _untilVoting(id);
        _vote(bob, id, FOR);
        _refused(bob, abi.encodeWithSelector(IGovernor.GovernorAlreadyCastVote.selector, bob));
        governor.castVote(id, AGAINST);
    }

    function test_reverts_beforeTheSnapshot_andAfterTheDeadline() public {
        _stakeAll();
        uint256 id = _propose(alice, _payment());
        _refused(bob, _unexpected(id, IGovernor.ProposalState.Pending, 1 << 1));
        governor.castVote(id, FOR);
        _untilDecided(id);
        _refused(bob, _unexpected(id, IGovernor.ProposalState.Defeated, 1 << 1));
        governor.castVote(id, FOR);
    }

    /// @dev A whale that makes the quorum in the last second leaves the others the extension to answer.
    function test_a_late_quorum_extends_the_vote() public {
        _stakeAll();
        uint256 id = _propose(alice, _payment());
        uint256 deadline = governor.proposalDeadline(id);
        vm.warp(deadline);
        _vote(bob, id, FOR);
        assertEq(governor.proposalDeadline(id), deadline + EXTENSION, "extended");
        vm.warp(deadline + EXTENSION);
        _vote(alice, id, AGAINST);
        assertEq(governor.proposalDeadline(id), deadline + EXTENSION, "once");
        skip(1);
        _assertState(id, IGovernor.ProposalState.Defeated, "defeated");
    }

    function test_an_early_quorum_extends_nothing() public {
        _stakeAll();
        uint256 id = _propose(alice, _payment());
        uint256 deadline = governor.proposalDeadline(id);
        _untilVoting(id);
        _vote(alice, id, FOR);
        assertEq(governor.proposalDeadline(id), deadline, "deadline");
    }

    function _ballot(uint256 id, uint8 support, address voter, uint256 nonce) private view returns (bytes memory) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Usufruct PlatformGovernor"),
                keccak256("1"),
                block.chainid,
                address(governor)
            )
        );
        bytes32 message = keccak256(abi.encode(governor.BALLOT_TYPEHASH(), id, support, voter, nonce));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, keccak256(abi.encodePacked(hex"1901", domain, message)));
        return abi.encodePacked(r, s, v);
    }
}
