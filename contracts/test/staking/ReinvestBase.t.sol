// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPriceFeed} from "../../src/interfaces/IPriceFeed.sol";
import {IReinvestor} from "../../src/interfaces/IReinvestor.sol";
import {ISwapRouter} from "../../src/interfaces/ISwapRouter.sol";
import {Reinvestor} from "../../src/staking/Reinvestor.sol";
import {CoinToken} from "../mocks/CoinToken.sol";
import {OddFeed} from "../mocks/OddFeed.sol";
import {PlainToken} from "../mocks/PlainToken.sol";
import {StakingBase} from "./StakingBase.t.sol";

/// @notice The only staker, alice, is due 10 dollars. A token costs 0.05 dollars by the feed, and on a market of a million
///         dollars, which may differ by 2 %.
abstract contract ReinvestBase is StakingBase {
    uint256 internal constant CENT = 10_000;
    uint256 internal constant DOLLAR = 100 * CENT;
    int256 internal constant PRICE = 5e6; // 0.05, 8 decimals
    uint32 internal constant MAX_AGE = 1 hours;
    uint16 internal constant SLIPPAGE = 200;
    uint256 internal constant LEAST = 196 * ONE; // of 10 dollars
    uint256 internal constant LOCKED = 1_000 * ONE;
    uint256 internal constant DUE = 10 * DOLLAR;

    Reinvestor internal reinvestor;
    OddFeed internal feed;
    address internal market;

    function setUp() public virtual override {
        super.setUp();
        token = new CoinToken();
        _prepare(new PlainToken());
    }

    /// @dev All of it again, with another revenue token.
    function _prepare(PlainToken revenueToken) internal {
        dollar = revenueToken;
        escrow = _deploy(token, dollar, 0, 0);
        address[4] memory stakers = [alice, bob, carol, dave];
        for (uint256 i = 0; i < stakers.length; ++i) {
            token.mint(stakers[i], FUNDS);
            vm.prank(stakers[i]);
            token.approve(address(escrow), type(uint256).max);
        }
        reinvestor = Reinvestor(deploy("Reinvestor.sol:Reinvestor", abi.encode(owner, escrow)));
        vm.prank(owner);
        escrow.setLocker(address(reinvestor), true);
        market = deploy("TestMarket.sol:TestMarket", "");
        dollar.mint(market, 1_000_000 * DOLLAR);
        token.mint(market, 20_000_000 * ONE);
        feed = new OddFeed();
        _setVenue(market);
        _lock(alice, LOCKED, 52);
        _nextWeek(1);
        _earn(DUE + 1); // a unit is lost to rounding
        _nextWeek(1);
        feed.set(PRICE, time());
    }

    function _setVenue(address router) internal {
        IReinvestor.Venue memory venue = _venue(router);
        vm.prank(owner);
        reinvestor.setVenue(venue);
    }

    function _venue(address router) internal view returns (IReinvestor.Venue memory) {
        address[] memory path = new address[](2);
        (path[0], path[1]) = (address(dollar), address(token));
        return IReinvestor.Venue(ISwapRouter(router), IPriceFeed(feed), MAX_AGE, SLIPPAGE, path);
    }

    function _reinvest(address account, uint256 minOut) internal returns (uint256) {
        uint256 deadline = time();
        vm.prank(account);
        return escrow.reinvest(address(reinvestor), minOut, deadline);
    }

    /// @dev A reinvestment of alice's that fails, and leaves everything as it was.
    function _failing(uint256 minOut, bytes memory reason) internal {
        uint256 deadline = time();
        vm.expectRevert(reason);
        vm.prank(alice);
        escrow.reinvest(address(reinvestor), minOut, deadline);
        _assertUntouched();
    }

    function _assertUntouched() internal {
        assertEq(_amountOf(alice), LOCKED, "her lock is as before");
        _assertEmpty();
        uint256 state = vm.snapshotState();
        assertEq(_claim(alice), DUE, "her revenue is due as before");
        vm.revertToState(state);
    }

    function _assertEmpty() internal view {
        assertEq(dollar.balanceOf(address(reinvestor)), 0, "no revenue is left");
        assertEq(token.balanceOf(address(reinvestor)), 0, "no tokens are left");
        address router = address(reinvestor.venue().router);
        assertEq(dollar.allowance(address(reinvestor), router), 0, "no allowance of the router");
        assertEq(token.allowance(address(reinvestor), address(escrow)), 0, "no allowance of the escrow");
    }

    function _tooLittle(uint256 bought, uint256 least) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IReinvestor.TooLittleBought.selector, bought, least);
    }
}
