// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetId} from "../types/AssetId.sol";
import {IShares} from "./IShares.sol";

/// @title The register of assets
/// @notice An asset is one AI service. Registering it creates two things at once: the title, an ERC-721 whose holder runs
///         the service (price card, endpoint, metadata, meter, retirement), and the Shares, an ERC-20 whose holders
///         receive its revenue. Both start with the registrant; they never follow each other afterwards.
///
///         What is fixed at registration: currency, notice period, transfer policy, resale royalty, parents and their
///         royalties. What the title holder may change: the price card (effective after the notice period), the metadata
///         and the meter (at once), and, once, the asset's retirement (effective after 7 days). Retirement stops new
///         purchases and reservations; money keeps being accrued, claimed, collected and refunded permanently.
///
///         The owner (a timelock) may set the protocol fee up to 10 %, the fee sink and the guardian, and append revenue
///         tokens, four at most. The guardian may pause registration, purchases and activations for 14 days in total over
///         the contract's whole life. No role can touch an asset's money or stop its payout.
interface IAssetRegistry {
    /// @notice What an asset is.
    enum Kind {
        Model,
        Compute,
        Data,
        Agent
    }

    /// @notice What the quantities of a call are counted in.
    enum PriceUnit {
        TextToken,
        Second,
        Byte,
        Image,
        Row,
        Step
    }

    /// @notice What a call costs. Prices are atomic units of the asset's currency; 128 bits hold any amount that the
    ///         payment contracts can move. Two storage slots: three prices that hold for a currency with 18 decimals do
    ///         not fit one beside the other fields.
    /// @param inputPerMillion price of a million units of input.
    /// @param outputPerMillion price of a million units of output.
    /// @param perCall price of the call itself.
    /// @param cachedInputBps what an input unit that the service had in its cache costs, as a share of the input price in
    ///        hundredths of a per cent, up to 10000; 10000: caching makes no difference.
    /// @param unit what input and output are counted in.
    /// @param contextWindow most units that input and output may have together; 0 where the notion has no meaning.
    /// @param version 1 at registration, then one more each time.
    struct PriceCard {
        uint128 inputPerMillion;
        uint128 outputPerMillion;
        uint128 perCall;
        uint16 cachedInputBps;
        PriceUnit unit;
        uint32 contextWindow;
        uint32 version;
    }

    /// @notice What a registrant decides.
    /// @param salt any number; with the registrant's address it makes the AssetId.
    /// @param kind what the asset is.
    /// @param name name of the shares; not empty.
    /// @param symbol symbol of the shares; not empty.
    /// @param uri where the title's metadata (an ERC-8004 registration file) lies.
    /// @param endpoint address of the service's API, stored as metadata "endpoint"; may be empty.
    /// @param currency the revenue token that the price card is in.
    /// @param priceCard the first price card, in force at once; its version must be 1.
    /// @param noticePeriod seconds between announcing a price card and its taking effect; 1 hour to 30 days.
    /// @param transferPolicy contract that restricts who may hold the shares; zero: no restriction.
    /// @param resaleRoyaltyBps share of a resale of title or passes that goes to the Shares (ERC-2981), up to 1000.
    /// @param parents upstream assets and their royalties; at most 4, each above 0, together at most 5000 bps.
    /// @param meter the account that measures prepaid use and burns credits; zero: no passes can be activated.
    struct Registration {
        bytes32 salt;
        Kind kind;
        string name;
        string symbol;
        string uri;
        string endpoint;
        address currency;
        PriceCard priceCard;
        uint32 noticePeriod;
        address transferPolicy;
        uint16 resaleRoyaltyBps;
        IShares.Parent[] parents;
        address meter;
    }

    /// @notice What the registry knows of an asset beyond title, price cards and metadata.
    /// @param shares the asset's Shares, which is where it is paid.
    /// @param noticePeriod seconds between announcing a price card and its taking effect.
    /// @param kind what the asset is.
    /// @param resaleRoyaltyBps ERC-2981 royalty, in hundredths of a per cent.
    /// @param retiresAt when retirement takes effect, Unix seconds; 0: not announced.
    /// @param currency the revenue token that price cards are in.
    /// @param meter the account that burns activated credits.
    /// @param meterSince when the meter was named, Unix seconds.
    struct Asset {
        address shares;
        uint32 noticePeriod;
        Kind kind;
        uint16 resaleRoyaltyBps;
        uint40 retiresAt;
        address currency;
        address meter;
        uint40 meterSince;
    }

