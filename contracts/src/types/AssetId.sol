// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Identifies one asset: `uint128(uint256(keccak256(abi.encode(chainId, registry, registrant, salt))))`.
/// @dev The title's ERC-721 id is the same number; a pass's ERC-1155 id is `AssetId << 128 | planId`.
type AssetId is uint128;

using {assetIdEquals as ==, assetIdDiffers as !=, titleOf} for AssetId global;

function assetIdEquals(AssetId a, AssetId b) pure returns (bool) {
    return AssetId.unwrap(a) == AssetId.unwrap(b);
}

function assetIdDiffers(AssetId a, AssetId b) pure returns (bool) {
    return AssetId.unwrap(a) != AssetId.unwrap(b);
}

/// @notice The ERC-721 id of the asset's title.
function titleOf(AssetId id) pure returns (uint256) {
    return AssetId.unwrap(id);
}

/// @notice The id that `registrant` obtains at `registry` on this chain with `salt`.
/// @dev The registrant is part of the id: an id cannot be taken from them by registering first.
function deriveAssetId(address registry, address registrant, bytes32 salt) view returns (AssetId) {
    return AssetId.wrap(uint128(uint256(keccak256(abi.encode(block.chainid, registry, registrant, salt)))));
}
