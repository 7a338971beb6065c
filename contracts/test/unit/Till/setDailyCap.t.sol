// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {ITill} from "../../../src/interfaces/ITill.sol";
import {BlacklistToken} from "../../mocks/BlacklistToken.sol";
import {TillBase} from "./TillBase.t.sol";

contract TillSetDailyCapTest is TillBase {
    IBatchSettlement.ChannelConfig private _config;
    address private _token;

    function setUp() public override {
        super.setUp();
        _token = address(dollar);
        _config = _tillChannel(_token, 10_000);
        _cap(address(0), 500);
    }

    function test_a_payee_gets_its_cap_and_is_owed_the_rest() public {
        vm.expectEmit(address(till));
        emit ITill.Paid(address(shares), _token, 500, 500);
        vm.expectEmit(address(till));
        emit ITill.Capped(address(shares), _token, 300, 800, 300);
        _claimAndSplit(_config, 800, _splits(address(shares), 800));
        assertEq(dollar.balanceOf(address(shares)), 500, "paid");
        assertEq(shares.accrued(_token), 1, "accrued");
        _assertOwed(300);
        assertEq(till.roomToday(address(shares), _token), 0, "room");
        _assertUnsplit(_token, 0, 0);
        _assertTotalSplit(_token, 800, 0);
    }

    /// @dev Claims go on, and other payees are paid.
    function test_a_reached_cap_holds_up_no_claim_and_no_other_payee() public {
        _claimAndSplit(_config, 800, _splits(address(shares), 800));
        _claimAndSplit(_config, 1_000, _splits(address(shares), 100, treasury, 100));
        assertEq(dollar.balanceOf(address(shares)), 500, "no more today");
        assertEq(dollar.balanceOf(treasury), 100, "another payee");
        _assertOwed(400);
    }

    function test_the_rest_is_paid_on_the_following_days_by_anyone() public {
        _claimAndSplit(_config, 1_300, _splits(address(shares), 1_300));
        uint256 midnight = (time() / 1 days + 1) * 1 days;
        vm.expectRevert(abi.encodeWithSelector(ITill.CapReached.selector, address(shares), _token, midnight));
        vm.prank(stranger);
        till.payOwed(address(shares), _token);

        vm.warp(midnight);
        vm.expectEmit(address(till));
        emit ITill.OwedPaid(address(shares), _token, 500);
        vm.prank(stranger);
        till.payOwed(address(shares), _token);
        _assertOwed(300);
        vm.expectRevert(abi.encodeWithSelector(ITill.CapReached.selector, address(shares), _token, midnight + 1 days));
        till.payOwed(address(shares), _token);

        skip(1 days);
        till.payOwed(address(shares), _token);
        _assertOwed(0);
        _claimAndSplit(_config, 1_500, _splits(address(shares), 200));
        assertEq(dollar.balanceOf(address(shares)), 1_500, "the rest of the day's cap is free");
    }

    function test_what_was_claimed_elsewhere_counts_against_the_cap_of_who_gets_it() public {
        _strangerClaims(_token, 900);
        _claimAndSplit(_config, 100, _splits(address(shares), 100));
        assertEq(dollar.balanceOf(treasury), 500, "the remainder's payee");
        assertEq(till.owed(treasury, _token), 400, "owed");
        assertEq(dollar.balanceOf(address(shares)), 100, "the batch's own");
    }

    function test_a_payees_own_cap_goes_before_that_of_all() public {
        _cap(address(shares), 700);
        assertEq(till.dailyCap(address(shares), _token), 700, "own");
        assertEq(till.dailyCap(treasury, _token), 500, "all");
        _claimAndSplit(_config, 800, _splits(address(shares), 800));
        _assertOwed(100);
        _cap(address(shares), 0);
        assertEq(till.dailyCap(address(shares), _token), 500, "all again");
    }

    function test_a_cap_holds_at_once_and_is_counted_from_the_next_payment_on() public {
        _cap(address(0), 0);
        assertEq(till.dailyCap(address(shares), _token), 0, "none");
        assertEq(till.roomToday(address(shares), _token), type(uint256).max, "no limit");
        _claimAndSplit(_config, 5_000, _splits(address(shares), 5_000));
        assertEq(dollar.balanceOf(address(shares)), 5_000, "all of it");
        _cap(address(shares), 10);
        _claimAndSplit(_config, 5_100, _splits(address(shares), 100));
        _assertOwed(90);
        _cap(address(shares), 50);
        till.payOwed(address(shares), _token);
        _assertOwed(50);
        _cap(address(shares), 20);
        assertEq(till.roomToday(address(shares), _token), 0, "had more than the new cap");
    }

    /// @dev Days begin at midnight UTC, not at the first payment.
    function test_limit_two_caps_are_paid_one_second_apart_around_midnight() public {
        vm.warp((time() / 1 days + 1) * 1 days - 1);
        _claimAndSplit(_config, 1_000, _splits(address(shares), 1_000));
        assertEq(dollar.balanceOf(address(shares)), 500, "a second before midnight");
        skip(1);
        till.payOwed(address(shares), _token);
        assertEq(dollar.balanceOf(address(shares)), 1_000, "at midnight");
        _claimAndSplit(_config, 2_000, _splits(address(shares), 1_000));
        skip(1 days - 1);
        assertEq(till.roomToday(address(shares), _token), 0, "no more for the rest of the day");
        assertEq(dollar.balanceOf(address(shares)), 1_000, "two caps in all");
    }

    /// @dev Payments to a payee without a cap are not counted: that would cost each of them a write.
    function test_limit_what_was_paid_before_a_cap_was_set_does_not_count_that_day() public {
        _cap(address(0), 0);
        _claimAndSplit(_config, 700, _splits(address(shares), 700));
        _cap(address(shares), 500);
        assertEq(till.roomToday(address(shares), _token), 500, "a whole cap");
        _claimAndSplit(_config, 1_400, _splits(address(shares), 700));
        assertEq(dollar.balanceOf(address(shares)), 700 + 500, "in addition to what it had");
        _assertOwed(200);
    }

    function test_caps_are_each_tokens_own() public {
        BlacklistToken other = new BlacklistToken();
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(other), 1_000);
        _claimAndSplit(config, 1_000, _splits(address(shares), 1_000));
        assertEq(other.balanceOf(address(shares)), 1_000, "no cap in this token");
    }

    function test_what_the_token_refuses_uses_no_room() public {
        BlacklistToken other = new BlacklistToken();
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(other), 1_000);
        vm.prank(owner);
        till.setDailyCap(address(shares), address(other), 300);
        other.blacklist(address(shares), true);
        vm.expectEmit(address(till));
        emit ITill.Deferred(address(shares), address(other), 800, 800, 800);
        _claimAndSplit(config, 800, _splits(address(shares), 800));
        other.blacklist(address(shares), false);
        till.payOwed(address(shares), address(other));
        assertEq(other.balanceOf(address(shares)), 300, "today's cap");
    }

    /// @dev In no day does a payee get more than its cap, and in the end it has all that was split to it.
    function test_no_day_pays_more_than_the_cap(uint96 cap, uint64[8] memory amounts) public {
        cap = uint96(bound(cap, 1, type(uint64).max));
        _cap(address(0), cap);
        uint128 total;
        for (uint256 i; i < amounts.length; ++i) {
            uint128 amount = uint128(bound(amounts[i], 1, type(uint64).max));
            IBatchSettlement.ChannelConfig memory config = _tillChannel(_token, amount);
            (, uint128 claimed) = settlement.channels(_channelId(config));
            uint256 before = dollar.balanceOf(address(shares));
            _claimAndSplit(config, claimed + amount, _splits(address(shares), amount));
            total += amount;
            if (till.owed(address(shares), _token) != 0 && till.roomToday(address(shares), _token) != 0) {
                till.payOwed(address(shares), _token);
            }
            assertLe(dollar.balanceOf(address(shares)) - before, cap, "one day");
            skip(1 days);
        }
        assertEq(dollar.balanceOf(address(shares)) + till.owed(address(shares), _token), total, "paid or owed");
    }

    function test_reverts_whenCallerIsNotTheOwner() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, claimKey));
        vm.prank(claimKey);
        till.setDailyCap(address(shares), _token, 1_000);
    }

    function _cap(address payTo, uint96 cap) private {
        vm.expectEmit(address(till));
        emit ITill.DailyCapSet(payTo, _token, cap);
        vm.prank(owner);
        till.setDailyCap(payTo, _token, cap);
    }

    function _assertOwed(uint256 amount) private view {
        assertEq(till.owed(address(shares), _token), amount, "owed");
        assertEq(till.totalOwed(_token), amount, "total owed");
    }
}
