// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessPass} from "../../../src/interfaces/IAccessPass.sol";
import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {AssetId} from "../../../src/types/AssetId.sol";
import {PassId} from "../../../src/types/PassId.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

contract CreatePlanTest is AssetsBase {
    function test_the_id_is_made_of_asset_and_terms(uint128 price, uint128 credits, uint40 expiry) public {
        price = uint128(bound(price, 1, type(uint128).max));
        credits = uint128(bound(credits, 1, type(uint128).max));
        expiry = uint40(bound(expiry, time() + 31 days, type(uint40).max));
        uint128 planId = uint128(uint256(keccak256(abi.encode(address(money), expiry, price, credits))));
        PassId expected = PassId.wrap(_title() << 128 | planId);
        vm.expectEmit(address(pass));
        emit IAccessPass.PlanCreated(id, expected, address(money), expiry, price, credits);
        PassId made = _plan(expiry, price, credits);
        assertEq(PassId.unwrap(made), PassId.unwrap(expected), "id");

        IAccessPass.Plan memory plan = pass.plan(made);
        assertEq(plan.token, address(money), "token");
        assertEq(plan.price, price, "price");
        assertEq(plan.credits, credits, "credits");
        assertEq(plan.expiry, expiry, "expiry");
        assertTrue(plan.selling, "on sale");
        assertEq(plan.meterSince, time(), "since when the meter is the asset's");
        assertEq(plan.outstanding + plan.escrow, 0, "nothing sold");
    }

    function test_reverts_whenCallerIsNotTheTitleHolder() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.NotTitleHolder.selector, id, bob));
        vm.prank(bob);
        pass.createPlan(id, address(money), 0, 1, 1);
    }

    function test_reverts_whenAssetIsUnknown() public {
        AssetId unknown = AssetId.wrap(7);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.UnknownAsset.selector, unknown));
        vm.prank(alice);
        pass.createPlan(unknown, address(money), 0, 1, 1);
    }

    function test_reverts_whenTermsExist() public {
        PassId plan = _plan();
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.PlanExists.selector, plan));
        _plan();
    }

    function test_reverts_whenTokenIsNotListed() public {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.NotRevenueToken.selector, bob));
        vm.prank(alice);
        pass.createPlan(id, bob, 0, 1, 1);
    }

    function test_reverts_whenTermsMakeNoSense() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.InvalidPlan.selector, uint128(0), uint128(1)));
        _plan(0, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.InvalidPlan.selector, uint128(1), uint128(0)));
        _plan(0, 1, 0);
    }

    /// @dev Silence for 30 days must be able to open refunds before the credits are void; the notice period comes on top.
    function test_reverts_whenCreditsWouldBeVoidBeforeSilenceCouldOpenRefunds() public {
        uint256 earliest = time() + 30 days + 1 days;
        uint40 expiry = uint40(earliest - 1);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.ExpiryTooSoon.selector, expiry, earliest));
        _plan(expiry, 1, 1);
        _plan(uint40(earliest), 1, 1);
    }
}
