// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What a till pays a payee in one token a day: the payee's cap (96 bits, atomic units; 0: none), a day (32 bits,
///         days since 1970), and what was paid on that day (128 bits, atomic units).
/// @dev Packed by hand, as the rows of Shares: the compiler writes a packed struct field by field. All arguments must fit.
type Allowance is uint256;

using {cap, paidOn} for Allowance global;

function packAllowance(uint256 cap_, uint256 day, uint256 paid) pure returns (Allowance) {
    return Allowance.wrap(cap_ << 160 | day << 128 | paid);
}

/// @notice The payee's own cap, atomic units; 0: none.
function cap(Allowance row) pure returns (uint256) {
    return Allowance.unwrap(row) >> 160;
}

/// @notice What was paid on `day`, atomic units.
function paidOn(Allowance row, uint256 day) pure returns (uint256) {
    return uint32(Allowance.unwrap(row) >> 128) == day ? uint128(Allowance.unwrap(row)) : 0;
}
