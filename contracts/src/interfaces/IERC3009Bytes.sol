// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IERC3009Bytes
/// @notice The forms of EIP-3009 that take one `bytes signature`, as USDC has them since version 2.2.
/// @dev Unlike the `v, r, s` forms they let a contract wallet sign, by ERC-1271.
interface IERC3009Bytes {
    /// @notice Executes a transfer that `from` signed; anyone may call.
    /// @param from Whose money moves; also the signer.
    /// @param to Who receives it.
    /// @param value Atomic units.
    /// @param validAfter The authorization is valid strictly after this time (seconds).
    /// @param validBefore The authorization is valid strictly before this time (seconds).
    /// @param nonce A random number that `from` never used before.
    /// @param signature 65 bytes r, s, v of an account with a key, or what the contract `from` accepts.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice Executes a transfer that `from` signed; only `to` may call, so that it cannot be front-run.
    /// @param from Whose money moves; also the signer.
    /// @param to Who receives it, and the caller.
    /// @param value Atomic units.
    /// @param validAfter The authorization is valid strictly after this time (seconds).
    /// @param validBefore The authorization is valid strictly before this time (seconds).
    /// @param nonce A random number that `from` never used before.
    /// @param signature 65 bytes r, s, v of an account with a key, or what the contract `from` accepts.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice Uses up a nonce, so that a signed authorization can no longer be executed.
    /// @param authorizer Who signed the authorization; also signs this.
    /// @param nonce The nonce to use up.
    /// @param signature 65 bytes r, s, v of an account with a key, or what the contract `authorizer` accepts.
    function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external;
}
