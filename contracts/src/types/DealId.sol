// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Identifies one deal: a digest of chain, deal room, issuer, salt and terms.
/// @dev The terms are part of the id: an id never comes to mean other terms, not even after a reorg of the chain.
type DealId is bytes32;
