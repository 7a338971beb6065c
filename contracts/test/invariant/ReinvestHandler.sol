// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestMarket} from "../../src/devnet/TestMarket.sol";
import {Reinvestor} from "../../src/staking/Reinvestor.sol";
import {VoteEscrow} from "../../src/staking/VoteEscrow.sol";
import {Base} from "../Base.t.sol";
import {OddFeed} from "../mocks/OddFeed.sol";
import {PlainToken} from "../mocks/PlainToken.sol";

/// @notice Stakers who reinvest and claim while traders move the market, the feed reports or falls silent, and givers give.
contract ReinvestHandler is Base {
    uint256 private constant WEEK = 7 days;
    uint256 private constant ONE = 1e18;
    uint256 private constant MOST = 1e13;

    VoteEscrow private immutable _escrow;
    Reinvestor private immutable _reinvestor;
    TestMarket private immutable _market;
    OddFeed private immutable _feed;
    PlainToken private immutable _token;
    PlainToken private immutable _dollar;
    address private immutable _trader;
    address[3] public stakers;

    /// @notice How often tokens were bought, and how often a bound said no.
    uint256 public bought;
    uint256 public refused;

    constructor(Reinvestor reinvestor, address market, OddFeed feed, address[3] memory stakers_) {
        (_reinvestor, _market, _feed, stakers) = (reinvestor, TestMarket(market), feed, stakers_);
        _escrow = VoteEscrow(address(reinvestor.ESCROW()));
        _token = PlainToken(address(reinvestor.TOKEN()));
        _dollar = PlainToken(address(reinvestor.REVENUE_TOKEN()));
        _trader = actor("trader");
    }

    function prepare() external {
        for (uint256 i = 0; i < stakers.length; ++i) {
            if (_escrow.lockOf(stakers[i]).amount != 0) continue;
            vm.prank(stakers[i]);
            _escrow.lock((i + 1) * 1_000 * ONE, 52);
        }
        _dollar.mint(_trader, MOST);
        _token.mint(_trader, 1e26);
        vm.startPrank(_trader);
        _dollar.approve(address(_market), type(uint256).max);
        _token.approve(address(_market), type(uint256).max);
        vm.stopPrank();
    }

    /// @notice An account reinvests. Its lock grows by what it named and the price allows, or all is as it was.
    function reinvest(uint256 seed, uint256 minOut) external {
        if (seed % 4 != 0) _feed.set(48e5 + int256(seed % 4e5), time());
        address staker = stakers[seed % 3];
        uint256 deadline = time();
        uint256 locked = _escrow.lockOf(staker).amount;
        uint256 others = _othersOf(staker);
        (uint256 due, uint256 least) = (_due(staker), 0);
        try _reinvestor.leastOut(due) returns (uint256 out) {
            least = out;
        } catch {}
        minOut = bound(minOut, 0, least * 102 / 100);
        vm.prank(staker);
        try _escrow.reinvest(address(_reinvestor), minOut, deadline) returns (uint256 out) {
            ++bought;
            assertTrue(least != 0, "a price that counts");
            assertLe(least, out, "the price allows it");
            assertLe(minOut, out, "the staker named it");
            assertLe(locked + out, _escrow.lockOf(staker).amount, "locked");
        } catch {
            ++refused;
            assertEq(_escrow.lockOf(staker).amount, locked, "as before");
            assertEq(_due(staker), due, "still due");
        }
        assertEq(_othersOf(staker), others, "no other lock changed");
    }

    function claim(uint256 seed) external {
        vm.prank(stakers[seed % 3]);
        _escrow.claim(stakers[seed % 3]);
    }

    function earn(uint256 amount) external {
        _dollar.mint(address(_escrow), bound(amount, 1, 1e9));
        _escrow.notify();
    }

    function trade(uint256 amount, bool buys) external {
        (address sold, address got) = buys ? (address(_dollar), address(_token)) : (address(_token), address(_dollar));
        uint256 most = PlainToken(sold).balanceOf(_trader) / 8;
        address[] memory path = new address[](2);
        (path[0], path[1]) = (sold, got);
        vm.prank(_trader);
        _market.swapExactTokensForTokens(bound(amount, 0, most), 0, path, _trader, time());
    }

    function report(uint256 price, uint256 age) external {
        _feed.set(int256(bound(price, 0, 8) == 0 ? 0 : bound(price, 48e5, 52e5)), time() - bound(age, 0, 2 hours));
    }

    function give(uint256 amount, bool tokens) external {
        if (tokens) _token.mint(address(_reinvestor), bound(amount, 0, ONE));
        else _dollar.mint(address(_reinvestor), bound(amount, 0, 1e6));
    }

    function pass(uint256 seconds_) external {
        skip(bound(seconds_, 1, WEEK / 2));
    }

    function _due(address staker) private returns (uint256 amount) {
        uint256 state = vm.snapshotState();
        vm.prank(staker);
        amount = _escrow.claim(staker);
        vm.revertToState(state);
    }

    function _othersOf(address staker) private view returns (uint256 locked) {
        for (uint256 i = 0; i < stakers.length; ++i) {
            if (stakers[i] != staker) locked += _escrow.lockOf(stakers[i]).amount;
        }
    }
}
