// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IAccessPass} from "../../../src/interfaces/IAccessPass.sol";
import {PassId} from "../../../src/types/PassId.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";
import {BlacklistToken} from "../../mocks/BlacklistToken.sol";

contract RefundTest is AssetsBase {
    PassId private _id;

    function setUp() public override {
        super.setUp();
        _id = _plan();
        _buy(bob, _id, 1);
    }

    function test_circulating_credits_at_retirement() public {
        vm.prank(alice);
        registry.retire(id);
        skip(7 days);
        vm.expectEmit(address(pass));
        emit IAccessPass.Refunded(id, _id, bob, bob, 400_000, 360_000, 540_000);
        assertEq(_refund(400_000), 360_000, "purchase price");
        assertEq(money.balanceOf(bob), 360_000, "received");
        assertEq(pass.balanceOf(bob, PassId.unwrap(_id)), 600_000, "credits left");
    }

    function test_activated_credits_after_thirty_days_of_silence() public {
        vm.prank(bob);
        pass.activate(_id, 500_000, meter);
        skip(30 days);
        vm.prank(bob);
        assertEq(pass.refundActivated(_id, meter, 500_000, carol), 450_000, "purchase price");
        assertEq(money.balanceOf(carol), 450_000, "to whom the holder named");
        assertEq(pass.activated(_id, bob, meter), 0, "none left");
    }

    function test_silence_counts_from_the_last_sign() public {
        vm.prank(bob);
        pass.activate(_id, 500_000, meter);
        skip(29 days);
        vm.expectEmit(address(pass));
        emit IAccessPass.Anchored(id, meter);
        vm.prank(meter);
        pass.anchor(id);
        uint256 refundableAt = time() + 30 days;
        assertEq(pass.refundableAt(_id, meter), refundableAt, "foretold");
        vm.warp(refundableAt - 1);
        _refusedUntil(refundableAt);
        vm.warp(refundableAt);
        _refund(500_000);
    }

    function test_a_burn_is_a_sign() public {
        vm.prank(bob);
        pass.activate(_id, 500_000, meter);
        skip(29 days);
        vm.prank(meter);
        pass.burn(bob, _id, 1);
        skip(29 days);
        _refusedUntil(time() + 1 days);
    }

    function test_a_strangers_anchor_is_no_sign_of_the_meter() public {
        skip(30 days - 1);
        vm.prank(alice);
        pass.anchor(id);
        skip(1);
        _refund(1_000_000);
    }

    /// @dev A meter named in place of another starts its own clock, and leaves the other's running.
    function test_a_change_of_meter_ends_no_clock_and_stops_none() public {
        vm.prank(bob);
        pass.activate(_id, 500_000, meter);
        skip(10 days);
        vm.prank(alice);
        registry.setMeter(id, carol);
        assertEq(pass.refundableAt(_id, meter), time() + 20 days, "activated credits: the old meter's clock");
        assertEq(pass.refundableAt(_id, carol), time() + 30 days, "the new meter's");
        skip(20 days);
        vm.prank(bob);
        assertEq(pass.refundActivated(_id, meter, 500_000, bob), 450_000, "the old meter fell silent");
    }

    /// @dev No holder has credits that they cannot activate: without a meter they are refunded at once ...
    function test_circulating_credits_while_the_asset_has_no_meter() public {
        vm.prank(alice);
        registry.setMeter(id, address(0));
        assertEq(pass.circulatingRefundableAt(_id), 0, "now");
        assertEq(_refund(1_000_000), 900_000, "purchase price");
    }

    /// @dev ... and once another is named, for good: a title holder who names another meter ahead of each `activate`, and
    ///      the first one again ahead of each `refund`, keeps no money.
    function test_circulating_credits_for_good_once_a_meter_was_named_after_the_plan_was_made() public {
        skip(1);
        vm.startPrank(alice);
        registry.setMeter(id, carol);
        registry.setMeter(id, meter);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.NotMeter.selector, id, carol, meter));
        vm.prank(bob);
        pass.activate(_id, 1_000_000, carol);
        assertEq(pass.circulatingRefundableAt(_id), 0, "now");
        assertEq(_refund(1_000_000), 900_000, "purchase price");
    }

    function test_a_plan_made_after_the_naming_knows_its_meter() public {
        skip(1);
        vm.prank(alice);
        registry.setMeter(id, carol);
        _id = _plan(0, 800_000, 1_000_000);
        _buy(bob, _id, 1);
        assertEq(pass.circulatingRefundableAt(_id), time() + 30 days, "the new meter's clock");
        _refusedUntil(time() + 30 days);
    }

    function test_naming_the_same_meter_again_opens_nothing_and_resets_no_clock() public {
        skip(29 days);
        vm.prank(alice);
        registry.setMeter(id, meter);
        _refusedUntil(time() + 1 days);
        skip(1 days);
        _refund(1_000_000);
    }

    function test_circulating_credits_while_their_activation_is_paused() public {
        vm.prank(guardian);
        registry.pause(1 days);
        assertEq(pass.circulatingRefundableAt(_id), 0, "now");
        assertEq(_refund(600_000), 540_000, "purchase price");
        skip(1 days);
        _refusedUntil(time() + 29 days);
    }

    function test_activated_credits_stay_closed_while_paused_and_without_a_meter() public {
        vm.prank(bob);
        pass.activate(_id, 500_000, meter);
        vm.prank(guardian);
        registry.pause(1 days);
        vm.prank(alice);
        registry.setMeter(id, address(0));
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.NotRefundable.selector, _id, time() + 30 days));
        vm.prank(bob);
        pass.refundActivated(_id, meter, 1, bob);
    }

    function test_a_blacklisted_holder_names_another_receiver() public {
        BlacklistToken token = new BlacklistToken();
        _list(address(token));
        vm.prank(alice);
        PassId plan = pass.createPlan(id, address(token), 0, 100, 100);
        token.mint(bob, 100);
        vm.startPrank(bob);
        token.approve(address(pass), 100);
        pass.buy(plan, 1, bob);
        vm.stopPrank();
        token.blacklist(bob, true);
        skip(30 days);
        vm.expectRevert(abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, bob));
        vm.prank(bob);
        pass.refund(plan, 100, bob);
        vm.prank(bob);
        assertEq(pass.refund(plan, 100, carol), 100, "redirected");
    }

    function test_goes_on_while_paused() public {
        skip(30 days);
        vm.prank(guardian);
        registry.pause(14 days);
        _refund(1_000_000);
    }

    /// @dev Refunds round down one by one, so escrow covers the rest in any order of burns and refunds.
    function test_escrow_covers_what_is_out_in_any_order(uint128 price, uint128 credits, uint64[16] memory steps)
        public
    {
        price = uint128(bound(price, 1, 1e24));
        credits = uint128(bound(credits, 1, 1e24));
        PassId plan = _plan(0, price, credits);
        _buyAndActivate(carol, plan, 2);
        vm.prank(alice);
        registry.retire(id);
        skip(7 days);
        for (uint256 i; i < steps.length; ++i) {
            uint256 amount = bound(steps[i] >> 1, 0, pass.activated(plan, carol, meter) / 3);
            if (steps[i] % 2 == 0) {
                vm.prank(meter);
                pass.burn(carol, plan, amount);
            } else {
                vm.prank(carol);
                assertEq(pass.refundActivated(plan, meter, amount, carol), amount * price / credits, "refund");
            }
            IAccessPass.Plan memory state = pass.plan(plan);
            assertLe(uint256(state.outstanding) * price, uint256(state.escrow) * credits, "covered");
        }
        uint256 rest = pass.activated(plan, carol, meter);
        vm.prank(meter);
        pass.burn(carol, plan, rest);
        assertEq(pass.plan(plan).escrow, 0, "the last burn takes what rounding left");
    }

    function test_reverts_whenServiceIsAlive() public {
        _refusedUntil(time() + 30 days);
        vm.prank(alice);
        registry.retire(id);
        _refusedUntil(time() + 7 days);
        skip(7 days - 1);
        _refusedUntil(time() + 1);
        vm.prank(alice);
        registry.cancelRetirement(id);
        _refusedUntil(time() + 23 days + 1);
    }

    function test_reverts_whenPlanIsExpired() public {
        uint40 expiry = uint40(time() + 31 days);
        PassId plan = _plan(expiry, 100, 100);
        _buyAndActivate(bob, plan, 1);
        skip(31 days);
        bytes memory reason = abi.encodeWithSelector(IAccessPass.PlanExpired.selector, plan, expiry);
        vm.expectRevert(reason);
        vm.prank(bob);
        pass.refund(plan, 1, bob);
        vm.expectRevert(reason);
        vm.prank(bob);
        pass.refundActivated(plan, meter, 1, bob);
    }

    function test_reverts_whenHolderHasFewer() public {
        skip(30 days);
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC1155Errors.ERC1155InsufficientBalance.selector,
                bob,
                uint256(1_000_000),
                uint256(1_000_001),
                PassId.unwrap(_id)
            )
        );
        _refund(1_000_001);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessPass.NotActivated.selector, _id, bob, meter, uint256(1), uint256(0))
        );
        vm.prank(bob);
        pass.refundActivated(_id, meter, 1, bob);
    }

    function _refund(uint256 amount) private returns (uint256) {
        vm.prank(bob);
        return pass.refund(_id, amount, bob);
    }

    function _refusedUntil(uint256 refundableAt) private {
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.NotRefundable.selector, _id, refundableAt));
        _refund(1);
    }
}
