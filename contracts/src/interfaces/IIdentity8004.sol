// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ERC-8004 identity, the part an asset registry can honestly offer
/// @notice Every title is an ERC-8004 agent: `agentId` is the title's ERC-721 id, `tokenURI` leads to the registration file,
///         and the agent's wallet is the asset's Shares, so that a payment to "the agent" pays its owners.
/// @dev Left out on purpose, because they cannot be served honestly: the standard's own `register` functions (an asset
///      is not an asset without price card, currency and shares) and `setAgentWallet` / `unsetAgentWallet` (the wallet is
///      the Shares, permanently).
interface IIdentity8004 {
    /// @notice An agent came into being.
    event Registered(uint256 indexed agentId, string agentURI, address indexed owner);

    /// @notice The address of the agent's registration file changed.
    event URIUpdated(uint256 indexed agentId, string newURI, address indexed updatedBy);

    /// @notice A metadata entry was written.
    event MetadataSet(
        uint256 indexed agentId, string indexed indexedMetadataKey, string metadataKey, bytes metadataValue
    );

    /// @notice The key is derived by the registry and cannot be written.
    error ReservedMetadataKey(string metadataKey);

    /// @notice Points `agentId` to another registration file. Title holder or approved operator.
    /// @dev Also emits ERC-4906's MetadataUpdate.
    function setAgentURI(uint256 agentId, string calldata newURI) external;

    /// @notice Writes a metadata entry. Title holder or approved operator.
    /// @dev The key "endpoint" holds the address of the asset's API as UTF-8 text; "agentWallet" is reserved.
    function setMetadata(uint256 agentId, string calldata metadataKey, bytes calldata metadataValue) external;

    /// @notice Reads a metadata entry; empty if never written. "agentWallet" gives the 20 bytes of the Shares' address.
    function getMetadata(uint256 agentId, string calldata metadataKey) external view returns (bytes memory);

    /// @notice Where payments to the agent go: the asset's Shares.
    function getAgentWallet(uint256 agentId) external view returns (address);
}
