// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IDepositCollector
/// @notice One way of fetching a payer's money for a channel: EIP-3009, Permit2, or whatever comes next.
/// @dev The settlement does not trust a collector: it compares its own balance before and after the call.
interface IDepositCollector {
    /// @notice Moves `amount` of `token` from `payer` to the calling settlement contract.
    /// @dev Must revert when it cannot. A collector authorises by the payer's signature, which must bind `channelId`.
    /// @param payer Whose money is moved.
    /// @param token The ERC-20 the channel is kept in.
    /// @param amount Atomic units of `token`, exactly this many.
    /// @param channelId The channel that is credited.
    /// @param collectorData What this collector needs besides: nonces, deadlines, signatures.
    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata collectorData)
        external;
}
