// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shares} from "../../../src/assets/Shares.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

/// @notice The accumulator against the slow, obvious way to pay dividends: at every arrival go through all holders and add
///         to each their exact proportion, as a fraction over the supply.
contract DividendsTest is AssetsBase {
    uint256 private constant HOLDERS = 5;

    address[HOLDERS] private _holders;
    Shares private _child;

    uint256[HOLDERS] private _exact; // income so far, units x SUPPLY
    uint256[HOLDERS] private _paid; // units
    uint256 private _gross;
    uint256 private _fees;
    uint256 private _roundings;

    function setUp() public override {
        super.setUp();
        (, _child) = _registerChild("child", 1_700);
        _holders = [alice, bob, carol, actor("dave"), actor("erin")];
    }

    function test_equals_the_slow_way(uint256[48] memory steps) public {
        for (uint256 i; i < steps.length; ++i) {
            uint256 step = steps[i];
            uint256 choice = step % 8;
            uint256 a = (step >> 8) % HOLDERS;
            uint256 b = (step >> 16) % HOLDERS;
            if (choice < 3) _arrive(bound(step >> 32, 0, choice == 0 ? 20 : 1e15));
            else if (choice < 6) _move(a, b, step >> 32);
            else if (choice == 6) _take(a);
            else _setFee(uint16((step >> 32) % 1_001));
        }
        for (uint256 i; i < HOLDERS; ++i) {
            _take(i);
        }
        uint256 owed = _fees + _gross * 1_700 / 10_000;
        for (uint256 i; i < HOLDERS; ++i) {
            assertLe(_paid[i] * SUPPLY, _exact[i], "no holder takes more than owed");
            owed += _paid[i];
        }
        assertLe(owed, _gross, "all together at most what came");
        assertLe(_gross - owed, _roundings + 1, "and short of less than one unit a rounding");
    }

    function _arrive(uint256 amount) private {
        money.mint(address(_child), amount);
        _child.accrue(address(money));
        uint256 fee = amount * registry.feeBps() / 10_000;
        uint256 royalty = (_gross + amount) * 1_700 / 10_000 - _gross * 1_700 / 10_000;
        for (uint256 i; i < HOLDERS; ++i) {
            _exact[i] += (amount - fee - royalty) * _child.balanceOf(_holders[i]);
        }
        _gross += amount;
        _fees += fee;
    }

    function _move(uint256 from, uint256 to, uint256 seed) private {
        uint256 amount = bound(seed, 0, _child.balanceOf(_holders[from]));
        vm.prank(_holders[from]);
        _child.transfer(_holders[to], amount);
        _roundings += 2;
    }

    function _take(uint256 holder) private {
        uint256 foretold = _child.pending(_holders[holder], address(money));
        assertLe((_paid[holder] + foretold) * SUPPLY, _exact[holder], "pending never promises too much");
        uint256 amount = _collect(_child, _holders[holder]);
        assertEq(amount, foretold, "nor anything else than is paid");
        _paid[holder] += amount;
        ++_roundings;
    }
}
