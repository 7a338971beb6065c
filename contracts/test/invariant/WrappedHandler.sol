// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Shares} from "../../src/assets/Shares.sol";
import {WrappedShares} from "../../src/market/WrappedShares.sol";
import {Base} from "../Base.t.sol";
import {PlainToken} from "../mocks/PlainToken.sol";

/// @notice Holders who wrap, unwrap and trade while income and gifts come in. Each wrap and unwrap is compared with what the
///         rule says: as much as shares have earned since the start.
contract WrappedHandler is Base {
    uint256 public constant MONEY = 1e24; // each holder's at the start

    WrappedShares private immutable _wrapped;
    Shares private immutable _shares;
    PlainToken private immutable _money;
    address[3] public holders;

    /// @notice Income and gifts so far, and the number of calls that may round.
    uint256 public minted;
    uint256 public steps;

    constructor(WrappedShares wrapped, Shares shares, PlainToken money, address[3] memory holders_) {
        (_wrapped, _shares, _money, holders) = (wrapped, shares, money, holders_);
    }

    function prepare() external {
        for (uint256 i = 0; i < 3; ++i) {
            _money.mint(holders[i], MONEY);
            vm.startPrank(holders[i]);
            _shares.approve(address(_wrapped), type(uint256).max);
            _money.approve(address(_wrapped), type(uint256).max);
            vm.stopPrank();
        }
    }

    function wrap(uint256 i, uint256 amount) external {
        address holder = _holder(i);
        amount = bound(amount, 0, _shares.balanceOf(holder));
        uint256[] memory most = new uint256[](2);
        most[1] = type(uint256).max;
        uint256 before = _money.balanceOf(holder);
        vm.prank(holder);
        _wrapped.wrap(amount, holder, most);
        uint256 paid = before - _money.balanceOf(holder);
        uint256 earned = _earnedDown(amount);
        assertTrue(paid == earned || paid == earned + 1, "pays what shares have earned, rounded up");
        ++steps;
    }

    function unwrap(uint256 i, uint256 amount, bool withIncome) external {
        address holder = _holder(i);
        amount = bound(amount, 0, _wrapped.balanceOf(holder));
        address[] memory tokens = new address[](withIncome ? 1 : 0);
        if (withIncome) tokens[0] = address(_money);
        uint256 before = _money.balanceOf(holder);
        vm.prank(holder);
        _wrapped.unwrap(amount, holder, tokens);
        uint256 got = _money.balanceOf(holder) - before;
        uint256 earned = withIncome ? _earnedDown(amount) : 0;
        assertLe(got, earned, "gets no more than shares have earned");
        assertLe(earned, got + dust(), "and no less, but for rounding");
        ++steps;
    }

    function trade(uint256 from, uint256 to, uint256 amount, bool plain) external {
        (address giver, address taker) = (_holder(from), _holder(to));
        IERC20 token = plain ? IERC20(_shares) : IERC20(_wrapped);
        amount = bound(amount, 0, token.balanceOf(giver));
        vm.prank(giver);
        token.transfer(taker, amount);
        ++steps;
    }

    function earn(uint256 amount, bool accrued) external {
        _mint(address(_shares), amount);
        if (accrued) _shares.accrue(address(_money));
    }

    function give(uint256 i, uint256 amount, bool ofShares) external {
        address holder = _holder(i);
        if (!ofShares) return _mint(address(_wrapped), amount);
        amount = bound(amount, 0, _min(_shares.balanceOf(holder), 1e6));
        vm.prank(holder);
        _shares.transfer(address(_wrapped), amount);
        ++steps;
    }

    function gather() external {
        _wrapped.gather(address(_money));
        ++steps;
    }

    function returnExcess() external {
        _wrapped.returnExcess(address(_money));
        ++steps;
    }

    function pass(uint256 seconds_) external {
        skip(bound(seconds_, 1, 1 days));
    }

    /// @notice What rounding may have taken so far, atomic units: shares round each settlement by a 256th at most.
    function dust() public view returns (uint256) {
        return 2 + steps / 256;
    }

    function _earnedDown(uint256 amount) private view returns (uint256) {
        return amount * (_shares.revenue(address(_money)).perShare - _wrapped.startOf(address(_money))) >> 64;
    }

    function _mint(address to, uint256 amount) private {
        amount = bound(amount, 1, 1e12);
        _money.mint(to, amount);
        minted += amount;
    }

    function _holder(uint256 i) private view returns (address) {
        return holders[bound(i, 0, 2)];
    }

    function _min(uint256 one, uint256 other) private pure returns (uint256) {
        return one < other ? one : other;
    }
}
