// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IPlatformToken
/// @notice The operator's platform token: an ERC-20 with 18 decimals, a hard cap and ERC-2612 permits.
///
/// The token's life. The constructor mints the whole supply, once: each allocation to its recipient, and the airdrop's part
/// to the token contract itself, as a reserve. The reserve is at least the share of the supply that the constructor was
/// given as `leastAirdropBps`. It leaves only by `fundAirdrop`, to a contract that answers that it pays out this token.
/// Tokens that are sent to the token contract join the reserve.
///
/// The owner, later the timelock, can fund airdrops, replace the metadata document, and name one token bridge (ERC-7802).
/// No bridge is named at deployment. A bridge burns only what a holder has approved for it, and mints
/// only as much as was burned here before: the supply never exceeds the cap. So a stolen bridge takes at most what is on
/// other chains, and what holders have approved for it.
///
/// Always true: totalSupply <= cap; totalSupply = cap - burned by bridges + minted by bridges; no other function mints or
/// burns.
interface IPlatformToken {
    /// @notice A part of the supply and its recipient.
    /// @param recipient Not zero, and not the token itself.
    /// @param amount Atomic units, not zero.
    struct Allocation {
        address recipient;
        uint256 amount;
    }

    /// @notice What the constructor fixes.
    /// @param supply The cap: atomic units, 18 decimals, at most 2^96 - 1.
    /// @param airdropReserve The part of the supply that waits here for airdrops: atomic units.
    /// @param leastAirdropBps The least share of the supply that the reserve may be: hundredths of a per cent.
    /// @param contractURI The ERC-7572 document.
    struct Terms {
        string name;
        string symbol;
        string contractURI;
        uint256 supply;
        uint256 airdropReserve;
        uint16 leastAirdropBps;
    }

    /// @notice A part of the reserve went to an airdrop.
    event AirdropFunded(address indexed airdrop, uint256 amount);

    /// @notice The bridge that may mint and burn was replaced; zero: there is none.
    event TokenBridgeSet(address indexed bridge);

    /// @notice The supply does not fit into 96 bits.
    error InvalidSupply(uint256 supply);

    /// @notice The reserve for airdrops is less than the promised share of the supply.
    error AirdropTooSmall(uint256 airdropReserve, uint256 least);

    /// @notice Reserve and allocations together are not the supply.
    error AllocationMismatch(uint256 allocated, uint256 supply);

    /// @notice An allocation has no amount, or its recipient is zero or the token.
    error InvalidAllocation(address recipient, uint256 amount);

    /// @notice The contract does not pay out this token.
    error NotAnAirdrop(address account);

    /// @notice The caller is not the token bridge.
    error NotTheTokenBridge(address caller);

    /// @notice The share of the supply that the airdrop reserve had to reach at deployment, in hundredths of a per cent.
    function LEAST_AIRDROP_BPS() external view returns (uint16);

    /// @notice The one contract that may call `crosschainMint` and `crosschainBurn`; zero: none.
    function tokenBridge() external view returns (address);

    /// @notice What waits for airdrops, in atomic units: the token contract's own balance.
    function airdropReserve() external view returns (uint256);

    /// @notice Sends a part of the reserve to an airdrop. The owner only.
    /// @param airdrop A contract whose `token()` is this token.
    /// @param amount Atomic units.
    function fundAirdrop(address airdrop, uint256 amount) external;

    /// @notice Names the token bridge, or none (zero). The owner only.
    function setTokenBridge(address bridge) external;

    /// @notice Replaces the ERC-7572 document. The owner only.
    function setContractURI(string calldata uri) external;
}
