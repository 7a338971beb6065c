// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IReinvestor} from "../../src/interfaces/IReinvestor.sol";
import {PlainToken} from "../mocks/PlainToken.sol";
import {ReinvestBase} from "../staking/ReinvestBase.t.sol";
import {ThirdParty} from "./ThirdParty.t.sol";
import {IFactoryV2, IRouterV2} from "./UniswapV2.t.sol";

/// @notice Reinvestments through Uniswap v2's own router, the bytecode of its npm packages: by one pool, and over two.
contract ReinvestAtUniswapTest is ReinvestBase, ThirdParty {
    IRouterV2 private _router;

    function setUp() public override {
        super.setUp();
        address factory = _deployFrom("@uniswap/v2-core/build/UniswapV2Factory.json", ".bytecode", abi.encode(owner));
        _router = IRouterV2(
            _deployFrom(
                "@uniswap/v2-periphery/build/UniswapV2Router02.json", ".bytecode", abi.encode(factory, address(dollar))
            )
        );
    }

    function test_revenue_is_reinvested_by_its_pool() public {
        _provide(dollar, 1_000_000 * DOLLAR, token, 20_000_000 * ONE);
        _setVenue(address(_router));
        uint256 bought = _reinvest(alice, LEAST);
        assertEq(_amountOf(alice), LOCKED + bought, "locked");
        _assertEmpty();
    }

    function test_revenue_is_reinvested_over_a_coin_between() public {
        PlainToken coin = new PlainToken();
        _provide(dollar, 1_000_000 * DOLLAR, coin, 500 * DOLLAR);
        _provide(coin, 500 * DOLLAR, token, 20_000_000 * ONE);
        address[] memory path = new address[](3);
        (path[0], path[1], path[2]) = (address(dollar), address(coin), address(token));
        vm.startPrank(owner);
        reinvestor.setVenue(_over(path));
        vm.stopPrank();
        uint256 expected = reinvestor.expectedOut(DUE);
        assertEq(_reinvest(alice, LEAST), expected, "two fees of 0.3 % are within 2 %");
        _assertEmpty();
    }

    function _over(address[] memory path) private view returns (IReinvestor.Venue memory venue) {
        venue = _venue(address(_router));
        venue.path = path;
    }

    function _provide(PlainToken one, uint256 amount, PlainToken other, uint256 otherAmount) private {
        one.mint(bob, amount);
        other.mint(bob, otherAmount);
        vm.startPrank(bob);
        one.approve(address(_router), amount);
        other.approve(address(_router), otherAmount);
        _router.addLiquidity(address(one), address(other), amount, otherAmount, 0, 0, bob, time());
        vm.stopPrank();
    }
}
