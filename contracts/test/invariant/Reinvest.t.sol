// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReinvestBase} from "../staking/ReinvestBase.t.sol";
import {ReinvestHandler} from "./ReinvestHandler.sol";

/// @notice Whatever the market, the feed and givers do: a reinvestment is within its bounds or changes nothing, leaves nothing,
///         and the escrow holds all locked tokens.
contract ReinvestInvariant is ReinvestBase {
    ReinvestHandler private _handler;

    function setUp() public override {
        super.setUp();
        _handler = new ReinvestHandler(reinvestor, market, feed, [alice, bob, carol]);
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
        selectors[0].selectors = new bytes4[](7);
        selectors[0].selectors[0] = ReinvestHandler.reinvest.selector;
        selectors[0].selectors[1] = ReinvestHandler.claim.selector;
        selectors[0].selectors[2] = ReinvestHandler.earn.selector;
        selectors[0].selectors[3] = ReinvestHandler.trade.selector;
        selectors[0].selectors[4] = ReinvestHandler.report.selector;
        selectors[0].selectors[5] = ReinvestHandler.give.selector;
        selectors[0].selectors[6] = ReinvestHandler.pass.selector;
    }

    function invariant_no_allowance_is_left_and_all_locked_tokens_are_here() public view {
        address place = address(reinvestor);
        assertEq(dollar.allowance(place, market), 0, "none of the router");
        assertEq(token.allowance(place, address(escrow)), 0, "none of the escrow");
        uint256 locked;
        for (uint256 i = 0; i < 3; ++i) {
            locked += escrow.lockOf(_handler.stakers(i)).amount;
        }
        assertEq(token.balanceOf(address(escrow)), locked, "all locked tokens");
    }

    /// @dev After the last gifts, one more reinvestment leaves nothing.
    function afterInvariant() public {
        uint256 deadline = time();
        if (escrow.lockOf(alice).endsAt < deadline + 2 * WEEK) return;
        vm.prank(alice);
        escrow.claim(alice);
        _earn(6 * DUE);
        _nextWeek(1);
        feed.set(int256(DUE * 1e20 / reinvestor.expectedOut(DUE) * 2), time());
        deadline = time();
        vm.prank(alice);
        assertLe(1, escrow.reinvest(address(reinvestor), 0, deadline), "bought");
        _assertEmpty();
    }
}
