// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IAccessPass} from "../../../src/interfaces/IAccessPass.sol";
import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {PassId} from "../../../src/types/PassId.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";
import {FeeToken} from "../../mocks/FeeToken.sol";
import {ReenteringBuyer} from "../../mocks/ReenteringBuyer.sol";

contract BuyTest is AssetsBase {
    PassId private _id;

    function setUp() public override {
        super.setUp();
        _id = _plan();
        money.mint(bob, 10_000_000);
        vm.prank(bob);
        money.approve(address(pass), type(uint256).max);
    }

    function test_escrows_the_price_and_mints_the_credits() public {
        vm.expectEmit(address(pass));
        emit IAccessPass.Bought(id, _id, bob, carol, 2_000_000, 1_800_000, 1_800_000);
        vm.prank(bob);
        pass.buy(_id, 2, carol);
        assertEq(pass.balanceOf(carol, PassId.unwrap(_id)), 2_000_000, "credits");
        assertEq(pass.plan(_id).outstanding, 2_000_000, "outstanding");
        assertEq(pass.plan(_id).escrow, 1_800_000, "escrow");
        assertEq(money.balanceOf(address(pass)), 1_800_000, "money");
        assertEq(money.balanceOf(address(shares)), 0, "none of it is income yet");
    }

    function test_credits_are_ordinary_tokens_until_activated() public {
        _buy(1);
        vm.prank(bob);
        pass.safeTransferFrom(bob, carol, PassId.unwrap(_id), 400_000, "");
        vm.prank(carol);
        pass.activate(_id, 400_000, meter);
        assertEq(pass.activated(_id, carol, meter), 400_000, "used by another");
    }

    function test_donations_change_nothing() public {
        money.mint(address(pass), 77);
        _buy(1);
        assertEq(pass.plan(_id).escrow, 900_000, "escrow is what was paid");
    }

    function test_a_buyer_cannot_reenter() public {
        ReenteringBuyer buyer = new ReenteringBuyer();
        buyer.aim(address(pass), abi.encodeCall(pass.activate, (_id, 1, meter)));
        vm.prank(bob);
        pass.buy(_id, 1, address(buyer));
        assertTrue(!buyer.succeeded(), "refused");
        assertEq(
            bytes32(buyer.answer()),
            bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
            "by the lock"
        );
    }

    function test_reverts_whenTokenHasCometoTakeAFee() public {
        FeeToken token = new FeeToken();
        _list(address(token));
        vm.prank(alice);
        PassId plan = pass.createPlan(id, address(token), 0, 1_000, 1_000);
        token.mint(bob, 2_000);
        vm.startPrank(bob);
        token.approve(address(pass), 2_000);
        pass.buy(plan, 1, bob);
        token.setCharging(true);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessPass.WrongAmountReceived.selector, address(token), uint256(990), uint256(1_000)
            )
        );
        pass.buy(plan, 1, bob);
        vm.stopPrank();
    }

    function test_reverts_whenPaused() public {
        vm.prank(guardian);
        registry.pause(1 days);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.IsPaused.selector, uint40(time() + 1 days)));
        _buy(1);
    }

    function test_reverts_whenAssetIsRetired() public {
        vm.prank(alice);
        registry.retire(id);
        _buy(1); // still in service
        skip(7 days);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.NotSelling.selector, _id));
        _buy(1);
    }

    function test_reverts_whenPlanIsExpired() public {
        uint40 expiry = uint40(time() + 40 days);
        PassId plan = _plan(expiry, 10, 10);
        skip(40 days);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.PlanExpired.selector, plan, expiry));
        vm.prank(bob);
        pass.buy(plan, 1, bob);
    }

    function test_reverts_whenPlanIsUnknown() public {
        PassId unknown = PassId.wrap(1);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.UnknownPlan.selector, unknown));
        vm.prank(bob);
        pass.buy(unknown, 1, bob);
    }

    function test_reverts_whenReceiverIsNone() public {
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(0)));
        vm.prank(bob);
        pass.buy(_id, 1, address(0));
    }

    function test_reverts_whenNumbersDoNotFit() public {
        PassId plan = _plan(0, type(uint128).max, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                SafeCast.SafeCastOverflowedUintDowncast.selector, uint8(128), uint256(type(uint128).max) * 2
            )
        );
        vm.prank(bob);
        pass.buy(plan, 2, bob);
    }

    function _buy(uint128 packages) private {
        vm.prank(bob);
        pass.buy(_id, packages, bob);
    }
}
