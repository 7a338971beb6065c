// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IAirdrop
/// @notice Pays platform tokens to the accounts of a Merkle tree, each once.
///
/// The airdrop's life. An operator builds the tree from a list of accounts (`usufruct airdrop build`), deploys this contract
/// with the tree's root, and funds it. Until the deadline anyone may claim for any account of the tree: the tokens go to
/// the account that the leaf names. The account itself may claim straight into a lock of VoteEscrow. From the deadline on,
/// anyone may send the remainder to the treasury. The contract has no owner, and root, token, escrow, deadline and treasury
/// are fixed at deployment.
///
/// The leaf of entry `index` is `keccak256(bytes.concat(keccak256(abi.encode(index, account, amount))))`. Hashing twice keeps
/// leaf and inner node apart: a leaf is the hash of 32 bytes, an inner node the hash of 64. A node is the hash of its
/// children, the smaller first. These are the rules of OpenZeppelin's npm package merkle-tree for a StandardMerkleTree
/// of ["uint256", "address", "uint256"].
///
/// Always true: an index pays once, its own amount, to its own account or into that account's lock.
interface IAirdrop {
    /// @notice An entry was paid. It has the form of the event of Uniswap's MerkleDistributor, so that the same tools read it.
    event Claimed(uint256 index, address account, uint256 amount);

    /// @notice The remainder went to the treasury, after the deadline.
    event Swept(address indexed treasury, uint256 amount);

    /// @notice The constructor's terms cannot work: an address or the root is zero, or the deadline is not within three years.
    error InvalidTerms(address token, bytes32 root, address treasury, uint64 deadline);

    /// @notice The entry was paid before.
    error AlreadyClaimed(uint256 index);

    /// @notice The tree has no such entry, or the proof is of another one.
    error InvalidProof(uint256 index, address account, uint256 amount);

    /// @notice Claims ended at the deadline.
    error ClaimsEnded(uint64 deadline);

    /// @notice The remainder stays until the deadline.
    error ClaimsRunning(uint64 deadline);

    /// @notice The token did not move as it was asked to.
    error TransferFailed(address account, uint256 amount);

    /// @notice This airdrop has no escrow to lock in.
    error NoEscrow();

    /// @notice The token that is paid out.
    function token() external view returns (address);

    /// @notice The root of the Merkle tree.
    function root() external view returns (bytes32);

    /// @notice When claims end and the remainder may go to the treasury: Unix seconds.
    function deadline() external view returns (uint64);

    /// @notice Where the remainder goes.
    function treasury() external view returns (address);

    /// @notice The VoteEscrow that `claimAndLock` locks in; zero: none.
    function escrow() external view returns (address);

    /// @notice Whether an entry was paid.
    function isClaimed(uint256 index) external view returns (bool);

    /// @notice Pays an entry to its account. Anyone may call, until the deadline.
    /// @param index The entry's number.
    /// @param account The account that is paid.
    /// @param amount Atomic units.
    /// @param proof The siblings from the leaf to the root.
    function claim(uint256 index, address account, uint256 amount, bytes32[] calldata proof) external;

    /// @notice Locks the caller's own entry for `weeks_`, until the deadline.
    /// @param index The entry's number.
    /// @param amount Atomic units.
    /// @param weeks_ How long: 1 to 52 weeks.
    /// @param proof The siblings from the leaf to the root.
    function claimAndLock(uint256 index, uint256 amount, uint256 weeks_, bytes32[] calldata proof) external;

    /// @notice Sends all that is left to the treasury. Anyone may call, from the deadline on.
    function sweep() external;
}
