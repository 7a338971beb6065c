// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessPass} from "../../src/interfaces/IAccessPass.sol";
import {IAssetRegistry} from "../../src/interfaces/IAssetRegistry.sol";
import {PassId} from "../../src/types/PassId.sol";
import {AssetsBase} from "../AssetsBase.t.sol";

/// @notice What a buyer of passes is safe from: a guardian, a title holder and a meter who want the price without service.
contract PassBuyersTest is AssetsBase {
    uint256 private constant PRICE = 900e6;
    uint128 private constant CREDITS = 1_000e6;

    function test_a_guardians_pause_over_a_plans_last_days_voids_no_credits() public {
        uint40 expiry = uint40(time() + 365 days);
        PassId plan = _plan(expiry, uint128(PRICE), CREDITS);
        _buy(bob, plan, 1);
        for (uint256 month; month < 12; ++month) {
            skip(29 days);
            vm.prank(meter);
            pass.anchor(id); // the service is alive all the time
        }
        vm.warp(expiry - 14 days);
        vm.prank(guardian);
        registry.pause(14 days);

        vm.warp(expiry - 1);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.IsPaused.selector, expiry));
        vm.prank(bob);
        pass.activate(plan, CREDITS, meter);
        vm.prank(bob);
        assertEq(pass.refund(plan, CREDITS, bob), PRICE, "all that bob paid");
    }

    function test_a_title_holder_cannot_sell_a_plan_that_is_void_before_refunds_open() public {
        uint40 expiry = uint40(time() + 29 days);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.ExpiryTooSoon.selector, expiry, time() + 31 days));
        vm.prank(alice);
        pass.createPlan(id, address(money), expiry, uint128(PRICE), CREDITS);
    }

    function test_a_title_holder_who_takes_the_meter_away_keeps_no_price() public {
        PassId plan = _plan(uint40(time() + 31 days), uint128(PRICE), CREDITS);
        _buy(bob, plan, 1);
        vm.prank(alice);
        registry.setMeter(id, address(0));
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.NotMeter.selector, id, meter, address(0)));
        vm.prank(bob);
        pass.activate(plan, CREDITS, meter);
        vm.prank(bob);
        assertEq(pass.refund(plan, CREDITS, bob), PRICE, "all that bob paid");
    }

    /// @dev The limit: from a plan's expiry on, credits neither activated nor given back are void.
    function test_unused_credits_of_a_live_service_are_void_at_expiry() public {
        uint40 expiry = uint40(time() + 31 days);
        PassId plan = _plan(expiry, uint128(PRICE), CREDITS);
        _buy(bob, plan, 1);
        skip(20 days);
        vm.prank(meter);
        pass.anchor(id);
        vm.warp(expiry);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.PlanExpired.selector, plan, expiry));
        vm.prank(bob);
        pass.refund(plan, CREDITS, bob);
        assertEq(pass.sweepExpired(plan), PRICE, "to the holders of shares");
    }

    function test_a_dead_meter_that_is_named_again_stays_dead_for_activated_credits() public {
        PassId plan = _plan(0, uint128(PRICE), CREDITS);
        _buyAndActivate(bob, plan, 1);
        skip(29 days);
        vm.startPrank(alice);
        registry.setMeter(id, carol);
        registry.setMeter(id, meter);
        vm.stopPrank();
        skip(1 days);
        vm.prank(bob);
        assertEq(pass.refundActivated(plan, meter, CREDITS, bob), PRICE, "thirty days of silence");
    }

    function test_naming_a_meter_again_forges_no_sign_that_a_replacement_could_take_back() public {
        PassId plan = _plan(0, uint128(PRICE), CREDITS);
        _buyAndActivate(bob, plan, 1);
        uint256 closes = time() + 30 days;
        skip(14 days);
        vm.startPrank(alice);
        registry.setMeter(id, carol);
        registry.setMeter(id, meter);
        vm.stopPrank();
        _assertCloses(plan, closes); // so the gateway's heartbeat is due, and is sent
        vm.prank(meter);
        pass.anchor(id);
        closes = time() + 30 days;
        _assertCloses(plan, closes);

        vm.prank(alice);
        registry.setMeter(id, carol);
        _assertCloses(plan, closes);
        skip(17 days);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.NotRefundable.selector, plan, closes));
        vm.prank(bob);
        pass.refundActivated(plan, meter, CREDITS, bob);
        vm.prank(meter);
        pass.burn(bob, plan, 400e6); // what bob used
    }

    /// @dev The limit: money sent otherwise than by `buy` belongs to no plan, and nothing moves it.
    function test_money_sent_to_the_pass_contract_is_stuck() public {
        PassId plan = _plan(uint40(time() + 31 days), uint128(PRICE), CREDITS);
        _buy(bob, plan, 1);
        money.mint(address(pass), 5);
        skip(31 days);
        pass.sweepExpired(plan);
        assertEq(money.balanceOf(address(pass)), 5, "nothing moves it");
    }

    function _assertCloses(PassId plan, uint256 closes) private view {
        (,, uint256 closesAt) = pass.standing(plan, bob, meter);
        assertEq(closesAt, closes, "closes at");
    }
}
