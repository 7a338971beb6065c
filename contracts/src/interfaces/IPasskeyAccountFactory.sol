// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IPasskeyAccountFactory
/// @notice Creates passkey accounts at addresses that are known before.
/// @dev An account's address is made from the factory, its first signers in order, recovery wallet, delay and salt. So a
///      front-run creation makes the same account, with the same signers.
interface IPasskeyAccountFactory {
    /// @notice An account was created. The event carries the whole keys of its first signers, because a passkey does not
    ///         return its public key after its creation.
    /// @param account The account.
    /// @param salt The salt; a client that uses Keccak-256 of the passkey's credential id finds its account by it.
    /// @param recoveryWallet The recovery wallet; the zero address for none.
    /// @param recoveryDelay Seconds.
    /// @param signers ERC-7913 bytes.
    event AccountCreated(
        address indexed account,
        bytes32 indexed salt,
        address indexed recoveryWallet,
        uint32 recoveryDelay,
        bytes[] signers
    );

    /// @notice Creates and initializes an account, or returns the one that exists.
    /// @param signers The first signers, ERC-7913 bytes, at least one.
    /// @param recoveryWallet The recovery wallet; the zero address for none.
    /// @param recoveryDelay Seconds, 1 to 30 days; 0 without a recovery wallet.
    /// @param salt Distinguishes accounts of the same terms.
    /// @return account The account.
    function create(bytes[] calldata signers, address recoveryWallet, uint32 recoveryDelay, bytes32 salt)
        external
        returns (address account);

    /// @notice The address of an account, created or not.
    /// @param signers The first signers, ERC-7913 bytes.
    /// @param recoveryWallet The recovery wallet; the zero address for none.
    /// @param recoveryDelay Seconds.
    /// @param salt Distinguishes accounts of the same terms.
    /// @return account The address.
    function predict(bytes[] calldata signers, address recoveryWallet, uint32 recoveryDelay, bytes32 salt)
        external
        view
        returns (address account);

    /// @notice The contract whose code the accounts run.
    function IMPLEMENTATION() external view returns (address);

    /// @notice Version of the contract.
    function VERSION() external view returns (string memory);
}
