// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDepositCollector} from "./IDepositCollector.sol";

/// @title IERC3009DepositCollector
/// @notice Funds a channel by EIP-3009: the payer signs once, sends nothing and needs no native currency.
///
/// The payer signs `ReceiveWithAuthorization` to this collector with the nonce `keccak256(abi.encode(channelId,
/// salt))`. The nonce ties the money to one channel, so a relayer of the signature can only do what the payer meant;
/// `receive` rather than `transfer` keeps a stranger from executing the authorization on its own, which would leave the
/// money here without a channel. `collectorData` is `abi.encode(validAfter, validBefore, salt, signature)`; a contract
/// wallet's signature goes through, since the token's `bytes signature` form is called.
///
/// @dev ABI and errors are those of x402's collector of the same name.
interface IERC3009DepositCollector is IDepositCollector {
    /// @notice Someone other than the settlement called `collect`.
    error OnlyX402BatchSettlement();

    /// @notice The constructor was given the zero address.
    error InvalidX402BatchSettlementAddress();

    /// @notice The settlement contract this collector serves.
    function x402BatchSettlement() external view returns (address);

    /// @notice The version of this contract, as "major.minor.patch".
    function VERSION() external view returns (string memory);
}
