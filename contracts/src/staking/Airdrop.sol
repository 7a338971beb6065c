// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IAirdrop} from "../interfaces/IAirdrop.sol";
import {ILockFor} from "../interfaces/ILockFor.sol";

/// @title Airdrop
/// @notice Pays platform tokens to the accounts of a Merkle tree; `IAirdrop` describes how.
contract Airdrop is IAirdrop {
    string public constant VERSION = "1.0.0";

    /// @dev A deadline in milliseconds, say, would lock the remainder up.
    uint256 private constant MOST_DURATION = 3 * 365 days;

    /// @inheritdoc IAirdrop
    address public immutable token;
    /// @inheritdoc IAirdrop
    address public immutable treasury;
    /// @inheritdoc IAirdrop
    address public immutable escrow;
    /// @inheritdoc IAirdrop
    bytes32 public immutable root;
    /// @inheritdoc IAirdrop
    uint64 public immutable deadline;

    mapping(uint256 word => uint256 bits) private _claimed;

    /// @param token_ The platform token: an ERC-20 that returns true, takes no fee and has no hooks.
    /// @param root_ The root of the tree.
    /// @param deadline_ When claims end: Unix seconds, at most three years from now.
    /// @param treasury_ Gets the remainder.
    /// @param escrow_ The VoteEscrow for `claimAndLock`, or zero.
    constructor(address token_, bytes32 root_, uint64 deadline_, address treasury_, address escrow_) {
        require(
            token_ != address(0) && treasury_ != address(0) && root_ != bytes32(0) && deadline_ > block.timestamp
                && deadline_ <= block.timestamp + MOST_DURATION,
            InvalidTerms(token_, root_, treasury_, deadline_)
        );
        token = token_;
        root = root_;
        deadline = deadline_;
        treasury = treasury_;
        escrow = escrow_;
    }

    /// @inheritdoc IAirdrop
    function claim(uint256 index, address account, uint256 amount, bytes32[] calldata proof) external {
        _use(index, account, amount, proof);
        require(IERC20(token).transfer(account, amount), TransferFailed(account, amount));
    }

    /// @inheritdoc IAirdrop
    function claimAndLock(uint256 index, uint256 amount, uint256 weeks_, bytes32[] calldata proof) external {
        require(escrow != address(0), NoEscrow());
        _use(index, msg.sender, amount, proof);
        // Whatever the escrow does in between: less or more than the amount gone means that the entry is not locked.
        // slither-disable-start reentrancy-balance,incorrect-equality
        uint256 before = IERC20(token).balanceOf(address(this));
        require(IERC20(token).approve(escrow, amount), TransferFailed(escrow, amount));
        ILockFor(escrow).lockFor(msg.sender, amount, weeks_);
        require(IERC20(token).balanceOf(address(this)) == before - amount, TransferFailed(escrow, amount));
        // slither-disable-end reentrancy-balance,incorrect-equality
    }

    /// @inheritdoc IAirdrop
    function sweep() external {
        require(block.timestamp >= deadline, ClaimsRunning(deadline));
        uint256 amount = IERC20(token).balanceOf(address(this));
        emit Swept(treasury, amount);
        require(IERC20(token).transfer(treasury, amount), TransferFailed(treasury, amount));
    }

    /// @inheritdoc IAirdrop
    function isClaimed(uint256 index) external view returns (bool) {
        return _claimed[index >> 8] >> (index & 0xff) & 1 == 1;
    }

    /// @dev Checks an entry and marks it as paid; only then its tokens may move.
    function _use(uint256 index, address account, uint256 amount, bytes32[] calldata proof) private {
        require(block.timestamp < deadline, ClaimsEnded(deadline));
        uint256 word = _claimed[index >> 8];
        uint256 bit = 1 << (index & 0xff);
        require(word & bit == 0, AlreadyClaimed(index));
        require(_rootOf(_leaf(index, account, amount), proof) == root, InvalidProof(index, account, amount));
        _claimed[index >> 8] = word | bit;
        emit Claimed(index, account, amount);
    }

    /// @dev keccak256(bytes.concat(keccak256(abi.encode(index, account, amount)))), without a copy that moves free memory.
    function _leaf(uint256 index, address account, uint256 amount) private pure returns (bytes32 leaf) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, index)
            mstore(add(free, 0x20), shr(96, shl(96, account)))
            mstore(add(free, 0x40), amount)
            mstore(0x00, keccak256(free, 0x60))
            leaf := keccak256(0x00, 0x20)
        }
    }

    /// @dev The root that `proof` leads to from `node`. The smaller of two children is hashed first: `place` is 0 when that is
    ///      `node`, 32 otherwise; the sibling takes the other place.
    function _rootOf(bytes32 node, bytes32[] calldata proof) private pure returns (bytes32) {
        assembly ("memory-safe") {
            if proof.length {
                let next := proof.offset
                let end := add(next, shl(5, proof.length))
                for {} 1 {} {
                    let sibling := calldataload(next)
                    let place := shl(5, gt(node, sibling))
                    mstore(place, node)
                    mstore(xor(place, 0x20), sibling)
                    node := keccak256(0x00, 0x40)
                    next := add(next, 0x20)
                    if iszero(lt(next, end)) { break }
                }
            }
        }
        return node;
    }
}
