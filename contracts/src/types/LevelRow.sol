// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice One level in one slot: the score it needs (96 bits), its price discount (16 bits) and its quota (32 bits), both in
///         hundredths of a per cent. All arguments must fit; callers say why they do.
type LevelRow is uint256;

using {threshold, discountBps, quotaBps} for LevelRow global;

function packLevel(uint256 threshold_, uint256 discountBps_, uint256 quotaBps_) pure returns (LevelRow) {
    return LevelRow.wrap(threshold_ << 48 | discountBps_ << 32 | quotaBps_);
}

/// @notice The least Staking Score of the level, atomic units of the platform token.
function threshold(LevelRow row) pure returns (uint256) {
    return LevelRow.unwrap(row) >> 48;
}

/// @notice What the level takes off a price, hundredths of a per cent.
function discountBps(LevelRow row) pure returns (uint256) {
    return uint16(LevelRow.unwrap(row) >> 32);
}

/// @notice The level's part of the usual quota, hundredths of a per cent.
function quotaBps(LevelRow row) pure returns (uint256) {
    return uint32(LevelRow.unwrap(row));
}
