// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IAccessPass} from "../../../src/interfaces/IAccessPass.sol";
import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {PassId} from "../../../src/types/PassId.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

contract ActivateTest is AssetsBase {
    PassId private _id;

    function setUp() public override {
        super.setUp();
        _id = _plan();
        _buy(bob, _id, 1);
    }

    function test_takes_credits_out_of_circulation() public {
        vm.expectEmit(address(pass));
        emit IAccessPass.Activated(id, _id, bob, meter, 300_000, 300_000);
        _activate(300_000, meter);
        assertEq(pass.balanceOf(bob, PassId.unwrap(_id)), 700_000, "circulating");
        assertEq(pass.activated(_id, bob, meter), 300_000, "activated");
        assertEq(pass.plan(_id).outstanding, 1_000_000, "not used yet");
        _activate(700_000, meter);
        assertEq(pass.activated(_id, bob, meter), 1_000_000, "adds up");
    }

    function test_credits_stay_with_their_meter_when_it_changes() public {
        _activate(300_000, meter);
        vm.prank(alice);
        registry.setMeter(id, carol);
        _activate(200_000, carol);
        assertEq(pass.activated(_id, bob, meter), 300_000, "old meter");
        assertEq(pass.activated(_id, bob, carol), 200_000, "new meter");
        vm.prank(meter);
        pass.burn(bob, _id, 300_000);
    }

    function test_reverts_whenMeterIsNotTheAssets() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.NotMeter.selector, id, bob, meter));
        _activate(1, bob);
        vm.prank(alice);
        registry.setMeter(id, address(0));
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.NotMeter.selector, id, address(0), address(0)));
        _activate(1, address(0));
    }

    function test_reverts_whenThereAreTooFewCredits() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC1155Errors.ERC1155InsufficientBalance.selector,
                bob,
                uint256(1_000_000),
                uint256(1_000_001),
                PassId.unwrap(_id)
            )
        );
        _activate(1_000_001, meter);
    }

    function test_reverts_whenPaused() public {
        vm.prank(guardian);
        registry.pause(1 days);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.IsPaused.selector, uint40(time() + 1 days)));
        _activate(1, meter);
    }

    function test_reverts_whenPlanIsExpired() public {
        uint40 expiry = uint40(time() + 40 days);
        _id = _plan(expiry, 900_000, 1_000_000);
        _buy(bob, _id, 1);
        skip(40 days);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.PlanExpired.selector, _id, expiry));
        _activate(1, meter);
    }

    function _activate(uint256 amount, address meter_) private {
        vm.prank(bob);
        pass.activate(_id, amount, meter_);
    }
}
