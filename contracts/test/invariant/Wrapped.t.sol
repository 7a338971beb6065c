// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WrapBase} from "../unit/WrappedShares/WrapBase.t.sol";
import {WrappedHandler} from "./WrappedHandler.sol";

/// @notice Whatever holders, payers and givers do with shares and wrapped shares: the pot covers what wrapped shares have
///         earned, and when all have left, every unit that was paid is out but for rounding.
contract WrappedInvariant is WrapBase {
    WrappedHandler private _handler;

    function setUp() public override {
        super.setUp();
        _handler = new WrappedHandler(wrapped, shares, money, [alice, bob, carol]);
        _handler.prepare();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() public view returns (FuzzSelector[] memory selectors) {
        selectors = new FuzzSelector[](1);
        selectors[0].addr = address(_handler);
        selectors[0].selectors = new bytes4[](8);
        selectors[0].selectors[0] = WrappedHandler.wrap.selector;
        selectors[0].selectors[1] = WrappedHandler.unwrap.selector;
        selectors[0].selectors[2] = WrappedHandler.trade.selector;
        selectors[0].selectors[3] = WrappedHandler.earn.selector;
        selectors[0].selectors[4] = WrappedHandler.give.selector;
        selectors[0].selectors[5] = WrappedHandler.gather.selector;
        selectors[0].selectors[6] = WrappedHandler.returnExcess.selector;
        selectors[0].selectors[7] = WrappedHandler.pass.selector;
    }

    function invariant_the_pot_covers_what_wrapped_shares_have_earned() public view {
        uint256 rate = shares.revenue(address(money)).perShare - wrapped.startOf(address(money));
        uint256 pot = money.balanceOf(address(wrapped)) + shares.pending(address(wrapped), address(money));
        assertLe(wrapped.totalSupply() * rate >> 64, pot + _handler.dust(), "covered");
        assertLe(wrapped.totalSupply(), shares.balanceOf(address(wrapped)), "a share for each");
    }

    /// @dev Paid in = collected + what rounding keeps: less than a unit for each holder and step, here and in the shares.
    function afterInvariant() public {
        for (uint256 i = 0; i < 3; ++i) {
            _unwrap(_handler.holders(i), wrapped.balanceOf(_handler.holders(i)));
        }
        wrapped.returnExcess(address(money));
        uint256 out;
        for (uint256 i = 0; i < 3; ++i) {
            _collect(shares, _handler.holders(i));
            out += money.balanceOf(_handler.holders(i));
        }
        uint256 kept = 3 * _handler.MONEY() + _handler.minted() - out;
        uint256 ofGivenShares = shares.pending(address(wrapped), address(money)) + money.balanceOf(address(wrapped));
        assertLe(kept, ofGivenShares + 8 + _handler.dust(), "every unit is out");
        assertLe(ofGivenShares, _handler.minted() / 1e4 + 1, "given shares earn, but what comes in last stays");
    }
}
