// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVoteEscrow} from "../../src/interfaces/IVoteEscrow.sol";
import {StakingBase} from "./StakingBase.t.sol";

/// @notice Early exits: a penalty that falls with the weeks left, for those who stay.
contract VoteEscrowExitsTest is StakingBase {
    function setUp() public override {
        super.setUp();
        _allowExits(5_000);
    }

    function test_the_penalty_falls_linearly_with_the_weeks_left() public {
        _lock(alice, 1_040 * ONE, 52);
        assertEq(escrow.exitPenaltyOf(alice), 520 * ONE, "half, with 52 weeks");
        for (uint256 left = 52; left != 0; --left) {
            _nextWeek(1);
            assertEq(escrow.exitPenaltyOf(alice), left * 10 * ONE, "as much less each week");
        }
        escrow.roll(100);
        _nextWeek(1);
        assertEq(escrow.exitPenaltyOf(alice), 0, "ended");
        _refused(alice, _error(IVoteEscrow.Ended.selector, alice, (FIRST + 53) * WEEK));
        escrow.exitEarly(type(uint256).max, alice);
    }

    function test_an_exit_returns_the_rest_and_the_others_get_the_penalty() public {
        _lock(alice, 1_040 * ONE, 52);
        _lock(bob, 300 * ONE, 52);
        _lock(carol, 100 * ONE, 52);
        _nextWeek(1);
        assertEq(_exit(alice), 520 * ONE, "half");
        assertEq(token.balanceOf(alice), FUNDS - 520 * ONE, "paid");
        assertEq(_amountOf(alice), 0, "no lock");
        assertEq(escrow.scoreOf(alice), 1_040 * ONE, "this week's weight stays");
        _nextWeek(1);
        assertEq(escrow.totalScore(), 400 * ONE * uint256(51) / 52, "the others");
        assertEq(_claimPenalties(bob), 0, "divided by the weights of the week after the exit");
        _nextWeek(1);
        _assertPaid(_claimPenalties(bob), 390 * ONE, "three quarters");
        _assertPaid(_claimPenalties(carol), 130 * ONE, "a quarter");
        assertEq(_claimPenalties(alice), 0, "nothing of her own");
        assertEq(_claimPenalties(bob), 0, "once");
    }

    function test_revenue_of_the_week_of_the_exit_is_still_due() public {
        _lock(alice, ONE, 10);
        _lock(bob, ONE, 10);
        _nextWeek(1);
        _earn(1_000);
        _exit(alice);
        _nextWeek(1);
        _earn(1_000);
        _nextWeek(1);
        _assertPaid(_claim(alice), 500, "one week");
        _assertPaid(_claim(bob), 1_500, "and all after");
    }

    function test_penalties_without_stakers_are_carried() public {
        _lock(alice, 1_040 * ONE, 52);
        _exit(alice);
        _nextWeek(5);
        _lock(bob, 10 * ONE, 1);
        _nextWeek(2);
        _assertPaid(_claimPenalties(bob), 520 * ONE, "to the next with weight");
    }

    function test_penalties_are_credited_by_lock_verbs() public {
        _lock(alice, 1_040 * ONE, 52);
        _lock(bob, ONE, 20);
        _nextWeek(1);
        _exit(alice);
        _nextWeek(2);
        _increase(bob, ONE);
        (uint256 revenue, uint256 penalties) = escrow.claimable(bob);
        assertEq(revenue, 0, "no revenue");
        _assertPaid(penalties, 520 * ONE, "credited");
        assertEq(_claim(bob), 0, "a claim of revenue keeps them");
        _assertPaid(_claimPenalties(bob), 520 * ONE, "paid");
    }

    function test_a_renewing_lock_exits() public {
        _lock(alice, 1_040 * ONE, 26);
        _lock(bob, ONE, 52);
        _renew(alice, true);
        _nextWeek(30);
        assertEq(escrow.exitPenaltyOf(alice), 270 * ONE, "26 weeks and the running one");
        assertEq(_exit(alice), 770 * ONE, "rest");
        _nextWeek(1);
        assertEq(escrow.totalWeightAt(FIRST + 31), 22 * ONE, "bob alone");
    }

    function test_after_an_exit_one_can_lock_anew() public {
        _lock(alice, 52 * ONE, 52);
        _nextWeek(1);
        _exit(alice);
        _lock(alice, 52 * ONE, 2);
        _nextWeek(1);
        assertEq(escrow.scoreOf(alice), 2 * ONE, "the new lock");
        assertEq(escrow.totalScore(), 2 * ONE, "total");
        _nextWeek(2);
        assertEq(_withdraw(alice), 52 * ONE, "returned");
    }

    function test_reverts_whenExitsAreClosed_orThePenaltyIsAboveWhatTheHolderAllows() public {
        _refused(alice, _nothingLocked(alice));
        escrow.exitEarly(0, alice);
        _lock(alice, 1_040 * ONE, 52);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.PenaltyAboveMax.selector, 520 * ONE, 520 * ONE - 1));
        escrow.exitEarly(520 * ONE - 1, alice);
        _allowExits(0);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.EarlyExitClosed.selector));
        escrow.exitEarly(type(uint256).max, alice);
    }

    function test_the_penalty_is_rounded_up() public {
        _lock(alice, 1, 1);
        assertEq(escrow.exitPenaltyOf(alice), 1, "a whole unit");
        assertEq(_exit(alice), 0, "nothing is left");
    }
}
