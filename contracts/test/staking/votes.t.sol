// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

import {IVoteEscrow} from "../../src/interfaces/IVoteEscrow.sol";
import {StakingBase} from "./StakingBase.t.sol";

/// @notice Votes (ERC-5805, ERC-6372): scores at a week's start, of the account itself or of its delegate.
contract VoteEscrowVotesTest is StakingBase {
    function test_each_account_votes_for_itself_without_delegating() public {
        _lock(alice, 52 * ONE, 52);
        assertEq(escrow.delegates(alice), alice, "itself");
        assertEq(escrow.getVotes(alice), 0, "not this week");
        _nextWeek(1);
        assertEq(escrow.getVotes(alice), 52 * ONE, "from the next");
        skip(5 days);
        assertEq(escrow.getVotes(alice), 52 * ONE, "all the week");
    }

    function test_past_votes_are_those_of_each_weeks_start() public {
        _lock(alice, 52 * ONE, 10); // 10 in FIRST + 1
        _nextWeek(2);
        _increase(alice, 52 * ONE); // 16 in FIRST + 3
        _nextWeek(3);
        _extend(alice, 20); // 40 in FIRST + 6
        _nextWeek(2);
        _renew(alice, true); // 36 from FIRST + 8 on
        _nextWeek(3);
        uint256[11] memory expected = [uint256(0), 10, 9, 16, 14, 12, 40, 38, 36, 36, 36];
        for (uint256 i = 0; i < 11; ++i) {
            uint256 start = (FIRST + i) * WEEK;
            if (start < time()) assertEq(escrow.getPastVotes(alice, start), expected[i] * ONE, "first second");
            uint256 last = start + WEEK - 1;
            if (last < time()) assertEq(escrow.getPastVotes(alice, last), expected[i] * ONE, "last second");
            if (last < time()) assertEq(escrow.getPastTotalSupply(last), expected[i] * ONE, "total");
        }
        assertEq(escrow.getPastVotes(alice, 0), 0, "before all");
        assertEq(escrow.getPastTotalSupply(0), 0, "before all");
    }

    function test_past_votes_outlive_the_lock() public {
        _lock(alice, 52 * ONE, 2);
        _nextWeek(3);
        _withdraw(alice);
        _lock(alice, 52 * ONE, 5);
        _nextWeek(1);
        assertEq(escrow.getPastVotes(alice, (FIRST + 1) * WEEK), 2 * ONE, "first");
        assertEq(escrow.getPastVotes(alice, (FIRST + 2) * WEEK), ONE, "then");
        assertEq(escrow.getPastVotes(alice, (FIRST + 3) * WEEK), 0, "ended");
        assertEq(escrow.getVotes(alice), 5 * ONE, "now");
    }

    function test_totals_of_weeks_that_were_not_rolled() public {
        _lock(alice, 52 * ONE, 10);
        _lock(bob, 52 * ONE, 20);
        _renew(bob, true);
        _nextWeek(100);
        assertEq(escrow.getPastTotalSupply((FIRST + 1) * WEEK), 30 * ONE, "both");
        assertEq(escrow.getPastTotalSupply((FIRST + 10) * WEEK), 21 * ONE, "alice's last");
        assertEq(escrow.getPastTotalSupply((FIRST + 99) * WEEK), 20 * ONE, "bob renews");
        escrow.roll(200);
        assertEq(escrow.getPastTotalSupply((FIRST + 10) * WEEK), 21 * ONE, "as before");
        assertEq(escrow.totalScore(), 20 * ONE, "now");
    }

    function test_reverts_whenVotesOfNowOrLaterAreAsked() public {
        bytes memory reason = abi.encodeWithSelector(IVoteEscrow.ERC5805FutureLookup.selector, time(), time());
        vm.expectRevert(reason);
        escrow.getPastVotes(alice, time());
        vm.expectRevert(reason);
        escrow.getPastTotalSupply(time());
    }

    function test_the_clock_is_the_time() public view {
        assertEq(escrow.clock(), time(), "seconds");
        assertEq(keccak256(bytes(escrow.CLOCK_MODE())), keccak256("mode=timestamp"), "mode");
    }

    function test_a_delegate_votes_from_the_next_week() public {
        _lock(alice, 52 * ONE, 10);
        _lock(bob, 52 * ONE, 5);
        _nextWeek(1);
        vm.expectEmit(address(escrow));
        emit IVotes.DelegateChanged(alice, alice, bob);
        vm.expectEmit(address(escrow));
        emit IVotes.DelegateVotesChanged(bob, 0, 9 * ONE);
        _delegate(alice, bob);
        assertEq(escrow.delegates(alice), bob, "chosen");
        assertEq(escrow.getVotes(alice), 10 * ONE, "this week her own");
        assertEq(escrow.getVotes(bob), 5 * ONE, "his");
        _nextWeek(1);
        assertEq(escrow.getVotes(alice), 0, "given");
        assertEq(escrow.getVotes(bob), (9 + 4) * ONE, "both");
        assertEq(escrow.scoreOf(alice), 9 * ONE, "the score stays hers");
        assertEq(escrow.getPastVotes(alice, time() - 1), 10 * ONE, "past");
        assertEq(escrow.getPastVotes(bob, time() - 1), 5 * ONE, "past");
    }

    function test_received_votes_decay_to_the_locks_end_without_a_transaction() public {
        _lock(alice, 52 * ONE, 10);
        _lock(carol, 52 * ONE, 52);
        _delegate(alice, dave);
        _delegate(carol, dave);
        for (uint256 i = 0; i < 53; ++i) {
            _nextWeek(1);
            assertEq(escrow.getVotes(dave), ((i < 10 ? 10 - i : 0) + 52 - i) * ONE, "decays");
        }
        _nextWeek(200);
        assertEq(escrow.getVotes(dave), 0, "ended");
        assertEq(escrow.getPastVotes(dave, (FIRST + 5) * WEEK), (6 + 48) * ONE, "past");
    }

    function test_changes_of_a_delegated_lock_reach_the_delegate() public {
        _allowExits(1_000);
        _lock(alice, 52 * ONE, 10);
        _delegate(alice, bob);
        _nextWeek(1);
        _increase(alice, 52 * ONE);
        _nextWeek(1);
        assertEq(escrow.getVotes(bob), 18 * ONE, "increased");
        _extend(alice, 20);
        _nextWeek(1);
        assertEq(escrow.getVotes(bob), 40 * ONE, "extended");
        _renew(alice, true);
        _nextWeek(10);
        assertEq(escrow.getVotes(bob), 38 * ONE, "renews");
        _renew(alice, false);
        _nextWeek(2);
        assertEq(escrow.getVotes(bob), 36 * ONE, "decays");
        _exit(alice);
        _nextWeek(1);
        assertEq(escrow.getVotes(bob), 0, "exited");
        _lock(alice, 52 * ONE, 3);
        _nextWeek(1);
        assertEq(escrow.getVotes(bob), 3 * ONE, "a new lock is delegated, too");
        assertEq(escrow.getPastVotes(bob, (FIRST + 2) * WEEK), 18 * ONE, "history");
        assertEq(escrow.getPastVotes(bob, (FIRST + 8) * WEEK), 38 * ONE, "history");
    }

    function test_a_delegation_moves_and_comes_back() public {
        _lock(alice, 52 * ONE, 10);
        _delegate(alice, bob);
        _nextWeek(1);
        _delegate(alice, carol);
        _delegate(alice, dave);
        _nextWeek(1);
        assertEq(escrow.getVotes(bob) + escrow.getVotes(carol), 0, "gone");
        assertEq(escrow.getVotes(dave), 9 * ONE, "the last choice");
        _delegate(alice, address(0));
        assertEq(escrow.delegates(alice), alice, "itself");
        _nextWeek(1);
        assertEq(escrow.getVotes(alice), 8 * ONE, "back");
        assertEq(escrow.getVotes(dave), 0, "gone");
        assertEq(escrow.getPastVotes(bob, (FIRST + 1) * WEEK), 10 * ONE, "past");
    }

    function test_one_may_delegate_before_one_locks() public {
        _delegate(alice, bob);
        _lock(alice, 52 * ONE, 10);
        _nextWeek(1);
        assertEq(escrow.getVotes(bob), 10 * ONE, "votes");
        assertEq(escrow.getVotes(alice), 0, "given");
    }

    function test_received_votes_are_not_passed_on() public {
        _lock(alice, 52 * ONE, 10);
        _lock(bob, 52 * ONE, 10);
        _delegate(alice, bob);
        _delegate(bob, carol);
        _nextWeek(1);
        assertEq(escrow.getVotes(bob), 10 * ONE, "alice's");
        assertEq(escrow.getVotes(carol), 10 * ONE, "bob's");
    }

    function test_a_signature_delegates_once() public {
        uint256 key = 0xA11CE;
        address signer = vm.addr(key);
        token.mint(signer, 52 * ONE);
        vm.prank(signer);
        token.approve(address(escrow), 52 * ONE);
        _lock(signer, 52 * ONE, 10);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _delegation(bob, 0, time()));
        escrow.delegateBySig(bob, 0, time(), v, r, s);
        assertEq(escrow.delegates(signer), bob, "delegated");
        vm.expectRevert(abi.encodeWithSelector(Nonces.InvalidAccountNonce.selector, signer, 1));
        escrow.delegateBySig(bob, 0, time(), v, r, s);
        uint256 expiry = time();
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(IVotes.VotesExpiredSignature.selector, expiry));
        escrow.delegateBySig(bob, 0, expiry, v, r, s);
    }

    function _delegation(address delegatee, uint256 nonce, uint256 expiry) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Usufruct VoteEscrow"),
                keccak256("1"),
                block.chainid,
                address(escrow)
            )
        );
        bytes32 typehash = keccak256("Delegation(address delegatee,uint256 nonce,uint256 expiry)");
        bytes32 hash = keccak256(abi.encode(typehash, delegatee, nonce, expiry));
        return keccak256(abi.encodePacked("\x19\x01", domain, hash));
    }
}
