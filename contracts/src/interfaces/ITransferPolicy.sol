// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Who may hold an asset's shares
/// @notice Chosen at registration and then fixed. A policy restricts who receives shares by transfer; it is never asked
///         when income is collected, so no holder can be cut off from what their shares have earned.
/// @dev Shares call it with STATICCALL. A policy that reverts blocks transfers of that asset's shares, and nothing else.
interface ITransferPolicy {
    /// @notice Whether `account` may hold the shares at all.
    /// @param shares the Shares contract asked about.
    /// @param account the prospective holder.
    /// @return allowed true if a transfer to `account` is not refused because of who receives it.
    function canHold(address shares, address account) external view returns (bool allowed);

    /// @notice Whether this very transfer may happen now. Implies `canHold(shares, to)`.
    /// @param shares the Shares contract that asks.
    /// @param from the holder who gives; never the zero address.
    /// @param to the account that receives.
    /// @param amount shares, 6 decimals.
    /// @return allowed true if the transfer may go ahead.
    function canTransfer(address shares, address from, address to, uint256 amount) external view returns (bool allowed);
}
