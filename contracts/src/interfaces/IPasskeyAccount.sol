// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IPasskeyAccount
/// @notice A smart account whose signers are passkeys and addresses; any one of them acts alone.
///
/// The account's life. A factory creates it with its first signers; its address was known before. A signer signs user
/// operations of EntryPoint 0.9; each is a batch of calls (ERC-7821 `execute`). The account changes its own settings by
/// calls to itself inside such a batch. It has no owner, no guardian and no upgrade.
///
/// Signers are ERC-7913 bytes, in two forms: an address (20 bytes; a contract there must answer ERC-1271), or a passkey
/// (84 bytes: `PASSKEY_VERIFIER`, x, y of a P-256 key). Any other verifier is refused, so each passkey's signature has
/// passed the verifier's checks: type, challenge, user presence and user verification.
///
/// Recovery. The account may name a recovery wallet and a delay. That wallet can do one thing: start a recovery to a new
/// signer. Any signer can veto it until it is finished. After the delay anyone can finish it: the new signer then
/// replaces all signers. 14 days later it expires.
///
/// With a recovery wallet named, the two changes that could lock an owner out (removing a signer, changing the recovery)
/// are announced first and take effect after the same delay, for 14 days; any signer can cancel them in between. So a
/// thief of one passkey cannot lock the owner's other passkey or recovery wallet out before the delay has passed. What
/// this cannot do: keep the thief from moving funds, or from vetoing a recovery, for as long as the passkey is a signer.
///
/// Always true: there are 1 to `MAX_SIGNERS` signers; a signer joins by a call of the account or by a finished recovery;
/// a recovery that was vetoed, replaced or has expired never finishes.
interface IPasskeyAccount {
    /// @notice A signer joined; the event carries the whole key.
    /// @param signer ERC-7913 bytes.
    event SignerAdded(bytes signer);

    /// @notice The account named a recovery wallet, changed its delay, or did away with it.
    /// @param wallet The recovery wallet; the zero address for none.
    /// @param delay Seconds between start and earliest finish of a recovery or announced change.
    event RecoverySet(address indexed wallet, uint32 delay);

    /// @notice A change was announced; it replaces one that was announced before.
    /// @param id Keccak-256 of `change`.
    /// @param change Calldata of `removeSigners` or `setRecovery`.
    /// @param from When the account may make it, Unix seconds.
    /// @param until When that ends, Unix seconds.
    event ChangeAnnounced(bytes32 indexed id, bytes change, uint40 from, uint40 until);

    /// @notice An announced change was cancelled.
    /// @param id Keccak-256 of the change.
    event ChangeCancelled(bytes32 indexed id);

    /// @notice The recovery wallet started a recovery; it replaces one that was running.
    /// @param id Keccak-256 of `newSigner`.
    /// @param newSigner ERC-7913 bytes of the signer that is to replace all others.
    /// @param from When anyone may finish it, Unix seconds.
    /// @param until When it expires, Unix seconds.
    event RecoveryStarted(bytes32 indexed id, bytes newSigner, uint40 from, uint40 until);

    /// @notice A signer vetoed the running recovery.
    /// @param id Keccak-256 of its new signer.
    event RecoveryVetoed(bytes32 indexed id);

    /// @notice A recovery was finished: its new signer is the only one.
    /// @param id Keccak-256 of the new signer.
    event RecoveryFinished(bytes32 indexed id);

    /// @notice Only the factory initializes accounts, when it creates them.
    error NotFactory(address caller);
    /// @notice The account has signers already.
    error AlreadyHasSigners();
    /// @notice Neither an address that could sign for this account, nor a passkey of its verifier on the curve.
    error InvalidSigner(bytes signer);
    /// @notice The account would have more signers than a recovery can replace in one transaction.
    error TooManySigners(uint256 count, uint256 max);
    /// @notice The account cannot be its own recovery wallet.
    error InvalidRecoveryWallet(address wallet);
    /// @notice A delay is between `MIN_RECOVERY_DELAY` and `MAX_RECOVERY_DELAY`; without a recovery wallet it is 0.
    error InvalidRecoveryDelay(uint32 delay);
    /// @notice Only the recovery wallet starts a recovery.
    error NotRecoveryWallet(address caller);
    /// @notice The recovery wallet stays while a recovery runs; veto it first, in the same batch if you like.
    error RecoveryRunning(uint40 until);
    /// @notice No recovery to this signer is running: none was started, or it was vetoed, replaced or has expired.
    error NoSuchRecovery(bytes32 id);
    /// @notice The delay has not passed.
    error DelayNotPassed(uint40 from);
    /// @notice Only `removeSigners` and `setRecovery` are announced.
    error NotAnnounceable(bytes4 selector);
    /// @notice There is no recovery wallet: no recovery can be started, and changes are made at once.
    error NoRecoveryWallet();
    /// @notice This change is not announced: it never was, was cancelled or replaced, or its time is over.
    error NotAnnounced(bytes32 id);

