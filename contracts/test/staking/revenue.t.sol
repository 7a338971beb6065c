// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVoteEscrow} from "../../src/interfaces/IVoteEscrow.sol";
import {BlacklistToken} from "../mocks/BlacklistToken.sol";
import {StakingBase} from "./StakingBase.t.sol";

/// @notice Revenue: booked by week, divided by weight, claimed over any number of weeks.
contract VoteEscrowRevenueTest is StakingBase {
    function test_a_weeks_revenue_is_divided_by_the_weight_at_its_start() public {
        _lock(alice, 300 * ONE, 10);
        _lock(bob, 100 * ONE, 10);
        _nextWeek(1);
        _earn(4_000);
        assertEq(_claim(alice), 0, "the week is not over");
        _nextWeek(1);
        _assertPaid(_claim(alice), 3_000, "three quarters");
        assertEq(_claim(alice), 0, "once");
        vm.prank(bob);
        _assertPaid(escrow.claim(carol), 1_000, "a quarter");
        _assertPaid(dollar.balanceOf(carol), 1_000, "to whom the holder names");
        (uint256 waiting, uint256 held,) = escrow.revenue();
        assertEq(waiting, 0, "nothing waits");
        assertLe(held, 2, "nothing is left but fractions");
    }

    function test_a_claim_pays_many_weeks_at_once() public {
        _lock(alice, 100 * ONE, 52);
        _lock(bob, 100 * ONE, 26);
        uint256 due;
        for (uint256 i = 0; i < 51; ++i) {
            _nextWeek(1);
            _earn(78_000_000);
            uint256 other = i < 26 ? 26 - i : 0;
            due += 78_000_000 * (52 - i) / (52 - i + other);
        }
        _nextWeek(1);
        uint256 paid = _claim(alice);
        assertLe(paid, due + 26, "as week by week");
        assertLe(due, paid + 51, "but for rounding");
    }

    function test_notify_books_what_came_in_whoever_calls() public {
        dollar.mint(address(escrow), 70);
        vm.expectEmit(address(escrow));
        emit IVoteEscrow.RevenueBooked(FIRST, 70);
        vm.prank(dave);
        assertEq(escrow.notify(), 70, "booked");
        assertEq(escrow.notify(), 0, "once");
        (uint256 waiting, uint256 held, uint256 rolledWeek) = escrow.revenue();
        assertEq(waiting, 70, "waiting");
        assertEq(held, 70, "held");
        assertEq(rolledWeek, FIRST, "week");
    }

    function test_revenue_without_stakers_is_carried() public {
        _earn(1_000);
        _nextWeek(3);
        _earn(500);
        _lock(alice, ONE, 5);
        _nextWeek(1);
        assertEq(_claim(alice), 0, "no weight in the week before");
        _nextWeek(1);
        _assertPaid(_claim(alice), 1_500, "the first week with weight gets it");
    }

    function test_revenue_is_carried_while_the_total_score_is_under_the_floor() public {
        vm.prank(owner);
        escrow.setScoreFloor(100 * ONE);
        _lock(alice, 99 * ONE, 52);
        _nextWeek(1);
        _earn(1_000);
        _nextWeek(1);
        assertEq(_claim(alice), 0, "under the floor");
        _lock(bob, 99 * ONE, 52);
        _earn(1_000);
        _nextWeek(2);
        // 2000 over the first week in which both count: 50 weeks left of alice's, 52 of bob's.
        uint256 first = _claim(alice);
        _assertPaid(first, 2_000 * uint256(50) / 102, "her part");
        assertLe(first + _claim(bob), 2_000, "no more than came in");
    }

    function test_a_changed_floor_does_not_touch_weeks_that_are_over() public {
        _lock(alice, 99 * ONE, 52);
        _nextWeek(1);
        _earn(1_000);
        _nextWeek(1);
        vm.prank(owner);
        escrow.setScoreFloor(100 * ONE);
        _assertPaid(_claim(alice), 1_000, "that week had none");
    }

    function test_what_the_rate_does_not_divide_is_carried() public {
        _lock(alice, 3, 1);
        _nextWeek(1);
        _earn(1_000_000_007);
        _nextWeek(1);
        escrow.roll(1);
        (uint256 waiting, uint256 held,) = escrow.revenue();
        uint256 paid = _claim(alice);
        assertEq(paid + waiting, held, "nothing is lost");
        assertLe(paid, 3 << 8, "a rate is at most 2^8 units for each unit of weight");
    }

    function test_lock_verbs_credit_and_only_claim_pays() public {
        _lock(alice, ONE, 10);
        _nextWeek(1);
        _earn(100);
        _nextWeek(1);
        _increase(alice, ONE);
        _extend(alice, 20);
        _renew(alice, true);
        _renew(alice, false);
        assertEq(dollar.balanceOf(alice), 0, "not paid");
        (uint256 due,) = escrow.claimable(alice);
        _assertPaid(due, 100, "credited");
        _assertPaid(_claim(alice), 100, "paid");
    }

    function test_a_change_in_the_claim_week_takes_nothing_and_gives_nothing() public {
        _lock(alice, ONE, 10);
        _lock(bob, ONE, 10);
        _nextWeek(1);
        _earn(1_000);
        _increase(alice, 99 * ONE);
        _claim(alice);
        _nextWeek(1);
        _assertPaid(_claim(alice), 500, "the weight at the week's start");
        _assertPaid(_claim(bob), 500, "both");
        _earn(1_010);
        _nextWeek(1);
        _assertPaid(_claim(alice), 1_000, "then the new one");
        _assertPaid(_claim(bob), 10, "both");
    }

    function test_withdraw_then_claim() public {
        _lock(alice, ONE, 1);
        _nextWeek(1);
        _earn(1_000);
        _nextWeek(1);
        _withdraw(alice);
        _assertPaid(_claim(alice), 1_000, "due is due");
        assertEq(_claim(alice), 0, "once");
    }

    function test_withdraw_lock_anew_then_claim() public {
        _lock(alice, ONE, 1);
        _nextWeek(1);
        _earn(1_000);
        _nextWeek(2);
        _withdraw(alice);
        _lock(alice, ONE, 1);
        _nextWeek(1);
        _earn(500);
        _nextWeek(1);
        _assertPaid(_claim(alice), 1_500, "of both locks");
    }

    function test_withdrawing_needs_neither_a_roll_nor_the_revenue_token() public {
        BlacklistToken money = new BlacklistToken();
        escrow = _deploy(token, money, 0, 0);
        vm.prank(alice);
        token.approve(address(escrow), ONE);
        _lock(alice, ONE, 4);
        money.mint(address(escrow), 100);
        _nextWeek(1);
        escrow.notify();
        money.blacklist(address(escrow), true);
        _nextWeek(400);
        assertEq(_withdraw(alice), ONE, "returned, 400 weeks were not rolled");
        money.blacklist(address(escrow), false);
        while (time() / WEEK != _rolled()) escrow.roll(90);
        _assertPaid(_claim(alice), 100, "and revenue once the token relents");
    }

    function test_a_blacklisted_staker_gets_the_principal_and_may_send_revenue_elsewhere() public {
        BlacklistToken money = new BlacklistToken();
        escrow = _deploy(token, money, 0, 0);
        vm.prank(alice);
        token.approve(address(escrow), ONE);
        _lock(alice, ONE, 1);
        money.blacklist(alice, true);
        _nextWeek(1);
        money.mint(address(escrow), 100);
        escrow.notify();
        _nextWeek(1);
        _refused(alice, abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, alice));
        escrow.claim(alice);
        assertEq(_withdraw(alice), ONE, "principal");
        vm.prank(alice);
        _assertPaid(escrow.claim(bob), 100, "revenue");
    }

    function test_roll_is_bounded_and_open_to_anyone() public {
        _lock(alice, ONE, 52);
        _nextWeek(150);
        vm.expectRevert(abi.encodeWithSelector(IVoteEscrow.NotRolled.selector, FIRST + 52, FIRST + 150));
        escrow.notify();
        vm.prank(dave);
        escrow.roll(98);
        assertEq(_rolled(), FIRST + 98, "as many as asked");
        escrow.roll(0);
        assertEq(_rolled(), FIRST + 98, "none");
        escrow.notify();
        assertEq(_rolled(), FIRST + 150, "the rest by itself");
        escrow.roll(type(uint256).max);
        assertEq(_rolled(), FIRST + 150, "never ahead");
    }

    function test_a_claim_rolls_what_it_may_and_pays_what_is_rolled() public {
        _lock(alice, ONE, 52);
        _nextWeek(1);
        _earn(52);
        _nextWeek(150);
        _assertPaid(_claim(alice), 52, "paid");
        assertEq(_rolled(), FIRST + 53, "52 weeks");
    }

    function test_renewal_is_paid_as_a_weight_that_does_not_change() public {
        _lock(alice, ONE, 10);
        _renew(alice, true);
        _lock(bob, ONE, 30);
        for (uint256 i = 0; i < 30; ++i) {
            _nextWeek(1);
            _earn(10 + 30 - i);
        }
        _nextWeek(1);
        uint256 paid = _claim(alice);
        assertLe(paid, 300, "ten units each week");
        assertLe(299, paid, "but for rounding");
    }

    function _rolled() private view returns (uint256 rolledWeek) {
        (,, rolledWeek) = escrow.revenue();
    }
}
