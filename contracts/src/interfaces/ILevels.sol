// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVoteEscrow} from "./IVoteEscrow.sol";

/// @title ILevels
/// @notice Ten levels by Staking Score, and what each level brings: a price discount and a larger quota.
///
/// An account has the highest level whose threshold its score reaches; below the first threshold it has level 0, without
/// benefits. The score is that of the start of the running week, so a level changes when a week starts, or when the owner
/// sets new levels. Gateways read discount and quota here, so anyone can check what an account is promised.
///
/// Always true: thresholds rise from level to level; a higher level never brings less; a discount is at most
/// `MAX_DISCOUNT_BPS`, a quota at least the usual one and at most `MAX_QUOTA_BPS`.
interface ILevels {
    /// @notice A level.
    /// @param threshold The least Staking Score, atomic units of the platform token, not zero.
    /// @param discountBps What it takes off a price, hundredths of a per cent.
    /// @param quotaBps Its part of the usual quota, hundredths of a per cent: 10,000 is the usual quota.
    struct Level {
        uint96 threshold;
        uint16 discountBps;
        uint32 quotaBps;
    }

    /// @notice The owner set the levels, 1 to 10.
    event LevelsSet(Level[10] levels);

    /// @notice The escrow has no code.
    error InvalidEscrow(address escrow);

    /// @notice Level `level` cannot be set: its threshold is not above that of the level below, it brings less than that, or
    ///         a value is above its bound.
    error InvalidLevel(uint256 level, uint256 threshold, uint256 discountBps, uint256 quotaBps);

    /// @notice The level does not exist: levels are 0 to 10.
    error UnknownLevel(uint256 level);

    /// @notice Sets all ten levels. Owner only.
    /// @param levels The levels 1 to 10, by rising threshold.
    function setLevels(Level[10] calldata levels) external;

    /// @notice The account's level, 0 to 10, by its score at the start of the running week.
    function levelOf(address account) external view returns (uint256 level);

    /// @notice The account's level and what it brings now.
    /// @return level 0 to 10.
    /// @return discountBps What it takes off a price, hundredths of a per cent.
    /// @return quotaBps Its part of the usual quota, hundredths of a per cent.
    function benefitsOf(address account) external view returns (uint256 level, uint256 discountBps, uint256 quotaBps);

    /// @notice The level that a score reaches, 0 to 10.
    /// @param score Atomic units of the platform token.
    function levelAt(uint256 score) external view returns (uint256 level);

    /// @notice One level. Level 0 has no threshold, no discount and the usual quota.
    /// @param level 0 to 10.
    function levelTerms(uint256 level) external view returns (Level memory);

    /// @notice The thresholds of the levels 1 to 10, atomic units of the platform token.
    function thresholds() external view returns (uint256[10] memory);

    /// @notice The vote escrow whose scores count.
    function ESCROW() external view returns (IVoteEscrow);

    /// @notice The largest discount that a level can bring, hundredths of a per cent.
    function MAX_DISCOUNT_BPS() external view returns (uint256);

    /// @notice The largest quota that a level can bring, hundredths of a per cent of the usual quota.
    function MAX_QUOTA_BPS() external view returns (uint256);

    /// @notice Version of this contract.
    function VERSION() external view returns (string memory);
}
