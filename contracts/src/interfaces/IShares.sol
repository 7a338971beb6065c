// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetId} from "../types/AssetId.sol";

/// @title The revenue shares of one asset
/// @notice An ERC-20 of exactly 100,000,000 shares (6 decimals) which is at the same time the address that the asset is paid
///         at. A payment to it, by whatever means, pays its holders.
///
///         A share's life. The registry deploys the contract as a clone and mints the whole supply to the registrant in one
///         transaction; nothing is ever minted or burned again. Money arrives by plain transfer and lies there unnoticed
///         until anyone calls `accrue`, which moves nothing out: it books the protocol fee (on gross, once), the royalties
///         of the asset's parents, and, through one accumulator, the rest for the holders. Each party then takes out its
///         own: a holder by `collect`, a parent's Shares by `collectFrom`, the protocol by `release`. A party that cannot
///         be paid (a blacklisted holder, parent or fee sink) therefore delays no other.
///
///         Shares trade with their income: what was accrued before a transfer stays with the giver, what accrues afterwards
///         belongs to the receiver, even if it arrived before.
/// @dev A clone with immutable arguments (see SharesTerms). Money is in atomic units of the revenue token it is in. At any
///      time, for every listed token, `balance >= gross - paidOut >= the sum owed to all parties`; the difference
///      on the right is rounding, below one unit per parent and holder, and 1/256 of one per settlement. All counters saturate instead of
///      reverting, so that no amount of money can stop the booking.
///      Native coin is welcome and becomes revenue by `wrap`; but sent with a stipend of 2,300 gas (`transfer`, `send`) it
///      does not reach a clone.
interface IShares {
    /// @notice The bookkeeping of one revenue token; every number but `remainder` only grows.
    /// @param gross money noticed so far, atomic units.
    /// @param paidOut money that has left through collect, collectRoyalty and release, atomic units.
    /// @param perShare income of one atomic share so far, atomic units x 2^64.
    /// @param remainder what the last division left over for the next accrue, atomic units x 2^64, below the supply.
    /// @param feeCredited protocol fee booked, atomic units.
    /// @param feeReleased protocol fee paid to the sink, atomic units.
    struct Revenue {
        uint256 gross;
        uint256 paidOut;
        uint256 perShare;
        uint256 remainder;
        uint256 feeCredited;
        uint256 feeReleased;
    }

    /// @notice An upstream asset and its royalty.
    /// @param shares the parent's Shares, which receive the royalty.
    /// @param royaltyBps hundredths of a per cent of this asset's gross revenue.
    struct Parent {
        address shares;
        uint16 royaltyBps;
    }

    /// @notice Money was noticed and booked. `gross`, `feeCredited` and `perShare` are the totals afterwards.
    event Accrued(
        AssetId indexed asset,
        address indexed token,
        uint256 amount,
        uint256 fee,
        uint256 gross,
        uint256 feeCredited,
        uint256 perShare
    );

    /// @notice A holder's income was paid. `paidOut` is the token's total afterwards, over all parties.
    event Collected(
        AssetId indexed asset,
        address indexed token,
        address indexed holder,
        address to,
        uint256 amount,
        uint256 paidOut
    );

    /// @notice A parent's royalty was paid to its Shares. `royaltyPaid` is this parent's total in this token afterwards.
    event RoyaltyCollected(
        AssetId indexed asset, address indexed token, address indexed parent, uint256 amount, uint256 royaltyPaid
    );

    /// @notice Protocol fee was paid to the sink. `feeReleased` is the token's total afterwards.
    event Released(
        AssetId indexed asset, address indexed token, address indexed sink, uint256 amount, uint256 feeReleased
    );

    /// @notice An unlisted token was exchanged for a revenue token by the registry's owner.
    event UnlistedSwapped(
        AssetId indexed asset, address indexed tokenOut, address indexed tokenIn, uint256 amountOut, uint256 amountIn
    );

    /// @notice Only the registry may do this.
    error NotRegistry(address caller);

    /// @notice Only the registry's owner may do this.
    error NotRegistryOwner(address caller);

    /// @notice The contract has its name, its symbol and its first holder already.
    error AlreadyInitialized();

    /// @notice The asset's transfer policy refuses this transfer.
    error TransferRefused(address policy, address from, address to, uint256 amount);

    /// @notice A revenue token is never swapped out.
    error RevenueTokenListed(address token);

    /// @notice Shares of an asset of this registry are never swapped out: they belong to the holders.
    error SharesStay(address shares);

    /// @notice Native coin is never swapped out, by whatever token that moves it: it is income that waits for `wrap`.
    error NativeCoinStays(address token);

    /// @notice A swap must bring something of the revenue token.
    error NothingPaid(address token);

    /// @notice Names the contract and mints the whole supply to `registrant`. The registry calls it in the transaction that
    ///         deploys the clone; no other account can, and no second call can.
    function initialize(string calldata name, string calldata symbol, address registrant) external;

    // -- money in ------------------------------------------------------------------------------------------------------

