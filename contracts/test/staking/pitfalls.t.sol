// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StakingBase} from "./StakingBase.t.sol";

/// @notice Faults that cost other vote escrows and revenue distributors money, each by name.
contract VoteEscrowPitfallsTest is StakingBase {
    /// @dev Alchemix (Immunefi 31076), Velocimeter (Sherlock 2024-06, 648, 468, 595): the total was cached in the first
    ///      block of a week, and a lock in the same block claimed from it.
    function test_a_lock_in_the_first_second_of_a_week_takes_nothing_of_that_week() public {
        _lock(alice, ONE, 52);
        for (uint256 order = 0; order < 2; ++order) {
            _nextWeek(1);
            if (order == 0) escrow.roll(1);
            _lock(order == 0 ? bob : carol, 1_000 * ONE, 52);
            if (order == 1) escrow.roll(1);
            _increase(alice, ONE);
            assertEq(escrow.totalWeightAt(time() / WEEK), _weights(time() / WEEK), "the total is the sum");
        }
        _earn(1_000);
        _nextWeek(1);
        assertEq(_claim(carol), 0, "not in that week");
        assertLe(_claim(alice) + _claim(bob), 1_000, "no more than came in");
    }

    /// @dev Velocimeter 377: fees of weeks beyond the cap of the loop were lost.
    function test_sixty_idle_weeks_lose_nothing() public {
        _lock(alice, ONE, 52);
        _nextWeek(1);
        _earn(1_000);
        _nextWeek(60);
        escrow.roll(10);
        escrow.roll(60);
        _assertPaid(_claim(alice), 1_000, "all of it");
    }

    function test_when_all_locks_have_ended_revenue_is_carried() public {
        _lock(alice, ONE, 2);
        _nextWeek(3);
        assertEq(escrow.totalScore(), 0, "none");
        _earn(700);
        _nextWeek(70);
        escrow.roll(70);
        _lock(bob, ONE, 2);
        _nextWeek(2);
        _assertPaid(_claim(bob), 700, "to the next");
        assertEq(_claim(alice), 0, "her lock had ended");
    }

    function test_a_dust_total_neither_overflows_nor_loses() public {
        _lock(alice, 1, 1);
        _nextWeek(1);
        _earn(1e27);
        _nextWeek(1);
        assertEq(_claim(alice), 256, "the highest rate");
        _lock(bob, FUNDS, 52);
        _nextWeek(2);
        assertLe(1e27 - 258, _claim(bob), "the rest was carried");
    }

    function test_a_checkpoint_that_no_one_made_distributes_nothing_twice() public {
        _lock(alice, ONE, 10);
        _lock(bob, ONE, 10);
        _nextWeek(1);
        dollar.mint(address(escrow), 1_000); // no one calls notify for three weeks
        _nextWeek(3);
        escrow.notify();
        _nextWeek(1);
        _assertPaid(_claim(alice) + _claim(bob), 1_000, "booked in the week of the call, once");
    }

    function test_flash_loaned_tokens_have_no_votes_and_no_revenue() public {
        _lock(alice, ONE, 52);
        _nextWeek(1);
        _earn(1_000);
        _allowExits(1_000);
        _lock(bob, FUNDS, 52); // a loan
        assertEq(escrow.getVotes(bob), 0, "no votes in the block");
        _exit(bob);
        skip(1);
        assertEq(escrow.getPastVotes(bob, time() - 1), 0, "none after it");
        _nextWeek(1);
        assertEq(escrow.getVotes(bob), 0, "none next week");
        assertEq(_claim(bob), 0, "no revenue");
        _assertPaid(_claim(alice), 1_000, "all hers");
    }

    /// @dev Over the turn of a week two blocks are enough to have weight for a week. A tenth of the score is the least price.
    function test_a_loan_over_the_turn_of_a_week_costs_at_least_a_tenth_of_its_score() public {
        _lock(alice, 52 * ONE, 52);
        _allowExits(1_000);
        _nextWeek(1);
        vm.warp(time() + WEEK - 1);
        _lock(bob, 520 * ONE, 52);
        skip(1);
        uint256 score = escrow.getVotes(bob);
        assertEq(score, 520 * ONE, "for two blocks");
        assertEq(_exit(bob), 468 * ONE, "less a tenth");
        _nextWeek(1);
        assertEq(escrow.getVotes(bob), 0, "one week");
        _nextWeek(1);
        _assertPaid(_claimPenalties(alice), score / 10, "to those who stay");
    }

    function test_votes_do_not_change_within_a_week() public {
        _lock(alice, 52 * ONE, 10);
        _lock(bob, 52 * ONE, 10);
        _nextWeek(1);
        uint256 snapshot = time();
        _increase(alice, 1_000 * ONE);
        _extend(alice, 52);
        _delegate(bob, alice);
        skip(1);
        assertEq(escrow.getPastVotes(alice, snapshot), 10 * ONE, "as at the week's start");
        assertEq(escrow.getVotes(alice), 10 * ONE, "as at the week's start");
        assertEq(escrow.getPastTotalSupply(snapshot), 20 * ONE, "total");
    }

    function test_delegation_to_many_counts_no_vote_twice() public {
        _lock(alice, 52 * ONE, 10);
        address[3] memory others = [bob, carol, dave];
        for (uint256 i = 0; i < 3; ++i) {
            _delegate(alice, others[i]);
            _nextWeek(1);
            _delegate(alice, others[(i + 1) % 3]);
            uint256 votes = escrow.getVotes(alice) + escrow.getVotes(bob) + escrow.getVotes(carol);
            assertEq(votes + escrow.getVotes(dave), escrow.totalScore(), "each once");
        }
    }

    function test_a_gift_of_revenue_is_revenue_and_a_gift_of_tokens_changes_nothing() public {
        _lock(alice, ONE, 10);
        _nextWeek(1);
        token.mint(address(escrow), FUNDS);
        dollar.mint(address(escrow), 5);
        escrow.notify();
        assertEq(escrow.totalScore(), 10 * ONE / uint256(52), "weights");
        _nextWeek(1);
        _assertPaid(_claim(alice), 5, "revenue");
    }

    function test_limit_platform_tokens_sent_without_a_lock_stay_here() public {
        vm.prank(bob);
        token.transfer(address(escrow), ONE);
        _refused(bob, _nothingLocked(bob));
        escrow.withdraw(bob);
    }

    /// @dev Votes are rounded down by delegate: fewer than a unit each.
    function test_limit_votes_are_rounded_down() public {
        _lock(alice, 51, 1);
        _lock(bob, 51, 1);
        _nextWeek(1);
        assertEq(escrow.getVotes(alice) + escrow.getVotes(bob), 0, "two fractions");
        assertEq(escrow.totalScore(), 1, "of a whole");
    }

    function _weights(uint256 week) private view returns (uint256) {
        return escrow.weightAt(alice, week) + escrow.weightAt(bob, week) + escrow.weightAt(carol, week);
    }
}
