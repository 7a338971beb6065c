// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {ILevels} from "../../../src/interfaces/ILevels.sol";
import {IVoteEscrow} from "../../../src/interfaces/IVoteEscrow.sol";
import {TwoStepOwner} from "../../../src/lib/TwoStepOwner.sol";
import {Levels} from "../../../src/staking/Levels.sol";
import {LevelsBase} from "../../LevelsBase.t.sol";

contract LevelsSetLevelsTest is LevelsBase {
    function test_new_levels_count_at_once() public {
        ILevels.Level[10] memory rows = _rows();
        for (uint256 i = 0; i < 10; ++i) {
            rows[i].threshold *= 2;
        }
        vm.expectEmit(address(levels));
        emit ILevels.LevelsSet(rows);
        vm.prank(owner);
        levels.setLevels(rows);
        assertEq(levels.levelOf(alice), 5, "alice");
        uint256[10] memory thresholds = levels.thresholds();
        for (uint256 i = 0; i < 10; ++i) {
            ILevels.Level memory level = levels.levelTerms(i + 1);
            assertEq(level.threshold, rows[i].threshold, "threshold");
            assertEq(level.discountBps, rows[i].discountBps, "discount");
            assertEq(level.quotaBps, rows[i].quotaBps, "quota");
            assertEq(thresholds[i], rows[i].threshold, "of all thresholds");
        }
    }

    function test_level_0_brings_nothing() public {
        ILevels.Level memory level = levels.levelTerms(0);
        assertEq(level.threshold, 0, "threshold");
        assertEq(level.discountBps, 0, "discount");
        assertEq(level.quotaBps, 10_000, "the usual quota");
        vm.expectRevert(abi.encodeWithSelector(ILevels.UnknownLevel.selector, 11));
        levels.levelTerms(11);
    }

    function test_reverts_whenThresholdsDoNotRise(uint256 i) public {
        i = bound(i, 0, 9);
        ILevels.Level[10] memory rows = _rows();
        rows[i].threshold = i == 0 ? 0 : rows[i - 1].threshold;
        _refused(rows, i);
        if (i == 0) return;
        rows[i].threshold -= 1;
        _refused(rows, i);
    }

    function test_reverts_whenAHigherLevelBringsLess(uint256 i) public {
        i = bound(i, 1, 9);
        ILevels.Level[10] memory rows = _rows();
        rows[i].discountBps = rows[i - 1].discountBps - 1;
        _refused(rows, i);
        rows = _rows();
        rows[i].quotaBps = rows[i - 1].quotaBps - 1;
        _refused(rows, i);
        rows = _rows();
        rows[0].quotaBps = 9_999; // less than without a level
        _refused(rows, 0);
    }

    function test_reverts_whenABenefitIsAboveItsBound() public {
        ILevels.Level[10] memory rows = _rows();
        rows[9].discountBps = 5_001;
        _refused(rows, 9);
        rows[9].discountBps = 5_000;
        rows[9].quotaBps = 1_000_001;
        _refused(rows, 9);
        rows[9].quotaBps = 1_000_000;
        vm.prank(owner);
        levels.setLevels(rows);
    }

    function test_reverts_whenTheCallerIsNotTheOwner(address caller) public {
        vm.assume(caller != owner);
        ILevels.Level[10] memory rows = _rows();
        _refused(caller, abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
        levels.setLevels(rows);
    }

    function test_the_owner_can_hand_over_and_not_give_up() public {
        vm.prank(owner);
        levels.transferOwnership(bob);
        assertEq(levels.owner(), owner, "not yet");
        vm.prank(bob);
        levels.acceptOwnership();
        assertEq(levels.owner(), bob, "accepted");
        _refused(bob, abi.encodeWithSelector(TwoStepOwner.OwnershipNotRenounceable.selector));
        levels.renounceOwnership();
    }

    function test_reverts_whenTheEscrowHasNoCode() public {
        vm.expectRevert(abi.encodeWithSelector(ILevels.InvalidEscrow.selector, dave));
        new Levels(owner, IVoteEscrow(dave), _rows());
    }

    function _refused(ILevels.Level[10] memory rows, uint256 i) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                ILevels.InvalidLevel.selector, i + 1, rows[i].threshold, rows[i].discountBps, rows[i].quotaBps
            )
        );
        vm.prank(owner);
        levels.setLevels(rows);
    }
}
