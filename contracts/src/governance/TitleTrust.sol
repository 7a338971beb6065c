// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";

import {IAssetRegistry} from "../interfaces/IAssetRegistry.sol";
import {IIdentity8004} from "../interfaces/IIdentity8004.sol";
import {IShares} from "../interfaces/IShares.sol";
import {ITitleTrust} from "../interfaces/ITitleTrust.sol";
import {AssetId} from "../types/AssetId.sol";

/// @title TitleTrust
/// @notice A governor that runs one service, and can do nothing else; `ITitleTrust` says what that is.
contract TitleTrust is ITitleTrust, GovernorVotes, GovernorCountingSimple {
    /// @inheritdoc ITitleTrust
    string public constant VERSION = "1.0.0";

    /// @inheritdoc ITitleTrust
    uint256 public constant GRACE_PERIOD = 14 days;

    uint256 private constant BPS = 10_000;

    /// @inheritdoc ITitleTrust
    IAssetRegistry public immutable REGISTRY;
    /// @inheritdoc ITitleTrust
    AssetId public immutable ASSET;

    uint48 private immutable VOTING_DELAY;
    uint32 private immutable VOTING_PERIOD;
    uint256 private immutable THRESHOLD;
    uint256 private immutable QUORUM;
    uint256 private immutable SUPPLY;

    /// @inheritdoc ITitleTrust
    mapping(uint256 proposalId => bool) public isDissolution;

    /// @param registry Where the asset is registered.
    /// @param asset Whose title the trust is for. Its holder sends it here, by `safeTransferFrom`.
    /// @param terms Fixed with the trust.
    constructor(IAssetRegistry registry, AssetId asset, Terms memory terms)
        Governor("Usufruct TitleTrust")
        GovernorVotes(IVotes(registry.sharesOf(asset)))
    {
        _checkBounds("votingDelay", terms.votingDelay, 1 hours, 14 days);
        _checkBounds("votingPeriod", terms.votingPeriod, 1 days, 28 days);
        _checkBounds("thresholdBps", terms.thresholdBps, 1, 1_000);
        _checkBounds("quorumBps", terms.quorumBps, 100, 5_000);
        REGISTRY = registry;
        ASSET = asset;
        SUPPLY = IShares(address(token())).SUPPLY();
        VOTING_DELAY = terms.votingDelay;
        VOTING_PERIOD = terms.votingPeriod;
        THRESHOLD = SUPPLY * terms.thresholdBps / BPS;
        QUORUM = SUPPLY * terms.quorumBps / BPS;
    }

    /// @notice Takes no native coin: no proposal could send it on.
    receive() external payable override {
        revert GovernorDisabledDeposit();
    }

    /// @notice Takes the title of the asset, and no other token.
    function onERC721Received(address, address, uint256 id, bytes memory) public view override returns (bytes4) {
        require(msg.sender == address(REGISTRY) && id == ASSET.titleOf(), NotTheTitle(msg.sender, id));
        return this.onERC721Received.selector;
    }

    /// @notice Takes no token of this kind.
    function onERC1155Received(address, address, uint256 id, uint256, bytes memory)
        public
        view
        override
        returns (bytes4)
    {
        revert NotTheTitle(msg.sender, id);
    }

    /// @notice Takes no tokens of this kind.
    function onERC1155BatchReceived(address, address, uint256[] memory, uint256[] memory, bytes memory)
        public
        pure
        override
        returns (bytes4)
    {
        revert GovernorDisabledDeposit();
    }

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @notice Seconds from proposal to snapshot.
    function votingDelay() public view override returns (uint256) {
        return VOTING_DELAY;
    }

    /// @notice Seconds that voting lasts.
    function votingPeriod() public view override returns (uint256) {
        return VOTING_PERIOD;
    }

    /// @notice Shares that a proposer needs, atomic units.
    function proposalThreshold() public view override returns (uint256) {
        return THRESHOLD;
    }

    /// @notice Shares that must vote for a proposal or abstain, atomic units; the same at any time.
    function quorum(uint256) public view override returns (uint256) {
        return QUORUM;
    }

    /// @notice Where a proposal stands. One that passed expires when it is not executed within the grace period.
    function state(uint256 proposalId) public view override returns (ProposalState current) {
        current = super.state(proposalId);
        bool late = clock() > proposalDeadline(proposalId) + GRACE_PERIOD;
        if (current == ProposalState.Succeeded && late) return ProposalState.Expired;
    }

    // -- inside --------------------------------------------------------------------------------------------------------

    function _propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer
    ) internal override returns (uint256 proposalId) {
        proposalId = super._propose(targets, values, calldatas, description, proposer);
        for (uint256 i = 0; i < targets.length; ++i) {
            bytes4 selector = bytes4(calldatas[i]);
            bool dissolves = selector == IERC721.transferFrom.selector;
            bool allowed = dissolves ? _handsTitleOn(calldatas[i]) : _runsService(selector, calldatas[i]);
            require(
                targets[i] == address(REGISTRY) && values[i] == 0 && allowed, CallNotAllowed(i, targets[i], selector)
            );
            if (!dissolves) continue;
            require(targets.length == 1, DissolutionNotAlone(targets.length));
            isDissolution[proposalId] = true;
        }
    }

    /// @dev All three verbs of the registry take the asset's id first.
    function _runsService(bytes4 selector, bytes memory data) private view returns (bool) {
        return (selector == IAssetRegistry.setPriceCard.selector
                || selector == IIdentity8004.setAgentURI.selector
                || selector == IIdentity8004.setMetadata.selector) && _word(data, 0) == ASSET.titleOf();
    }

    function _handsTitleOn(bytes memory data) private view returns (bool) {
        return _word(data, 0) == uint160(address(this)) && _word(data, 2) == ASSET.titleOf();
    }

    /// @dev An argument of a call; 0, which is the id of no asset, where there is none.
    function _word(bytes memory data, uint256 index) private pure returns (uint256) {
        uint256 start = 4 + 32 * index;
        return data.length < start + 32 ? 0 : uint256(bytes32(Bytes.slice(data, start, start + 32)));
    }

    /// @dev A dissolution needs two thirds of all shares, voted or not.
    function _voteSucceeded(uint256 proposalId)
        internal
        view
        override(Governor, GovernorCountingSimple)
        returns (bool)
    {
        if (!isDissolution[proposalId]) return super._voteSucceeded(proposalId);
        (, uint256 inFavour,) = proposalVotes(proposalId);
        return inFavour * 3 >= SUPPLY * 2;
    }

    function _checkBounds(string memory term, uint256 value, uint256 least, uint256 most) private pure {
        require(value >= least && value <= most, TermOutOfBounds(term, value, least, most));
    }
}
