// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {ILevels} from "../interfaces/ILevels.sol";
import {IVoteEscrow} from "../interfaces/IVoteEscrow.sol";
import {TwoStepOwner} from "../lib/TwoStepOwner.sol";
import {LevelRow, packLevel} from "../types/LevelRow.sol";

/// @title Levels
/// @notice See ILevels for what a level is and what it brings.
contract Levels is ILevels, TwoStepOwner {
    /// @inheritdoc ILevels
    string public constant VERSION = "1.0.0";
    /// @inheritdoc ILevels
    uint256 public constant MAX_DISCOUNT_BPS = 5_000;
    /// @inheritdoc ILevels
    uint256 public constant MAX_QUOTA_BPS = 1_000_000;

    uint256 private constant LEVELS = 10;
    uint256 private constant USUAL_QUOTA_BPS = 10_000;

    /// @inheritdoc ILevels
    IVoteEscrow public immutable ESCROW;

    /// @dev By level, 0 to 10.
    LevelRow[11] private _rows;

    /// @param owner Sets the levels.
    /// @param escrow The vote escrow whose scores count.
    /// @param levels As for `setLevels`.
    constructor(address owner, IVoteEscrow escrow, Level[10] memory levels) Ownable(owner) {
        require(address(escrow).code.length != 0, InvalidEscrow(address(escrow)));
        ESCROW = escrow;
        _rows[0] = packLevel(0, 0, USUAL_QUOTA_BPS);
        _set(levels);
    }

    /// @inheritdoc ILevels
    function setLevels(Level[10] calldata levels) external onlyOwner {
        _set(levels);
    }

    /// @inheritdoc ILevels
    function levelOf(address account) external view returns (uint256 level) {
        (level,) = _find(ESCROW.scoreOf(account));
    }

    /// @inheritdoc ILevels
    function benefitsOf(address account) external view returns (uint256 level, uint256 discountBps, uint256 quotaBps) {
        LevelRow row;
        (level, row) = _find(ESCROW.scoreOf(account));
        return (level, row.discountBps(), row.quotaBps());
    }

    /// @inheritdoc ILevels
    function levelAt(uint256 score) external view returns (uint256 level) {
        (level,) = _find(score);
    }

    /// @inheritdoc ILevels
    function levelTerms(uint256 level) external view returns (Level memory) {
        require(level <= LEVELS, UnknownLevel(level));
        LevelRow row = _rows[level];
        return Level(uint96(row.threshold()), uint16(row.discountBps()), uint32(row.quotaBps()));
    }

    /// @inheritdoc ILevels
    function thresholds() external view returns (uint256[10] memory all) {
        for (uint256 i = 0; i < LEVELS; ++i) {
            all[i] = _rows[i + 1].threshold();
        }
    }

    /// @dev The highest level whose threshold is at most `score`, by bisection: at most four reads.
    function _find(uint256 score) private view returns (uint256 level, LevelRow row) {
        row = _rows[0];
        uint256 above = LEVELS + 1;
        while (above - level > 1) {
            uint256 middle = (level + above) / 2;
            LevelRow candidate = _rows[middle];
            if (candidate.threshold() <= score) (level, row) = (middle, candidate);
            else above = middle;
        }
    }

    function _set(Level[10] memory levels) private {
        Level memory below = Level(0, 0, uint32(USUAL_QUOTA_BPS));
        for (uint256 i = 0; i < LEVELS; ++i) {
            Level memory level = levels[i];
            bool valid = level.threshold > below.threshold && level.discountBps >= below.discountBps
                && level.quotaBps >= below.quotaBps && level.discountBps <= MAX_DISCOUNT_BPS
                && level.quotaBps <= MAX_QUOTA_BPS;
            require(valid, InvalidLevel(i + 1, level.threshold, level.discountBps, level.quotaBps));
            _rows[i + 1] = packLevel(level.threshold, level.discountBps, level.quotaBps);
            below = level;
        }
        emit LevelsSet(levels);
    }
}
