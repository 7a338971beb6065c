// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";

/// @title IEntryPoint
/// @notice What a wallet and a relayer need of ERC-4337's EntryPoint 0.9, which others have deployed.
interface IEntryPoint {
    /// @notice An operation was executed and paid for.
    /// @param userOpHash The hash that was signed.
    /// @param sender The account.
    /// @param paymaster The zero address for none.
    /// @param nonce Its nonce: a key of 192 bits and a sequence number of 64.
    /// @param success Whether its calls succeeded; the transaction succeeds either way.
    /// @param actualGasCost What the account paid, in wei.
    /// @param actualGasUsed Gas, `preVerificationGas` included.
    event UserOperationEvent(
        bytes32 indexed userOpHash,
        address indexed sender,
        address indexed paymaster,
        uint256 nonce,
        bool success,
        uint256 actualGasCost,
        uint256 actualGasUsed
    );

    /// @notice An operation's calls failed.
    /// @param userOpHash The hash that was signed.
    /// @param sender The account.
    /// @param nonce Its nonce.
    /// @param revertReason What the account's call returned.
    event UserOperationRevertReason(
        bytes32 indexed userOpHash, address indexed sender, uint256 nonce, bytes revertReason
    );

    /// @notice An operation created its account.
    /// @param userOpHash The hash that was signed.
    /// @param sender The account.
    /// @param factory Its factory.
    /// @param paymaster The zero address for none.
    event AccountDeployed(bytes32 indexed userOpHash, address indexed sender, address factory, address paymaster);

    /// @notice An operation is not valid; nothing of the batch was executed.
    error FailedOp(uint256 opIndex, string reason);
    /// @notice An operation is not valid: its account reverted.
    error FailedOpWithRevert(uint256 opIndex, string reason, bytes inner);

    /// @notice Validates and executes operations.
    /// @param ops The operations.
    /// @param beneficiary Who receives what the accounts pay for gas.
    function handleOps(PackedUserOperation[] calldata ops, address payable beneficiary) external;

    /// @notice The hash that an account's signer signs: EIP-712, domain "ERC4337", version "1".
    /// @param userOp The operation, without regard to its signature.
    function getUserOpHash(PackedUserOperation calldata userOp) external view returns (bytes32);

    /// @notice An account's next nonce.
    /// @param sender The account.
    /// @param key Each key has its own sequence.
    /// @return nonce The key, shifted by 64 bits, and the sequence number.
    function getNonce(address sender, uint192 key) external view returns (uint256 nonce);
}
