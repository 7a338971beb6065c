// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessPass} from "../../../src/interfaces/IAccessPass.sol";
import {PassId} from "../../../src/types/PassId.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

contract StandingTest is AssetsBase {
    function test_tells_what_is_left_what_was_burned_and_when_it_closes() public {
        PassId plan = _plan();
        _buyAndActivate(bob, plan, 1);
        vm.prank(meter);
        pass.burn(bob, plan, 100);
        _check(plan, 999_900, 100, time() + 30 days);
    }

    function test_closes_at_retirement() public {
        PassId plan = _plan();
        _buyAndActivate(bob, plan, 1);
        vm.prank(alice);
        registry.retire(id);
        _check(plan, 1_000_000, 0, time() + 7 days);
    }

    function test_closes_when_the_meter_may_be_silent_before_the_plan_expires() public {
        PassId plan = _plan(uint40(time() + 31 days), 900_000, 1_000_000);
        _buyAndActivate(bob, plan, 1);
        _check(plan, 1_000_000, 0, time() + 30 days);
        skip(1 days);
        vm.prank(meter);
        pass.anchor(id);
        _check(plan, 1_000_000, 0, 0);
    }

    function test_nothing_is_left_of_an_expired_plan() public {
        uint40 expiry = uint40(time() + 31 days);
        PassId plan = _plan(expiry, 900_000, 1_000_000);
        _buyAndActivate(bob, plan, 1);
        skip(2 days);
        vm.prank(meter);
        pass.burn(bob, plan, 100);
        _check(plan, 999_900, 100, 0);
        skip(29 days);
        _check(plan, 0, 100, 0);
    }

    function test_reverts_whenPlanIsUnknown() public {
        PassId plan = PassId.wrap(1);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.UnknownPlan.selector, plan));
        pass.standing(plan, bob, meter);
    }

    function _check(PassId plan, uint256 left, uint256 burned, uint256 closesAt) private view {
        (uint256 left_, uint256 burned_, uint256 closesAt_) = pass.standing(plan, bob, meter);
        assertEq(left_, left, "left");
        assertEq(burned_, burned, "burned");
        assertEq(closesAt_, closesAt, "closes at");
    }
}