    /// @notice An asset came into being. Price card, URI and metadata follow in events of their own.
    event AssetRegistered(
        AssetId indexed asset,
        address indexed registrant,
        address indexed shares,
        Kind kind,
        address currency,
        uint32 noticePeriod,
        address transferPolicy,
        uint16 resaleRoyaltyBps,
        IShares.Parent[] parents
    );

    /// @notice A price card was announced and is in force from `effectiveAt` on, unless another replaces it before.
    event PriceCardSet(AssetId indexed asset, uint32 indexed version, uint40 effectiveAt, PriceCard card);

    /// @notice The account that measures prepaid use was named.
    event MeterSet(AssetId indexed asset, address indexed meter);

    /// @notice Retirement was announced; it is final from `retiresAt` on.
    event RetirementAnnounced(AssetId indexed asset, uint40 retiresAt);

    /// @notice An announced retirement was called off in time.
    event RetirementCancelled(AssetId indexed asset);

    /// @notice The protocol fee for revenue accrued from now on.
    event ProtocolFeeSet(uint16 bps);

    /// @notice The account that released protocol fees go to.
    event FeeSinkSet(address indexed sink);

    /// @notice A token was added, irrevocably, to those that revenue may be in.
    event RevenueTokenListed(address indexed token);

    /// @notice The account that may pause.
    event GuardianSet(address indexed guardian);

    /// @notice Registration, purchases and activations are paused until `until`; `secondsLeft` of pause remain after that.
    event Paused(uint40 until, uint32 secondsLeft);

    /// @notice The registrant has used this salt before.
    error AssetExists(AssetId asset);

    /// @notice No asset has this id.
    error UnknownAsset(AssetId asset);

    /// @notice Name and symbol must not be empty.
    error EmptyName();

    /// @notice The notice period must lie between the limits, in seconds.
    error NoticePeriodOutOfRange(uint256 given, uint256 least, uint256 most);

    /// @notice A list is longer than allowed.
    error TooManyParents(uint256 given, uint256 most);

    /// @notice A parent must be the Shares of an asset of this registry.
    error NotShares(address account);

    /// @notice Each parent is named once.
    error DuplicateParent(address shares);

    /// @notice A parent must have a royalty.
    error ZeroRoyalty(address shares);

    /// @notice A rate is above its limit, in hundredths of a per cent.
    error RateTooHigh(uint256 bps, uint256 most);

    /// @notice The token is not one that revenue may be in.
    error NotRevenueToken(address token);

    /// @notice The token is listed already.
    error RevenueTokenExists(address token);

    /// @notice No more than this many revenue tokens can ever be listed.
    error TooManyRevenueTokens(uint256 most);

    /// @notice There must be code at this address.
    error NotContract(address account);

    /// @notice This account must not be the zero address.
    error ZeroAddress();

    /// @notice The price card must carry the next version. It is how a writer shows which card they meant to replace.
    error WrongPriceCardVersion(AssetId asset, uint256 given, uint256 expected);

    /// @notice Retirement is announced already.
    error RetirementPending(AssetId asset, uint40 retiresAt);

    /// @notice No announced retirement can be called off.
    error NoRetirementPending(AssetId asset);

    /// @notice Only the guardian (to stop a pause: or the owner) may do this.
    error NotGuardian(address caller);

    /// @notice The guardian has not that much pause left, in seconds.
    error PauseTooLong(uint256 given, uint256 left);

    /// @notice Paused by the guardian.
    error IsPaused(uint40 until);

    // -- the registrant ------------------------------------------------------------------------------------------------

    /// @notice Creates an asset: mints the title and the whole supply of shares to the caller.
    /// @return id the asset's id: `predict(caller, registration)`.
    /// @return shares the asset's Shares, its address for payments.
    function register(Registration calldata registration) external returns (AssetId id, address shares);

