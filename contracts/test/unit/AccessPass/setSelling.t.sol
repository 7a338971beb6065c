// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessPass} from "../../../src/interfaces/IAccessPass.sol";
import {PassId} from "../../../src/types/PassId.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

contract SetSellingTest is AssetsBase {
    function test_stops_and_resumes_the_sale_but_not_the_use() public {
        PassId plan = _plan();
        _buy(bob, plan, 1);
        vm.expectEmit(address(pass));
        emit IAccessPass.SellingSet(id, plan, false);
        _set(alice, plan, false);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.NotSelling.selector, plan));
        vm.prank(carol);
        pass.buy(plan, 1, carol);
        vm.prank(bob);
        pass.activate(plan, 10, meter);
        _set(alice, plan, true);
        _buy(carol, plan, 1);
    }

    function test_reverts_whenCallerIsNotTheTitleHolder() public {
        PassId plan = _plan();
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.NotTitleHolder.selector, id, bob));
        _set(bob, plan, false);
    }

    function test_reverts_whenPlanIsUnknown() public {
        PassId unknown = PassId.wrap(_title() << 128 | 1);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.UnknownPlan.selector, unknown));
        _set(alice, unknown, false);
    }

    function _set(address caller, PassId plan, bool selling) private {
        vm.prank(caller);
        pass.setSelling(plan, selling);
    }
}