    /// @notice Makes the account what it was created as. Called by the factory in the transaction that creates it.
    /// @param signers The first signers, at least one.
    /// @param recoveryWallet The recovery wallet; the zero address for none.
    /// @param recoveryDelay Seconds; 0 without a recovery wallet.
    function initialize(bytes[] calldata signers, address recoveryWallet, uint32 recoveryDelay) external;

    /// @notice Adds signers, at once. Called by the account itself.
    /// @param signers ERC-7913 bytes; none may be a signer already.
    function addSigners(bytes[] calldata signers) external;

    /// @notice Removes signers; one must be left. Called by the account itself. With a recovery wallet named, the same
    ///         call must have been announced.
    /// @param signers ERC-7913 bytes.
    function removeSigners(bytes[] calldata signers) external;

    /// @notice Names the recovery wallet and its delay, or none. Called by the account itself, never while a recovery
    ///         runs. With a recovery wallet named, the same call must have been announced.
    /// @param wallet The recovery wallet; the zero address for none.
    /// @param delay Seconds, 1 to 30 days; 0 without a recovery wallet.
    function setRecovery(address wallet, uint32 delay) external;

    /// @notice Announces a change, in place of one that was announced before. Called by the account itself.
    /// @param change Calldata of `removeSigners` or `setRecovery`, as the account will call it.
    function announceChange(bytes calldata change) external;

    /// @notice Cancels the announced change. Called by the account itself.
    function cancelChange() external;

    /// @notice Starts a recovery, in place of one that is running. Called by the recovery wallet.
    /// @param newSigner ERC-7913 bytes of the signer that is to replace all others.
    function startRecovery(bytes calldata newSigner) external;

    /// @notice Ends the running recovery without effect. Called by the account itself, until it is finished.
    function vetoRecovery() external;

    /// @notice Finishes a recovery whose delay has passed: the new signer replaces all others, and an announced change is
    ///         dropped. Anyone may call it.
    /// @param newSigner The signer that the recovery was started with.
    function finishRecovery(bytes calldata newSigner) external;

    /// @notice The recovery wallet and its delay.
    /// @return wallet The zero address for none.
    /// @return delay Seconds.
    function recovery() external view returns (address wallet, uint32 delay);

    /// @notice The recovery that is running.
    /// @return id Keccak-256 of its new signer; 0 for none.
    /// @return from When anyone may finish it, Unix seconds.
    /// @return until When it expires, Unix seconds.
    function runningRecovery() external view returns (bytes32 id, uint40 from, uint40 until);

    /// @notice The change that is announced.
    /// @return id Keccak-256 of its calldata; 0 for none.
    /// @return from When the account may make it, Unix seconds.
    /// @return until When that ends, Unix seconds.
    function announcedChange() external view returns (bytes32 id, uint40 from, uint40 until);

    /// @notice The factory that creates these accounts.
    function FACTORY() external view returns (address);

    /// @notice The ERC-7913 verifier of passkeys, the only one that signers may name.
    function PASSKEY_VERIFIER() external view returns (address);

    /// @notice The most signers an account has.
    function MAX_SIGNERS() external view returns (uint256);

    /// @notice The shortest delay, in seconds.
    function MIN_RECOVERY_DELAY() external view returns (uint32);

    /// @notice The longest delay, in seconds.
    function MAX_RECOVERY_DELAY() external view returns (uint32);

    /// @notice How long a recovery or announced change can be finished once its delay has passed, in seconds.
    function FINISH_WINDOW() external view returns (uint32);

    /// @notice Version of the contract.
    function VERSION() external view returns (string memory);
}
