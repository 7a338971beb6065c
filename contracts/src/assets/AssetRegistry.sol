// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Shares} from "./Shares.sol";
import {IAssetRegistry} from "../interfaces/IAssetRegistry.sol";
import {IERC7572} from "../interfaces/IERC7572.sol";
import {IIdentity8004} from "../interfaces/IIdentity8004.sol";
import {IShares} from "../interfaces/IShares.sol";
import {SharesTerms} from "../lib/SharesTerms.sol";
import {TwoStepOwner} from "../lib/TwoStepOwner.sol";
import {AssetId, deriveAssetId} from "../types/AssetId.sol";

/// @title AssetRegistry
/// @notice See IAssetRegistry for what an asset is and how it lives. Also the ERC-721 contract of the titles.
contract AssetRegistry is IAssetRegistry, IIdentity8004, IERC7572, IERC2981, IERC4906, ERC721, TwoStepOwner {
    /// @dev Everything about an asset but its title and metadata. The first three slots are packed as `Asset` lists them.
    struct Row {
        address shares;
        uint32 noticePeriod; // seconds
        Kind kind;
        uint16 resaleRoyaltyBps;
        uint40 retiresAt; // Unix seconds, 0: not announced
        address currency;
        uint40 pendingFrom; // when `pending` is in force, Unix seconds, 0: there is none
        address meter;
        uint40 meterSince; // Unix seconds
        PriceCard card; // in force until `pendingFrom`
        PriceCard pending;
        string uri;
    }

    /// @dev The guardian's budget. One slot.
    struct Pause {
        address guardian;
        uint40 until; // Unix seconds
        uint32 secondsLeft;
    }

    /// @dev What an accrue asks for. One slot.
    struct Fee {
        address sink;
        uint16 bps;
    }

    /// @inheritdoc IAssetRegistry
    string public constant VERSION = "1.0.0";

    uint256 private constant BPS = 10_000;
    uint256 private constant MAX_PROTOCOL_FEE_BPS = 1_000;
    uint256 private constant MAX_RESALE_ROYALTY_BPS = 1_000;
    uint256 private constant MAX_ROYALTIES_BPS = 5_000;
    uint256 private constant MAX_PARENTS = 4;
    uint256 private constant MAX_REVENUE_TOKENS = 4;
    uint256 private constant MIN_NOTICE_PERIOD = 1 hours;
    uint256 private constant MAX_NOTICE_PERIOD = 30 days;
    uint40 private constant RETIREMENT_NOTICE = 7 days;
    uint32 private constant PAUSE_BUDGET = 14 days;

    bytes32 private constant AGENT_WALLET_KEY = keccak256("agentWallet");

    /// @inheritdoc IAssetRegistry
    address public immutable SHARES_IMPLEMENTATION;

    mapping(AssetId id => Row) private _rows;
    mapping(address shares => AssetId) private _assetOf;
    mapping(AssetId id => mapping(string key => bytes)) private _metadata;
    address[] private _revenueTokens;
    mapping(address token => bool) private _isRevenueToken;
    Fee private _fee;
    Pause private _pause;
    string private _contractURI;

    /// @param owner_ sets fee, sink, guardian and revenue tokens; meant to be a timelock.
    /// @param guardian_ may pause for 14 days in total.
    /// @param feeSink_ receives released protocol fees.
    /// @param protocolFeeBps protocol fee to start with, up to 1000.
    /// @param wrappedNative the chain's wrapped native coin; it becomes the first revenue token.
    /// @param contractURI_ the ERC-7572 document.
    constructor(
        address owner_,
        address guardian_,
        address feeSink_,
        uint16 protocolFeeBps,
        address wrappedNative,
        string memory contractURI_
    ) ERC721("Usufruct Title", "TITLE") Ownable(owner_) {
        SHARES_IMPLEMENTATION = address(new Shares(wrappedNative));
        _pause = Pause({guardian: guardian_, until: 0, secondsLeft: PAUSE_BUDGET});
        _contractURI = contractURI_;
        _setFeeSink(feeSink_);
        _setProtocolFee(protocolFeeBps);
        _listRevenueToken(wrappedNative);
        emit GuardianSet(guardian_);
    }

    modifier whenKnown(AssetId id) {
        require(_rows[id].shares != address(0), UnknownAsset(id));
        _;
    }

    /// @dev The title holder, or whom they approved: OpenZeppelin's errors name the caller and the title.
    modifier onlyManager(uint256 title) {
        _checkAuthorized(_ownerOf(title), msg.sender, title);
        _;
    }

    // -- the registrant ------------------------------------------------------------------------------------------------

    /// @inheritdoc IAssetRegistry
    function register(Registration calldata registration) external returns (AssetId id, address shares) {
        require(!paused(), IsPaused(_pause.until));
        id = assetIdOf(msg.sender, registration.salt);
        require(_rows[id].shares == address(0), AssetExists(id));
        _check(registration);

        shares = Clones.cloneDeterministicWithImmutableArgs(
            SHARES_IMPLEMENTATION, _terms(id, registration), bytes32(id.titleOf())
        );
        _assetOf[shares] = id;
        Row storage row = _rows[id];
        row.shares = shares;
        row.noticePeriod = registration.noticePeriod;
        row.kind = registration.kind;
        row.resaleRoyaltyBps = registration.resaleRoyaltyBps;
        row.currency = registration.currency;
        row.card = registration.priceCard;
        row.uri = registration.uri;
        _setMeter(id, registration.meter);

        _mint(msg.sender, id.titleOf()); // no callback: a contract that registers knows what it gets
        emit AssetRegistered(
            id,
            msg.sender,
            shares,
            registration.kind,
            registration.currency,
            registration.noticePeriod,
            registration.transferPolicy,
            registration.resaleRoyaltyBps,
            registration.parents
        );
        emit PriceCardSet(id, registration.priceCard.version, uint40(block.timestamp), registration.priceCard);
        emit Registered(id.titleOf(), registration.uri, msg.sender);
        emit MetadataSet(id.titleOf(), "agentWallet", "agentWallet", abi.encodePacked(shares));
        if (bytes(registration.endpoint).length != 0) _setMetadata(id, "endpoint", bytes(registration.endpoint));
        IShares(shares).initialize(registration.name, registration.symbol, msg.sender);
    }

    /// @inheritdoc IAssetRegistry
    function predict(address registrant, Registration calldata registration)
        external
        view
        returns (AssetId id, address shares)
    {
        id = assetIdOf(registrant, registration.salt);
        shares = Clones.predictDeterministicAddressWithImmutableArgs(
            SHARES_IMPLEMENTATION, _terms(id, registration), bytes32(id.titleOf())
        );
    }

    // -- the title holder ----------------------------------------------------------------------------------------------

    /// @inheritdoc IAssetRegistry
    function setPriceCard(AssetId id, PriceCard calldata card) external onlyManager(id.titleOf()) {
        Row storage row = _rows[id];
        uint40 pendingFrom = row.pendingFrom;
        uint256 latest = pendingFrom == 0 ? row.card.version : row.pending.version;
        _checkCard(id, card, latest + 1);

        if (pendingFrom != 0 && block.timestamp >= pendingFrom) row.card = row.pending;
        row.pending = card;
        row.pendingFrom = uint40(block.timestamp) + row.noticePeriod;
        emit PriceCardSet(id, card.version, row.pendingFrom, card);
    }

    /// @inheritdoc IAssetRegistry
    function setMeter(AssetId id, address meter) external onlyManager(id.titleOf()) {
        if (_rows[id].meter != meter) _setMeter(id, meter); // named again, it restarts no clock
    }

    /// @inheritdoc IAssetRegistry
    function retire(AssetId id) external onlyManager(id.titleOf()) {
        Row storage row = _rows[id];
        require(row.retiresAt == 0, RetirementPending(id, row.retiresAt));
        row.retiresAt = uint40(block.timestamp) + RETIREMENT_NOTICE;
        emit RetirementAnnounced(id, row.retiresAt);
    }

    /// @inheritdoc IAssetRegistry
    function cancelRetirement(AssetId id) external onlyManager(id.titleOf()) {
        Row storage row = _rows[id];
        require(block.timestamp < row.retiresAt, NoRetirementPending(id));
        row.retiresAt = 0;
        emit RetirementCancelled(id);
    }

    /// @inheritdoc IIdentity8004
    function setAgentURI(uint256 agentId, string calldata newURI) external onlyManager(agentId) {
        _rows[_idOf(agentId)].uri = newURI;
        emit URIUpdated(agentId, newURI, msg.sender);
        emit MetadataUpdate(agentId);
    }

    /// @inheritdoc IIdentity8004
    function setMetadata(uint256 agentId, string calldata metadataKey, bytes calldata metadataValue)
        external
        onlyManager(agentId)
    {
        require(keccak256(bytes(metadataKey)) != AGENT_WALLET_KEY, ReservedMetadataKey(metadataKey));
        _setMetadata(_idOf(agentId), metadataKey, metadataValue);
    }

    // -- the owner -----------------------------------------------------------------------------------------------------

    /// @inheritdoc IAssetRegistry
    function setProtocolFee(uint16 bps) external onlyOwner {
        _setProtocolFee(bps);
    }

    /// @inheritdoc IAssetRegistry
    function setFeeSink(address sink) external onlyOwner {
        _setFeeSink(sink);
    }

    /// @inheritdoc IAssetRegistry
    function listRevenueToken(address token) external onlyOwner {
        _listRevenueToken(token);
    }

    /// @inheritdoc IAssetRegistry
    function setGuardian(address guardian_) external onlyOwner {
        _pause.guardian = guardian_;
        emit GuardianSet(guardian_);
    }

    /// @inheritdoc IAssetRegistry
    function setContractURI(string calldata uri) external onlyOwner {
        _contractURI = uri;
        emit ContractURIUpdated();
    }

    // -- the guardian --------------------------------------------------------------------------------------------------

    /// @inheritdoc IAssetRegistry
    function pause(uint32 duration) external {
        Pause memory state = _pause;
        require(msg.sender == state.guardian, NotGuardian(msg.sender));
        require(duration <= state.secondsLeft, PauseTooLong(duration, state.secondsLeft));
        state.until = uint40(Math.max(state.until, block.timestamp)) + duration;
        state.secondsLeft -= duration;
        _pause = state;
        emit Paused(state.until, state.secondsLeft);
    }

    /// @inheritdoc IAssetRegistry
    function unpause() external {
        Pause memory state = _pause;
        require(msg.sender == state.guardian || msg.sender == owner(), NotGuardian(msg.sender));
        if (block.timestamp >= state.until) return;
        state.secondsLeft += uint32(state.until - block.timestamp);
        state.until = uint40(block.timestamp);
        _pause = state;
        emit Paused(state.until, state.secondsLeft);
    }

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @inheritdoc IAssetRegistry
    function assetIdOf(address registrant, bytes32 salt) public view returns (AssetId) {
        return deriveAssetId(address(this), registrant, salt);
    }

    /// @inheritdoc IAssetRegistry
    function asset(AssetId id) external view whenKnown(id) returns (Asset memory) {
        Row storage row = _rows[id];
        return Asset({
            shares: row.shares,
            noticePeriod: row.noticePeriod,
            kind: row.kind,
            resaleRoyaltyBps: row.resaleRoyaltyBps,
            retiresAt: row.retiresAt,
            currency: row.currency,
            meter: row.meter,
            meterSince: row.meterSince
        });
    }

    /// @inheritdoc IAssetRegistry
    function sharesOf(AssetId id) public view whenKnown(id) returns (address) {
        return _rows[id].shares;
    }

    /// @inheritdoc IAssetRegistry
    function assetOf(address shares) external view returns (AssetId) {
        require(isShares(shares), NotShares(shares));
        return _assetOf[shares];
    }

    /// @inheritdoc IAssetRegistry
    function isShares(address account) public view returns (bool) {
        return AssetId.unwrap(_assetOf[account]) != 0;
    }

    /// @inheritdoc IAssetRegistry
    function priceCard(AssetId id) external view whenKnown(id) returns (PriceCard memory) {
        Row storage row = _rows[id];
        return row.pendingFrom != 0 && block.timestamp >= row.pendingFrom ? row.pending : row.card;
    }

    /// @inheritdoc IAssetRegistry
    function pendingPriceCard(AssetId id)
        external
        view
        whenKnown(id)
        returns (PriceCard memory card, uint40 effectiveAt)
    {
        Row storage row = _rows[id];
        if (block.timestamp < row.pendingFrom) return (row.pending, row.pendingFrom);
    }

    /// @inheritdoc IAssetRegistry
    function meterOf(AssetId id) external view whenKnown(id) returns (address meter, uint40 since) {
        return (_rows[id].meter, _rows[id].meterSince);
    }

    /// @inheritdoc IAssetRegistry
    function isRetired(AssetId id) external view whenKnown(id) returns (bool) {
        uint40 retiresAt = _rows[id].retiresAt;
        return retiresAt != 0 && block.timestamp >= retiresAt;
    }

    /// @inheritdoc IAssetRegistry
    function mayManage(address account, AssetId id) external view whenKnown(id) returns (bool) {
        return _isAuthorized(_ownerOf(id.titleOf()), account, id.titleOf());
    }

    /// @inheritdoc IAssetRegistry
    function feeBps() external view returns (uint16 bps) {
        return _fee.bps;
    }

    /// @inheritdoc IAssetRegistry
    function feeSink() external view returns (address) {
        return _fee.sink;
    }

    /// @inheritdoc IAssetRegistry
    function revenueTokens() external view returns (address[] memory) {
        return _revenueTokens;
    }

    /// @inheritdoc IAssetRegistry
    function isRevenueToken(address token) external view returns (bool) {
        return _isRevenueToken[token];
    }

    /// @inheritdoc IAssetRegistry
    function guardian() external view returns (address) {
        return _pause.guardian;
    }

    /// @inheritdoc IAssetRegistry
    function paused() public view returns (bool) {
        return block.timestamp < _pause.until;
    }

    /// @inheritdoc IAssetRegistry
    function pauseState() external view returns (uint40 until, uint32 secondsLeft) {
        return (_pause.until, _pause.secondsLeft);
    }

    /// @inheritdoc IIdentity8004
    function getMetadata(uint256 agentId, string calldata metadataKey) external view returns (bytes memory) {
        _requireOwned(agentId);
        if (keccak256(bytes(metadataKey)) == AGENT_WALLET_KEY) return abi.encodePacked(_rows[_idOf(agentId)].shares);
        return _metadata[_idOf(agentId)][metadataKey];
    }

    /// @inheritdoc IIdentity8004
    function getAgentWallet(uint256 agentId) external view returns (address) {
        _requireOwned(agentId);
        return _rows[_idOf(agentId)].shares;
    }

    /// @inheritdoc ERC721
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        _requireOwned(tokenId);
        return _rows[_idOf(tokenId)].uri;
    }

    /// @inheritdoc IERC2981
    function royaltyInfo(uint256 tokenId, uint256 salePrice) external view returns (address receiver, uint256 amount) {
        _requireOwned(tokenId);
        Row storage row = _rows[_idOf(tokenId)];
        return (row.shares, Math.mulDiv(salePrice, row.resaleRoyaltyBps, BPS));
    }

    /// @inheritdoc IERC7572
    function contractURI() external view returns (string memory) {
        return _contractURI;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) public view override(ERC721, IERC165) returns (bool) {
        return interfaceId == type(IERC2981).interfaceId || interfaceId == bytes4(0x49064906) // ERC-4906 fixes this one
            || super.supportsInterface(interfaceId);
    }

    // -- inside --------------------------------------------------------------------------------------------------------

    function _check(Registration calldata registration) private view {
        require(bytes(registration.name).length != 0 && bytes(registration.symbol).length != 0, EmptyName());
        require(_isRevenueToken[registration.currency], NotRevenueToken(registration.currency));
        require(
            registration.noticePeriod >= MIN_NOTICE_PERIOD && registration.noticePeriod <= MAX_NOTICE_PERIOD,
            NoticePeriodOutOfRange(registration.noticePeriod, MIN_NOTICE_PERIOD, MAX_NOTICE_PERIOD)
        );
        _checkCard(assetIdOf(msg.sender, registration.salt), registration.priceCard, 1);
        uint256 resale = registration.resaleRoyaltyBps;
        require(resale <= MAX_RESALE_ROYALTY_BPS, RateTooHigh(resale, MAX_RESALE_ROYALTY_BPS));
        address policy = registration.transferPolicy;
        require(policy == address(0) || policy.code.length != 0, NotContract(policy));
        _checkParents(registration.parents);
    }

    function _checkCard(AssetId id, PriceCard calldata card, uint256 version) private pure {
        require(card.version == version, WrongPriceCardVersion(id, card.version, version));
        require(card.cachedInputBps <= BPS, RateTooHigh(card.cachedInputBps, BPS));
    }

    /// @dev Parents exist before their children and never change, so there can be no cycle of royalties.
    function _checkParents(IShares.Parent[] calldata parents) private view {
        require(parents.length <= MAX_PARENTS, TooManyParents(parents.length, MAX_PARENTS));
        uint256 total = 0;
        for (uint256 i; i < parents.length; ++i) {
            address shares = parents[i].shares;
            require(isShares(shares), NotShares(shares));
            require(parents[i].royaltyBps != 0, ZeroRoyalty(shares));
            for (uint256 j; j < i; ++j) {
                require(parents[j].shares != shares, DuplicateParent(shares));
            }
            total += parents[i].royaltyBps;
        }
        require(total <= MAX_ROYALTIES_BPS, RateTooHigh(total, MAX_ROYALTIES_BPS));
    }

    function _terms(AssetId id, Registration calldata registration) private pure returns (bytes memory) {
        return SharesTerms.encode(id, registration.noticePeriod, registration.transferPolicy, registration.parents);
    }

    function _setMeter(AssetId id, address meter) private {
        _rows[id].meter = meter;
        _rows[id].meterSince = uint40(block.timestamp);
        emit MeterSet(id, meter);
    }

    function _setMetadata(AssetId id, string memory key, bytes memory value) private {
        _metadata[id][key] = value;
        emit MetadataSet(id.titleOf(), key, key, value);
    }

    function _setProtocolFee(uint16 bps) private {
        require(bps <= MAX_PROTOCOL_FEE_BPS, RateTooHigh(bps, MAX_PROTOCOL_FEE_BPS));
        _fee.bps = bps;
        emit ProtocolFeeSet(bps);
    }

    function _setFeeSink(address sink) private {
        require(sink != address(0), ZeroAddress());
        _fee.sink = sink;
        emit FeeSinkSet(sink);
    }

    function _listRevenueToken(address token) private {
        require(_revenueTokens.length < MAX_REVENUE_TOKENS, TooManyRevenueTokens(MAX_REVENUE_TOKENS));
        require(!_isRevenueToken[token], RevenueTokenExists(token));
        require(token.code.length != 0, NotContract(token));
        _revenueTokens.push(token);
        _isRevenueToken[token] = true;
        emit RevenueTokenListed(token);
    }

    /// @dev A title that exists is an AssetId; the ids of others would be cut off, so look whether it exists first.
    function _idOf(uint256 title) private pure returns (AssetId) {
        return AssetId.wrap(uint128(title));
    }
}
