// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILevels} from "../../../src/interfaces/ILevels.sol";
import {LevelsBase} from "../../LevelsBase.t.sol";

contract LevelsLevelOfTest is LevelsBase {
    function test_a_level_is_the_highest_whose_threshold_the_score_reaches() public view {
        assertEq(levels.levelOf(alice), 10, "alice");
        assertEq(levels.levelOf(bob), 5, "bob");
        assertEq(levels.levelOf(carol), 1, "carol");
        assertEq(levels.levelOf(dave), 0, "dave");
    }

    /// @dev Beside the obvious way: look at each threshold from the lowest on.
    function test_bisection_finds_what_a_walk_finds(uint256 score, uint96[10] memory steps) public {
        ILevels.Level[10] memory rows = _rows();
        uint256 threshold = 0;
        for (uint256 i = 0; i < 10; ++i) {
            threshold += bound(steps[i], 1, type(uint96).max / 10);
            rows[i].threshold = uint96(threshold);
        }
        levels = _levels(owner, escrow, rows);
        score = bound(score, 0, 2 * threshold);
        uint256 expected = 0;
        for (uint256 i = 0; i < 10; ++i) {
            if (score >= rows[i].threshold) expected = i + 1;
        }
        assertEq(levels.levelAt(score), expected, "level");
    }

    function test_each_threshold_is_reached_exactly_and_missed_by_one_unit() public view {
        for (uint256 i = 1; i <= 10; ++i) {
            assertEq(levels.levelAt(i * STEP), i, "reached");
            assertEq(levels.levelAt(i * STEP - 1), i - 1, "missed");
        }
        assertEq(levels.levelAt(type(uint256).max), 10, "most");
    }

    function test_a_level_changes_when_a_week_starts_and_not_within_it() public {
        _increase(carol, STEP);
        _exitBob();
        vm.warp((time() / WEEK + 1) * WEEK - 1);
        assertEq(levels.levelOf(carol), 1, "more tokens count from the next week");
        assertEq(levels.levelOf(bob), 5, "an exit counts from the next week");
        _nextWeek(1);
        assertEq(levels.levelOf(carol), 1, "2 x 51 / 52");
        assertEq(levels.levelOf(bob), 0, "left");
        assertEq(levels.levelOf(alice), 9, "a score falls with the weeks");
    }

    function test_tokens_that_are_locked_for_a_moment_bring_no_level() public {
        _allowExits(1_000);
        _lock(dave, FUNDS, 52);
        assertEq(levels.levelOf(dave), 0, "locked");
        _exit(dave);
        _nextWeek(1);
        assertEq(levels.levelOf(dave), 0, "a week later");
    }

    function test_benefits_are_those_of_the_level() public view {
        (uint256 level, uint256 discountBps, uint256 quotaBps) = levels.benefitsOf(bob);
        assertEq(level, 5, "level");
        assertEq(discountBps, 1_500, "discount");
        assertEq(quotaBps, 60_000, "quota");
        (level, discountBps, quotaBps) = levels.benefitsOf(dave);
        assertEq(level, 0, "no level");
        assertEq(discountBps, 0, "no discount");
        assertEq(quotaBps, 10_000, "the usual quota");
    }

    function _exitBob() private {
        _allowExits(1_000);
        _exit(bob);
    }
}