    /// @notice Notices what arrived in `token` since the last time and books it. Anyone may call; no money moves.
    /// @return amount money noticed, atomic units; 0 if nothing new arrived.
    function accrue(address token) external returns (uint256 amount);

    /// @notice Wraps the whole native balance and accrues the wrapped token. Anyone may call.
    /// @return amount money noticed, atomic units.
    function wrap() external returns (uint256 amount);

    /// @notice Collects what `child`, a registered Shares contract, owes this one: its royalty as parent, and its income as
    ///         holder if this contract was given shares of the child. It is revenue here, free of protocol fee because the
    ///         child has paid it; this asset's own parents get their royalties on it. Anyone may call.
    /// @return received money that came from the child, atomic units.
    function collectFrom(address child, address token) external returns (uint256 received);

    /// @notice Makes income of all that is here or due from `children`: wraps native coin, collects from each child as
    ///         `collectFrom` does (its native coin wrapped, its own arrivals accrued first), and accrues every revenue token.
    ///         Anyone may call; money moves in only.
    /// @dev A child or token that reverts fails the call: leave that child out, or accrue token by token. A child's own
    ///      children are not asked; call them first.
    /// @param children Registered Shares that owe this contract: assets it is a parent of, or whose shares it holds.
    function accrueAll(address[] calldata children) external;

    // -- money out -----------------------------------------------------------------------------------------------------

    /// @notice Pays the caller what their shares have earned in `token` as far as it is accrued.
    /// @return amount paid, rounded down, atomic units; 0 if nothing is due.
    function collect(address token) external returns (uint256 amount);

    /// @notice The same, paid to `to`: a holder that a token refuses to pay names another receiver.
    /// @dev Only the holder can start their own payment. Were it open to all, income pushed into an AMM pool could be
    ///      skimmed out of it by the one who pushes.
    function collect(address token, address to) external returns (uint256 amount);

    /// @notice Accrues `token`, then collects it to `to`: one transaction for the last holder to come.
    function accrueAndCollect(address token, address to) external returns (uint256 amount);

    /// @notice Does `accrueAll(children)` and then pays the caller what their shares have earned, in every revenue token, to
    ///         `to`. To be called before shares go into a contract that cannot collect: nothing is left behind.
    /// @return amounts paid in each of the registry's `revenueTokens`, atomic units.
    function collectAll(address[] calldata children, address to) external returns (uint256[] memory amounts);

    /// @notice Pays the caller the royalty it is due as a parent of this asset. Parents call it from `collectFrom`.
    /// @return amount paid, rounded down, atomic units; 0 for a stranger.
    function collectRoyalty(address token) external returns (uint256 amount);

    /// @notice Pays credited protocol fee to the registry's fee sink. Anyone may call.
    /// @return amount paid, atomic units.
    function release(address token) external returns (uint256 amount);

    /// @notice Takes `amountIn` of a revenue token from the caller and gives them `amountOut` of a token that is none, so
    ///         that what was sent in by mistake still becomes income. Only the registry's owner, who answers for the rate:
    ///         above zero. Shares and native coin never leave this way.
    function swapUnlisted(address tokenOut, uint256 amountOut, address tokenIn, uint256 amountIn) external;

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @notice What `holder` could collect in `token` now: what has accrued, and what an accrue (for wrapped native coin a
    ///         `wrap`) would notice. It does not count what children of this asset owe it and have not paid over yet;
    ///         a simulated `collectAll` with them tells that as well.
    function pending(address holder, address token) external view returns (uint256 amount);

    /// @notice Royalty that `parent` could collect in `token` as far as it is accrued.
    function pendingRoyalty(address parent, address token) external view returns (uint256 amount);

    /// @notice The bookkeeping of `token`; all zero if it never accrued here.
    function revenue(address token) external view returns (Revenue memory);

    /// @notice Royalty paid to `parent` in `token` so far, atomic units.
    function royaltyPaid(address parent, address token) external view returns (uint256);

    /// @notice The tokens that have accrued here, oldest first; at most as many as the registry lists.
    function accruedTokens() external view returns (address[] memory);

    /// @notice The asset these are the shares of.
    function assetId() external view returns (AssetId);

    /// @notice How long a new price card is known before it takes effect, seconds.
    function noticePeriod() external view returns (uint32);

    /// @notice The contract that decides who may hold the shares; zero if anyone may.
    function transferPolicy() external view returns (address);

    /// @notice The upstream assets and their royalties, fixed at registration.
    function parents() external view returns (Parent[] memory);

    /// @notice The registry that made this contract; an IAssetRegistry.
    function REGISTRY() external view returns (address);

    /// @notice The wrapped native coin that `wrap` mints.
    function WRAPPED_NATIVE() external view returns (address);

    /// @notice All shares there are and ever will be: 100,000,000 x 10^6.
    function SUPPLY() external view returns (uint256);

    /// @notice The version of this contract's code.
    function VERSION() external view returns (string memory);
}
