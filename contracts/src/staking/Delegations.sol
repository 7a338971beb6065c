// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ERC6372Utils} from "@openzeppelin/contracts/utils/ERC6372Utils.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";

import {Part, Sum, SumRow} from "../types/EscrowRows.sol";

/// @title Who votes with whose lock
/// @notice Each account votes with its own lock, unless it chose a delegate. A delegate's received weight is a sum of locks that
///         decay: it is kept with its slope, and the amounts that end are kept by week. A change counts from the next week; the
///         sum before it stays in the delegate's history.
/// @dev Amounts that end in a week do not change once that week runs, so a sum of the past can still be carried forward.
abstract contract Delegations is IERC5805, EIP712, Nonces {
    bytes32 private constant DELEGATION_TYPEHASH =
        keccak256("Delegation(address delegatee,uint256 nonce,uint256 expiry)");

    mapping(address account => address) private _delegatees; // zero: the account itself
    /// @dev The sum as it counts from its week on. The one before lies under `week - 1` in the history.
    mapping(address delegatee => SumRow) private _received;
    mapping(address delegatee => mapping(uint256 week => SumRow)) private _receivedBefore;
    /// @dev Amounts whose last week with weight is `week`.
    mapping(address delegatee => mapping(uint256 week => uint256)) private _receivedEnding;

    /// @notice Lets `delegatee` vote with the caller's lock from the next week on; the zero address: the caller itself.
    function delegate(address delegatee) external {
        _delegate(msg.sender, delegatee);
    }

    /// @notice `delegate` by signature (EIP-712).
    function delegateBySig(address delegatee, uint256 nonce, uint256 expiry, uint8 v, bytes32 r, bytes32 s) external {
        require(block.timestamp <= expiry, VotesExpiredSignature(expiry));
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(DELEGATION_TYPEHASH, delegatee, nonce, expiry)));
        address signer = ECDSA.recover(digest, v, r, s);
        _useCheckedNonce(signer, nonce);
        _delegate(signer, delegatee);
    }

    /// @notice The account that votes with `account`'s lock from the next week on; itself, unless it chose another.
    function delegates(address account) public view returns (address) {
        address delegatee = _delegatees[account];
        return delegatee == address(0) ? account : delegatee;
    }

    /// @notice The clock that votes are counted by (ERC-6372): Unix seconds.
    function clock() public view returns (uint48) {
        return Time.timestamp();
    }

    /// @notice How to read `clock` (ERC-6372).
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() external view returns (string memory) {
        return ERC6372Utils.timestampClockMode(clock);
    }

    function _delegate(address account, address delegatee) private {
        if (delegatee == address(0)) delegatee = account;
        address from = delegates(account);
        if (from == delegatee) return;

        _delegatees[account] = delegatee == account ? address(0) : delegatee;
        emit DelegateChanged(account, from, delegatee);
        (Part memory part, uint256 next) = _noteDelegated(account, delegatee != account);
        // slither-disable-next-line uninitialized-local (zero is meant)
        Part memory none;
        if (from != account) _redelegate(from, next, part, none);
        if (delegatee != account) _redelegate(delegatee, next, none, part);
    }

    /// @dev Notes in the lock whether another votes with it from the next week on.
    /// @return part What it adds to a sum from then on.
    /// @return next The next week.
    function _noteDelegated(address account, bool delegated) internal virtual returns (Part memory part, uint256 next);

    /// @dev Takes `old` from `delegatee` and gives it `fresh`, from week `next` on, which is the coming one.
    function _redelegate(address delegatee, uint256 next, Part memory old, Part memory fresh) internal {
        SumRow row = _received[delegatee];
        Sum memory sum = row.unpack();
        mapping(uint256 => uint256) storage ending = _receivedEnding[delegatee];
        if (sum.week != next) {
            if (sum.week != 0) _receivedBefore[delegatee][next - 1] = row;
            _carry(sum, ending, next);
        }
        uint256 before = sum.weight;
        sum.replace(old, fresh);
        _moveEnding(ending, old, fresh);
        _received[delegatee] = sum.pack();
        if (sum.weight != before) {
            emit DelegateVotesChanged(delegatee, _scoreDown(before), _scoreDown(sum.weight));
        }
    }

    /// @dev What `delegatee` has received at the start of `week`.
    function _receivedAt(address delegatee, uint256 week) internal view returns (uint256) {
        Sum memory sum = _received[delegatee].unpack();
        while (sum.week > week) {
            sum = _receivedBefore[delegatee][sum.week - 1].unpack();
        }
        _carry(sum, _receivedEnding[delegatee], week);
        return sum.weight;
    }

    /// @dev Brings a sum forward to `week`. After 52 weeks nothing decays any more.
    /// @param ending Amounts by their last week with weight, in the low 96 bits.
    function _carry(Sum memory sum, mapping(uint256 week => uint256) storage ending, uint256 week) internal view {
        for (uint256 i = sum.week; i < week && sum.slope != 0; ++i) {
            sum.weight -= sum.slope;
            sum.slope -= uint96(ending[i]);
        }
        sum.week = week;
    }

    /// @dev Books that an amount ends in another week than before, or is another. The low 96 bits never overflow: they are
    ///      part of a slope.
    function _moveEnding(mapping(uint256 week => uint256) storage ending, Part memory old, Part memory fresh) internal {
        if (old.slope != 0 && fresh.slope != 0 && old.last == fresh.last) {
            if (old.slope != fresh.slope) ending[old.last] = ending[old.last] + fresh.slope - old.slope;
            return;
        }
        if (old.slope != 0) ending[old.last] -= old.slope;
        if (fresh.slope != 0) ending[fresh.last] += fresh.slope;
    }

    /// @dev Staking Score of a weight: the longest lock, 52 weeks, scores its amount.
    function _scoreDown(uint256 weight) internal pure returns (uint256) {
        return weight / 52;
    }
}
