// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ILockFor
/// @notice The one verb of VoteEscrow that an airdrop calls.
interface ILockFor {
    /// @notice Takes tokens from the caller, who has approved them, and locks them for `holder`.
    /// @param holder The lock's owner.
    /// @param amount Atomic units of the platform token.
    /// @param weeks_ How long: 1 to 52 weeks.
    function lockFor(address holder, uint256 amount, uint256 weeks_) external;
}
