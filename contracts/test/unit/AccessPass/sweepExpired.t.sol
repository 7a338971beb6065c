// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessPass} from "../../../src/interfaces/IAccessPass.sol";
import {PassId} from "../../../src/types/PassId.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

contract SweepExpiredTest is AssetsBase {
    uint40 private _expiry;
    PassId private _id;

    function setUp() public override {
        super.setUp();
        _expiry = uint40(time() + 40 days);
        _id = _plan(_expiry, 900_000, 1_000_000);
        _buyAndActivate(bob, _id, 1);
        _buy(carol, _id, 1);
        vm.prank(meter);
        pass.burn(bob, _id, 100_000);
    }

    function test_sends_what_is_left_to_the_shares() public {
        vm.warp(_expiry);
        vm.expectEmit(address(pass));
        emit IAccessPass.Earned(id, _id, 1_710_000, 0);
        assertEq(pass.sweepExpired(_id), 1_710_000, "all that is left");
        assertEq(shares.revenue(address(money)).gross, 1_800_000, "income");
        assertEq(pass.plan(_id).outstanding, 0, "nothing out");
        assertEq(pass.sweepExpired(_id), 0, "nothing twice");
    }

    function test_reverts_whenPlanIsNotExpired() public {
        vm.warp(_expiry - 1);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.PlanNotExpired.selector, _id, _expiry));
        pass.sweepExpired(_id);
    }

    function test_reverts_whenPlanNeverExpires() public {
        PassId plan = _plan();
        skip(10_000 days);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.PlanNotExpired.selector, plan, uint40(0)));
        pass.sweepExpired(plan);
    }

    function test_reverts_whenPlanIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.UnknownPlan.selector, PassId.wrap(1)));
        pass.sweepExpired(PassId.wrap(1));
    }
}
