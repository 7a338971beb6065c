// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetId} from "./AssetId.sol";

/// @notice Identifies one plan of one asset, and with it the ERC-1155 id of the plan's credits: `AssetId << 128 | planId`.
type PassId is uint256;

using {assetOf} for PassId global;

/// @notice The asset whose use the pass pays for.
function assetOf(PassId id) pure returns (AssetId) {
    return AssetId.wrap(uint128(PassId.unwrap(id) >> 128));
}

/// @notice The id of a plan with these terms.
/// @dev The plan id is a digest of the terms, so an id can never come to mean other terms, not even after a reorganisation
///      of the chain: what a buyer signs is what they get.
function derivePassId(AssetId asset, address token, uint40 expiry, uint128 price, uint128 credits)
    pure
    returns (PassId)
{
    uint128 planId = uint128(uint256(keccak256(abi.encode(token, expiry, price, credits))));
    return PassId.wrap(uint256(AssetId.unwrap(asset)) << 128 | planId);
}
