// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ConstantProductPair} from "../../mocks/ConstantProductPair.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

/// @notice Shares in a stock Uniswap-v2 pool against one of their own revenue tokens. See docs/protocol/shares-in-contracts.md.
contract PoolTest is AssetsBase {
    ConstantProductPair private _pair;

    function setUp() public override {
        super.setUp();
        _setFee(0);
        _pair = new ConstantProductPair(shares, money);
        _give(shares, address(_pair), SUPPLY / 2);
        money.mint(address(_pair), 1_000_000e6);
        _pair.mint(alice);
    }

    function test_nobody_can_skim_a_pools_income() public {
        _earn(shares, 10_000e6);
        uint256 stranded = shares.pending(address(_pair), address(money));
        assertEq(stranded, 5_000e6 - 1, "half of the income is the pool's");
        vm.prank(bob);
        assertEq(shares.collect(address(money)), 0, "a stranger cannot push it into the pool");
        vm.prank(bob);
        _pair.skim(bob);
        assertEq(money.balanceOf(bob), 0, "so there is nothing to skim");
        assertEq(shares.pending(address(_pair), address(money)), stranded, "it waits, without end");
    }

    function test_trading_works_and_holders_at_the_time_of_accrual_get_the_income() public {
        money.mint(bob, 1_000e6);
        vm.prank(bob);
        money.transfer(address(_pair), 1_000e6);
        uint256 out = uint256(1_000e6) * 997 * (SUPPLY / 2) / (uint256(1_000_000e6) * 1_000 + uint256(1_000e6) * 997);
        _pair.swap(out, 0, bob, "");
        assertEq(shares.balanceOf(bob), out, "bought");
        assertEq(shares.pending(bob, address(money)), 0, "nothing of the past");
        _earn(shares, 10_000e6);
        assertEq(shares.pending(bob, address(money)), uint256(10_000e6) * out / SUPPLY, "his part of the future");
        vm.prank(bob);
        shares.transfer(address(_pair), out);
        _pair.swap(0, 900e6, bob, "");
        assertLe(1, _collect(shares, bob), "sold, and still paid for the time he held");
    }

    function test_liquidity_comes_out_without_the_income() public {
        _earn(shares, 10_000e6);
        uint256 liquidity = _pair.balanceOf(alice);
        vm.prank(alice);
        _pair.transfer(address(_pair), liquidity);
        (uint256 amount0, uint256 amount1) = _pair.burn(alice);
        assertEq(amount0, SUPPLY / 2, "shares");
        assertEq(amount1, 1_000_000e6, "money");
        assertEq(shares.pending(address(_pair), address(money)), 5_000e6 - 1, "the income stays behind");
    }
}