    /// @notice The id and the Shares' address that `registrant` would get by registering exactly this.
    function predict(address registrant, Registration calldata registration)
        external
        view
        returns (AssetId id, address shares);

    // -- the title holder, or an operator they approved ----------------------------------------------------------------

    /// @notice Announces a price card; it takes effect after the asset's notice period. A card that was announced and is
    ///         not in force yet is replaced, with a new version and a new period.
    /// @param card its version must be one above the latest announced.
    function setPriceCard(AssetId id, PriceCard calldata card) external;

    /// @notice Names the account that measures prepaid use from now on; credits activated before stay with their meter. It
    ///         opens refunds of circulating credits of all plans made so far. Naming the same meter changes nothing.
    function setMeter(AssetId id, address meter) external;

    /// @notice Announces that the asset retires in 7 days.
    function retire(AssetId id) external;

    /// @notice Calls an announced retirement off, while it has not taken effect.
    function cancelRetirement(AssetId id) external;

    // -- the owner -----------------------------------------------------------------------------------------------------

    /// @notice Sets the protocol fee for revenue accrued from now on; at most 1000 bps.
    function setProtocolFee(uint16 bps) external;

    /// @notice Sets the account that released fees go to.
    function setFeeSink(address sink) external;

    /// @notice Appends a revenue token; at most 4, never removed. Tokens that take a fee on transfer, rebase or call back
    ///         must not be listed.
    function listRevenueToken(address token) external;

    /// @notice Names the guardian. The 14 days are the contract's: a new guardian gets what the old one left.
    function setGuardian(address guardian) external;

    /// @notice Replaces the ERC-7572 document.
    function setContractURI(string calldata uri) external;

    // -- the guardian --------------------------------------------------------------------------------------------------

    /// @notice Pauses registration, purchases and activations for `duration` seconds, or for so much longer.
    function pause(uint32 duration) external;

    /// @notice Ends a pause; what is left of it may be used later. Guardian or owner.
    function unpause() external;

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @notice The id that `registrant` gets with `salt`.
    function assetIdOf(address registrant, bytes32 salt) external view returns (AssetId);

    /// @notice What the registry knows of `id`.
    function asset(AssetId id) external view returns (Asset memory);

    /// @notice The asset's Shares.
    function sharesOf(AssetId id) external view returns (address);

    /// @notice The asset that `shares` are of; reverts if they are of none.
    function assetOf(address shares) external view returns (AssetId);

    /// @notice Whether `account` is the Shares contract of an asset of this registry.
    function isShares(address account) external view returns (bool);

    /// @notice The price card in force now.
    function priceCard(AssetId id) external view returns (PriceCard memory);

    /// @notice The price card that is announced but not in force yet, and when it will be; version 0 if there is none.
    function pendingPriceCard(AssetId id) external view returns (PriceCard memory card, uint40 effectiveAt);

    /// @notice The account that burns credits activated from now on, and since when it is that, Unix seconds.
    function meterOf(AssetId id) external view returns (address meter, uint40 since);

    /// @notice Whether the asset's retirement is in effect.
    function isRetired(AssetId id) external view returns (bool);

    /// @notice Whether `account` may act for the title holder of `id`: it is them, or they approved it.
    function mayManage(address account, AssetId id) external view returns (bool);

    /// @notice The protocol fee on gross revenue, in hundredths of a per cent.
    function feeBps() external view returns (uint16 bps);

    /// @notice The account that released protocol fees go to.
    function feeSink() external view returns (address);

    /// @notice The tokens that revenue may be in, in the order of their listing.
    function revenueTokens() external view returns (address[] memory);

    /// @notice Whether revenue may be in `token`.
    function isRevenueToken(address token) external view returns (bool);

    /// @notice The account that may pause.
    function guardian() external view returns (address);

    /// @notice Whether registration, purchases and activations are paused now.
    function paused() external view returns (bool);

    /// @notice When the last pause ends or ended, Unix seconds, and how many seconds of pause are left after it.
    function pauseState() external view returns (uint40 until, uint32 secondsLeft);

    /// @notice The contract that every Shares clone runs.
    function SHARES_IMPLEMENTATION() external view returns (address);

    /// @notice The version of this contract's code.
    function VERSION() external view returns (string memory);
}
