// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shares} from "../../../src/assets/Shares.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

contract PendingTest is AssetsBase {
    /// @dev What `pending` foretells is what an accrue and a collect pay, to the unit, whatever happened before.
    function test_foretells_accrue_and_collect(uint96[6] memory arrivals, uint64 moved, uint16 fee) public {
        (, Shares child) = _registerChild("child", 3_333);
        _setFee(uint16(bound(fee, 0, 1_000)));
        for (uint256 i; i < arrivals.length; ++i) {
            money.mint(address(child), arrivals[i]);
            if (arrivals[i] % 3 == 0) child.accrue(address(money));
            if (arrivals[i] % 3 == 1) _give(child, bob, bound(moved, 0, child.balanceOf(alice)));
        }
        uint256 foretoldAlice = child.pending(alice, address(money));
        uint256 foretoldBob = child.pending(bob, address(money));
        child.accrue(address(money));
        assertEq(child.pending(alice, address(money)), foretoldAlice, "an accrue changes nothing");
        assertEq(_collect(child, alice), foretoldAlice, "alice");
        assertEq(_collect(child, bob), foretoldBob, "bob");
    }

    function test_is_zero_for_whom_nothing_is_due() public view {
        assertEq(shares.pending(bob, address(money)), 0, "no shares");
        assertEq(shares.pending(alice, address(this)), 0, "no token");
        assertEq(shares.pendingRoyalty(bob, address(money)), 0, "no parent");
    }
}
