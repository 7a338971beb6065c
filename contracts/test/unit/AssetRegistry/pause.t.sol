// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

contract PauseTest is AssetsBase {
    function test_pauses_for_so_long_and_no_longer() public {
        uint40 until = uint40(time() + 2 days);
        vm.expectEmit(address(registry));
        emit IAssetRegistry.Paused(until, 12 days);
        _pause(2 days);
        assertTrue(registry.paused(), "paused");
        vm.warp(until - 1);
        assertTrue(registry.paused(), "to the last second");
        vm.warp(until);
        assertTrue(!registry.paused(), "over");
    }

    function test_extends_a_running_pause() public {
        _pause(2 days);
        skip(1 days);
        _pause(1 days);
        (uint40 until, uint32 secondsLeft) = registry.pauseState();
        assertEq(until, time() + 2 days, "until");
        assertEq(secondsLeft, 11 days, "left");
    }

    function test_unpausing_gives_back_what_was_not_used() public {
        _pause(10 days);
        skip(3 days);
        vm.prank(owner);
        registry.unpause();
        assertTrue(!registry.paused(), "over");
        (, uint32 secondsLeft) = registry.pauseState();
        assertEq(secondsLeft, 11 days, "left");
        vm.prank(guardian);
        registry.unpause();
        (, secondsLeft) = registry.pauseState();
        assertEq(secondsLeft, 11 days, "nothing to give back twice");
    }

    /// @dev Whatever the guardians do, seconds paused never exceed 14 days in total, and the rest is accounted for.
    function test_never_exceeds_fourteen_days_in_total(uint32[16] memory moves) public {
        uint256 total;
        for (uint256 i; i < moves.length; ++i) {
            (, uint32 secondsLeft) = registry.pauseState();
            if (moves[i] % 3 == 0) {
                vm.prank(guardian);
                registry.unpause();
            } else {
                _pause(uint32(bound(moves[i], 0, secondsLeft)));
            }
            if (moves[i] % 5 == 0) {
                vm.prank(owner);
                registry.setGuardian(guardian);
            }
            (uint40 until,) = registry.pauseState();
            uint256 step = bound(moves[i] >> 3, 0, 9 days);
            if (until > time()) total += step < until - time() ? step : until - time();
            skip(step);
        }
        (uint40 end, uint32 left) = registry.pauseState();
        uint256 ahead = end > time() ? end - time() : 0;
        assertEq(total + left + ahead, 14 days, "used, left and running");
    }

    function test_reverts_whenBudgetIsUsedUp() public {
        _pause(14 days);
        skip(365 days);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.PauseTooLong.selector, uint256(1), uint256(0)));
        _pause(1);
    }

    function test_reverts_whenCallerIsNotTheGuardian() public {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.NotGuardian.selector, owner));
        vm.prank(owner);
        registry.pause(1);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.NotGuardian.selector, bob));
        vm.prank(bob);
        registry.unpause();
    }

    function test_stops_neither_transfers_nor_money() public {
        _pause(14 days);
        _earn(shares, 1e9);
        _give(shares, bob, SUPPLY / 2);
        assertTrue(_collect(shares, alice) != 0, "collect");
        assertTrue(shares.release(address(money)) != 0, "release");
    }

    function _pause(uint32 duration) private {
        vm.prank(guardian);
        registry.pause(duration);
    }
}
