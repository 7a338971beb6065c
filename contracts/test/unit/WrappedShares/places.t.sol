// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Wrapper} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Wrapper.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import {WrappedShares} from "../../../src/market/WrappedShares.sol";
import {ConstantProductPair} from "../../mocks/ConstantProductPair.sol";
import {PlainToken} from "../../mocks/PlainToken.sol";
import {SharesVault} from "../../mocks/SharesVault.sol";
import {ITaker, Singleton} from "../../mocks/Singleton.sol";
import {WrapBase} from "./WrapBase.t.sol";

/// @notice Wrapped shares in contracts that have never heard of income. The numbers are those of plain shares in the same
///         places, in `test/unit/Shares/{pool,vault,flash}.t.sol`, turned round.
contract WrappedSharesPlacesTest is WrapBase {
    /// @dev 30 % of the shares in a wrapper as OpenZeppelin ships it: 9,000 of 30,000 are lost. In ours they are not.
    function test_a_stock_wrapper_strands_what_ours_pays() public {
        StockWrapper stock = new StockWrapper(shares);
        vm.startPrank(bob);
        shares.approve(address(stock), PART);
        stock.depositFor(bob, PART);
        vm.stopPrank();
        _wrap(carol, PART);
        _earn(shares, 30_000e6);
        vm.prank(bob);
        stock.withdrawTo(bob, PART);
        assertEq(money.balanceOf(bob) + _collect(shares, bob), 0, "nothing of 4,500");
        assertEq(_unwrap(carol, PART), 4_500e6 - 1, "all of 4,500");
    }

    function test_a_pools_liquidity_comes_out_with_the_income() public {
        ConstantProductPair pair = _pool();
        _earn(shares, 30_000e6);
        uint256 liquidity = pair.balanceOf(bob);
        vm.prank(bob);
        pair.transfer(address(pair), liquidity);
        (uint256 amount,) = pair.burn(bob);
        assertEq(amount, PART, "all of the wrapped shares");
        assertEq(_unwrap(bob, PART), 4_500e6 - 1, "and all that they earned in the pool");
    }

    function test_who_buys_from_the_pool_gets_the_income_of_what_they_bought() public {
        ConstantProductPair pair = _pool();
        _earn(shares, 30_000e6);
        PlainToken coin = PlainToken(address(pair.token1()));
        coin.mint(address(pair), 100_000e6);
        pair.swap(PART / 20, 0, alice, "");
        assertEq(_unwrap(alice, PART / 20), uint256(4_500e6 - 1) / 20, "their part");
    }

    function test_a_vaults_shares_come_out_with_the_income() public {
        _wrap(bob, PART);
        SharesVault vault = new SharesVault(wrapped);
        vm.startPrank(bob);
        wrapped.approve(address(vault), PART);
        vault.deposit(PART, bob);
        vm.stopPrank();
        _earn(shares, 30_000e6);
        uint256 deposited = vault.balanceOf(bob);
        vm.prank(bob);
        vault.redeem(deposited, bob, bob);
        assertEq(_unwrap(bob, PART), 4_500e6 - 1, "all of it");
    }

    /// @dev Un-accrued income of plain shares in a pool is the borrower's. Of wrapped ones it is not: who wraps them again,
    ///      to give them back, pays what unwrapping brought.
    function test_a_borrower_for_one_transaction_gains_nothing() public {
        _wrap(bob, PART);
        Singleton singleton = new Singleton();
        vm.prank(bob);
        wrapped.transfer(address(singleton), PART);
        _wrap(carol, PART);
        money.mint(address(shares), 30_000e6); // not accrued
        Taker taker = new Taker(wrapped, shares, money, _onlyMoney());
        money.mint(address(taker), 1); // wrapping rounds up what unwrapping rounded down
        taker.steal(singleton, PART);
        assertEq(money.balanceOf(address(taker)), 0, "nothing gained, a unit lost");
        assertEq(shares.balanceOf(address(taker)) + wrapped.balanceOf(address(taker)), 0, "nothing");
        assertEq(wrapped.balanceOf(address(singleton)), PART, "given back");
        (, uint256[] memory income) = wrapped.incomeDown(PART);
        assertEq(income[1], 4_500e6 - 1, "and worth what it was worth");
    }

    function _pool() private returns (ConstantProductPair pair) {
        _wrap(bob, PART);
        PlainToken coin = new PlainToken();
        pair = new ConstantProductPair(wrapped, coin);
        coin.mint(address(pair), 1_000_000e6);
        vm.prank(bob);
        wrapped.transfer(address(pair), PART);
        pair.mint(bob);
    }
}

contract StockWrapper is ERC20Wrapper {
    constructor(IERC20 shares) ERC20("Stock", "STOCK") ERC20Wrapper(shares) {}
}

/// @notice Takes wrapped shares, unwraps them, wraps them again, gives them back; keeps what is over.
contract Taker is ITaker {
    WrappedShares private immutable _wrapped;
    IERC20 private immutable _shares;
    IERC20 private immutable _money;
    address[] private _tokens;

    constructor(WrappedShares wrapped, IERC20 shares, IERC20 money, address[] memory tokens) {
        (_wrapped, _shares, _money, _tokens) = (wrapped, shares, money, tokens);
        shares.approve(address(wrapped), type(uint256).max);
        money.approve(address(wrapped), type(uint256).max);
    }

    function steal(Singleton singleton, uint256 amount) external {
        singleton.take(_wrapped, amount);
    }

    function taken(IERC20, uint256 amount) external {
        _wrapped.unwrap(amount, address(this), _tokens);
        uint256[] memory most = new uint256[](2);
        most[1] = type(uint256).max;
        _wrapped.wrap(amount, msg.sender, most);
    }
}
