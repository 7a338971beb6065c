// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IShares} from "../interfaces/IShares.sol";
import {AssetId} from "../types/AssetId.sol";

/// @title The immutable arguments of a Shares clone
/// @notice Written behind the clone's 45 bytes of code at registration, tightly packed, and read from there by the running
///         clone: reading its own code costs about a hundred gas, a storage slot twenty times that.
/// @dev Layout in bytes: asset 0..15, notice period 16..19, transfer policy 20..39, sum of royalties 40..41, then 22 for
///      each parent: address, royalty. Behind the last parent the code ends, and reads give zero.
library SharesTerms {
    /// @dev Length of the clone's own code: EIP-1167's, without the arguments.
    uint256 private constant CODE = 0x2d;

    uint256 private constant NOTICE_PERIOD = 16;
    uint256 private constant TRANSFER_POLICY = 20;
    uint256 private constant ROYALTIES = 40;
    uint256 private constant PARENTS = 42;
    uint256 private constant PARENT_SIZE = 22;

    /// @notice The arguments to clone with.
    function encode(AssetId asset_, uint32 noticePeriod_, address transferPolicy_, IShares.Parent[] calldata parents_)
        internal
        pure
        returns (bytes memory terms)
    {
        uint16 sum = 0;
        bytes memory tail = "";
        for (uint256 i; i < parents_.length; ++i) {
            sum += parents_[i].royaltyBps;
            tail = abi.encodePacked(tail, parents_[i].shares, parents_[i].royaltyBps);
        }
        return abi.encodePacked(AssetId.unwrap(asset_), noticePeriod_, transferPolicy_, sum, tail);
    }

    /// @notice The asset that the running clone is the shares of.
    function asset() internal view returns (AssetId) {
        return AssetId.wrap(uint128(_word(0) >> 128));
    }

    /// @notice The notice period of price cards, seconds.
    function noticePeriod() internal view returns (uint32) {
        return uint32(_word(NOTICE_PERIOD) >> 224);
    }

    /// @notice The transfer policy; zero if none.
    function transferPolicy() internal view returns (address) {
        return address(uint160(_word(TRANSFER_POLICY) >> 96));
    }

    /// @notice Royalties of all parents together, in hundredths of a per cent.
    function royalties() internal view returns (uint256) {
        return _word(ROYALTIES) >> 240;
    }

    /// @notice How many parents there are.
    function parentCount() internal view returns (uint256) {
        return (address(this).code.length - CODE - PARENTS) / PARENT_SIZE;
    }

    /// @notice Parent number `index`.
    function parentAt(uint256 index) internal view returns (address shares, uint16 royaltyBps) {
        uint256 word = _word(PARENTS + index * PARENT_SIZE);
        return (address(uint160(word >> 96)), uint16(word >> 80));
    }

    /// @notice The royalty of `account` in hundredths of a per cent; 0 if it is not a parent.
    function royaltyOf(address account) internal view returns (uint256) {
        uint256 count = parentCount();
        for (uint256 i; i < count; ++i) {
            (address shares, uint16 royaltyBps) = parentAt(i);
            if (shares == account) return royaltyBps;
        }
        return 0;
    }

    /// @dev 32 bytes of the arguments from `offset` on. Uses the scratch space only.
    function _word(uint256 offset) private view returns (uint256 word) {
        assembly ("memory-safe") {
            extcodecopy(address(), 0, add(CODE, offset), 32)
            word := mload(0)
        }
    }
}
