// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ERC-7572: contract-level metadata
interface IERC7572 {
    /// @notice The contract's metadata document was replaced.
    event ContractURIUpdated();

    /// @notice Where the JSON document describing the whole collection lies.
    function contractURI() external view returns (string memory);
}
