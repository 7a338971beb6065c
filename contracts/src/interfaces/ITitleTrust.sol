// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetId} from "../types/AssetId.sol";
import {IAssetRegistry} from "./IAssetRegistry.sol";

/// @title ITitleTrust
/// @notice Holds the title of one asset for its shareholders, who decide by vote what the service does. It is OpenZeppelin's
///         `IGovernor` on the votes of the asset's Shares; a proposal can only
///         - announce a price card (`setPriceCard` of the registry),
///         - point the title to another registration file (`setAgentURI`),
///         - write a metadata entry (`setMetadata`): "endpoint", or "configuration" for model and prompts,
///         - or hand the title to an account (`transferFrom`), alone, with two thirds of all shares for it: the dissolution.
///
/// The last one is there because a title has verbs that the trust has not (name a meter, retire), and because a service whose
/// trust can never end could never change hands. Income of the shares never passes through here.
///
/// A vote's life. Shareholders delegate their votes, to themselves or to another. `propose` opens a proposal for an account with
/// the threshold of votes. After the voting delay its snapshot is taken; shares that were borrowed and returned before, or
/// bought after, have no vote. Voting lasts the voting period. A proposal with a quorum and more votes for it than against it
/// is executed by anyone (`execute`) within the grace period, or expires: an old configuration cannot come back. There is no
/// timelock, because a price card has the asset's notice period.
///
/// Always true: no parameter ever changes, and no account has a power over the trust.
interface ITitleTrust {
    /// @notice What a trust is made with.
    /// @param votingDelay Seconds from proposal to snapshot, 1 hour to 14 days.
    /// @param votingPeriod Seconds that voting lasts, 1 to 28 days.
    /// @param thresholdBps Part of all shares that a proposer needs, hundredths of a per cent: 1 to 1000.
    /// @param quorumBps Part of all shares that must vote for or abstain, hundredths of a per cent: 100 to 5000.
    struct Terms {
        uint48 votingDelay;
        uint32 votingPeriod;
        uint16 thresholdBps;
        uint16 quorumBps;
    }

    /// @notice A term is not within its bounds.
    error TermOutOfBounds(string term, uint256 value, uint256 least, uint256 most);

    /// @notice The trust can do nothing of this kind: another contract, another verb, another title, or with native coin.
    error CallNotAllowed(uint256 index, address target, bytes4 selector);

    /// @notice A dissolution is the only call of its proposal.
    error DissolutionNotAlone(uint256 calls);

    /// @notice The trust takes the title of its asset, and nothing else.
    error NotTheTitle(address token, uint256 id);

    /// @notice Whether the proposal hands the title away, and so needs two thirds of all shares.
    function isDissolution(uint256 proposalId) external view returns (bool);

    /// @notice Seconds in which a proposal that passed must be executed.
    function GRACE_PERIOD() external view returns (uint256);

    /// @notice The registry of titles.
    function REGISTRY() external view returns (IAssetRegistry);

    /// @notice The asset whose title this is for.
    function ASSET() external view returns (AssetId);

    /// @notice The version of this contract, as "major.minor.patch".
    function VERSION() external view returns (string memory);
}
