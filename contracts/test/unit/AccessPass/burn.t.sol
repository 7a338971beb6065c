// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessPass} from "../../../src/interfaces/IAccessPass.sol";
import {IShares} from "../../../src/interfaces/IShares.sol";
import {PassId} from "../../../src/types/PassId.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";
import {BlacklistToken} from "../../mocks/BlacklistToken.sol";

contract BurnTest is AssetsBase {
    function test_releases_the_purchase_price_to_the_shares() public {
        PassId plan = _plan();
        _buyAndActivate(bob, plan, 1);
        vm.expectEmit(address(pass));
        emit IAccessPass.Burned(id, plan, bob, meter, 100_000, 900_000);
        vm.expectEmit(address(pass));
        emit IAccessPass.Earned(id, plan, 90_000, 810_000);
        assertEq(_burn(bob, plan, 100_000), 90_000, "earned");
        assertEq(shares.revenue(address(money)).gross, 90_000, "accrued at once");
        assertEq(shares.revenue(address(money)).feeCredited, 2_250, "with the protocol fee, once");
        assertEq(pass.activated(plan, bob, meter), 900_000, "left");
        assertEq(pass.lastSign(id, meter), time(), "a sign of life");
    }

    /// @dev However uses are cut, what is released follows the total, and what remains covers what is out.
    function test_does_not_drift(uint128 price, uint128 credits, uint64[12] memory uses) public {
        price = uint128(bound(price, 1, 1e30));
        credits = uint128(bound(credits, 1, 1e30));
        PassId plan = _plan(0, price, credits);
        _buyAndActivate(bob, plan, 3);
        uint256 sold = uint256(credits) * 3;
        uint256 used;
        uint256 earned;
        for (uint256 i; i < uses.length; ++i) {
            uint256 amount = i == uses.length - 1 ? sold - used : bound(uses[i], 0, (sold - used) / 2);
            used += amount;
            earned += _burn(bob, plan, amount);
            assertEq(earned, used * price / credits, "cumulative, rounded down");
            IAccessPass.Plan memory state = pass.plan(plan);
            assertEq(state.outstanding, sold - used, "outstanding");
            assertLe((sold - used) * price, uint256(state.escrow) * credits, "escrow covers it");
        }
        assertEq(earned, uint256(price) * 3, "all in the end");
        assertEq(money.balanceOf(address(pass)), 0, "nothing left behind");
    }

    function test_reverts_whenMeterWantsMoreThanActivated() public {
        PassId plan = _plan();
        _buyAndActivate(bob, plan, 1);
        bytes4 error_ = IAccessPass.NotActivated.selector;
        vm.expectRevert(abi.encodeWithSelector(error_, plan, bob, meter, uint256(1_000_001), uint256(1_000_000)));
        _burn(bob, plan, 1_000_001);
    }

    function test_reverts_whenCallerIsAnotherMeter() public {
        PassId plan = _plan();
        _buyAndActivate(bob, plan, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessPass.NotActivated.selector, plan, bob, carol, uint256(1), uint256(0))
        );
        vm.prank(carol);
        pass.burn(bob, plan, 1);
    }

    function test_reverts_whenCreditsOnlyCirculate() public {
        PassId plan = _plan();
        _buy(bob, plan, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessPass.NotActivated.selector, plan, bob, meter, uint256(1), uint256(0))
        );
        _burn(bob, plan, 1);
    }

    function test_reverts_whenPlanIsExpired() public {
        uint40 expiry = uint40(time() + 40 days);
        PassId plan = _plan(expiry, 900_000, 1_000_000);
        _buyAndActivate(bob, plan, 1);
        skip(40 days);
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.PlanExpired.selector, plan, expiry));
        _burn(bob, plan, 1);
    }

    function test_goes_on_while_paused_and_after_retirement() public {
        PassId plan = _plan();
        _buyAndActivate(bob, plan, 1);
        vm.prank(guardian);
        registry.pause(14 days);
        vm.prank(alice);
        registry.retire(id);
        skip(7 days);
        assertEq(_burn(bob, plan, 100_000), 90_000, "earned");
    }

    function test_a_blacklisted_shares_contract_stops_burns_but_no_refund() public {
        BlacklistToken token = new BlacklistToken();
        _list(address(token));
        vm.prank(alice);
        PassId plan = pass.createPlan(id, address(token), 0, 900_000, 1_000_000);
        token.mint(bob, 900_000);
        vm.startPrank(bob);
        token.approve(address(pass), 900_000);
        pass.buy(plan, 1, bob);
        pass.activate(plan, 1_000_000, meter);
        vm.stopPrank();
        token.blacklist(address(shares), true);
        vm.expectRevert(abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, address(shares)));
        _burn(bob, plan, 10);
        skip(30 days);
        vm.prank(bob);
        assertEq(pass.refundActivated(plan, meter, 1_000_000, bob), 900_000, "refunded");
    }

    function test_shows_in_the_shares_events() public {
        PassId plan = _plan();
        _buyAndActivate(bob, plan, 1);
        uint256 scaled = (90_000 - 2_250) * 2 ** 64;
        vm.expectEmit(address(shares));
        emit IShares.Accrued(id, address(money), 90_000, 2_250, 90_000, 2_250, scaled / SUPPLY);
        _burn(bob, plan, 100_000);
    }

    function _burn(address holder, PassId plan, uint256 amount) private returns (uint256) {
        vm.prank(meter);
        return pass.burn(holder, plan, amount);
    }
}
