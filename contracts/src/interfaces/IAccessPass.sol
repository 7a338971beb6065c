// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetId} from "../types/AssetId.sol";
import {PassId} from "../types/PassId.sol";

/// @title Prepaid use of assets
/// @notice A plan sells packages of credits for one asset; a credit pays one atomic unit of charge. The terms of a plan are
///         its id and never change.
///
///         A credit's life. `buy` mints it and puts its purchase price in escrow here. As long as it circulates it is an
///         ordinary ERC-1155 token. `activate` takes it out of circulation for the asset's meter: only that account can
///         burn it, and each burn releases the purchase price of what was used to the asset's Shares. Credits
///         not used, circulating or activated, are refunded at their purchase price once the asset is retired or the meter
///         concerned has given no sign of life for 30 days. Circulating credits are refunded as well whenever their
///         activation is withheld: while the guardian pauses it, while the asset has no meter, and from the first time on
///         that a meter is named after the plan was made. After a plan's expiry, at the earliest 30 days and the asset's
///         notice period from its making, its credits are void and what is left in escrow goes to the asset's Shares.
///
///         What a meter can do: burn what was activated for it, rightly or not, never more. What the title holder can do:
///         offer plans, stop selling them, name the meter of future activations, which opens refunds of circulating
///         credits. What the guardian can do: pause `buy` and `activate`, which does so too. No role can take escrowed money
///         other than as said above.
/// @dev Escrow of a plan is at any time at least `outstanding x price / credits`, rounded up.
interface IAccessPass {
    /// @notice What a plan sells and what has become of it.
    /// @param token the revenue token it is paid in.
    /// @param expiry from when on its credits are void, Unix seconds; 0: never.
    /// @param selling whether packages can be bought now.
    /// @param meterSince when the asset's meter was named, as of the plan's making, Unix seconds. Once a meter is named
    ///        later, circulating credits are refundable for good.
    /// @param price price of a package, atomic units of `token`.
    /// @param credits credits in a package.
    /// @param outstanding credits sold and neither burned nor refunded.
    /// @param escrow money held for the plan, atomic units.
    struct Plan {
        address token;
        uint40 expiry;
        bool selling;
        uint40 meterSince;
        uint128 price;
        uint128 credits;
        uint128 outstanding;
        uint128 escrow;
    }

    /// @notice A plan is on sale.
    event PlanCreated(
        AssetId indexed asset, PassId indexed id, address token, uint40 expiry, uint128 price, uint128 credits
    );

    /// @notice The title holder stopped or resumed the sale of a plan.
    event SellingSet(AssetId indexed asset, PassId indexed id, bool selling);

    /// @notice Packages were bought. `escrow` is the plan's total afterwards.
    event Bought(
        AssetId indexed asset,
        PassId indexed id,
        address indexed buyer,
        address to,
        uint256 credits,
        uint256 paid,
        uint256 escrow
    );

    /// @notice What became of the credits that a holder activated for a meter.
    /// @param left credits that the meter may burn.
    /// @param burned credits that it burned, in all.
    struct Activation {
        uint128 left;
        uint128 burned;
    }

    /// @notice Credits were taken out of circulation for a meter. `activated` is the total for holder and meter afterwards.
    event Activated(
        AssetId indexed asset,
        PassId indexed id,
        address indexed holder,
        address meter,
        uint256 amount,
        uint256 activated
    );

    /// @notice A meter burned a holder's activated credits for use. `activated` is what it can still burn.
    event Burned(
        AssetId indexed asset,
        PassId indexed id,
        address indexed holder,
        address meter,
        uint256 amount,
        uint256 activated
    );

    /// @notice `burnUpTo` left a holder out, because fewer credits are activated than it wanted to burn: the holder got some
    ///         refunded. `wanted` is what the meter wanted to burn, `activated` what it can.
    event BurnSkipped(
        AssetId indexed asset,
        PassId indexed id,
        address indexed holder,
        address meter,
        uint256 wanted,
        uint256 activated
    );

    /// @notice Purchase money of used or expired credits went to the asset's Shares. `escrow` is the total afterwards.
    event Earned(AssetId indexed asset, PassId indexed id, uint256 amount, uint256 escrow);

    /// @notice Unused credits were refunded. `escrow` is the plan's total afterwards.
    event Refunded(
        AssetId indexed asset,
        PassId indexed id,
        address indexed holder,
        address to,
        uint256 credits,
        uint256 amount,
        uint256 escrow
    );

    /// @notice A meter gave a sign of life.
    event Anchored(AssetId indexed asset, address indexed meter);

    /// @notice The caller does not act for the asset's title holder.
    error NotTitleHolder(AssetId asset, address caller);

    /// @notice No plan has this id.
    error UnknownPlan(PassId id);

    /// @notice A plan with these terms exists already.
    error PlanExists(PassId id);

    /// @notice Price and credits of a plan must be above zero.
    error InvalidPlan(uint128 price, uint128 credits);

    /// @notice A plan's credits live at least 30 days and the asset's notice period, that is to `earliest`.
    error ExpiryTooSoon(uint40 expiry, uint256 earliest);

    /// @notice The plan is not on sale: its seller stopped it or the asset is retired.
    error NotSelling(PassId id);

    /// @notice The plan's credits are void.
    error PlanExpired(PassId id, uint40 expiry);

    /// @notice The plan's credits are not void.
    error PlanNotExpired(PassId id, uint40 expiry);

    /// @notice The token delivered another amount than it was asked for.
    error WrongAmountReceived(address token, uint256 received, uint256 expected);

    /// @notice Credits can be activated for the asset's meter only.
    error NotMeter(AssetId asset, address given, address meter);

    /// @notice Fewer credits are activated for this meter than it wants to burn or the holder wants refunded.
    error NotActivated(PassId id, address holder, address meter, uint256 wanted, uint256 activated);

    /// @notice The asset is in service and its meter alive: credits are for use, not for refund, before `refundableAt`.
    error NotRefundable(PassId id, uint256 refundableAt);

    /// @notice Two lists that belong together differ in length.
    error LengthMismatch(uint256 first, uint256 second);

    // -- the title holder ----------------------------------------------------------------------------------------------

    /// @notice Offers packages of `credits` for `price` each.
    /// @param expiry Unix seconds, at least 30 days and the asset's notice period ahead; 0: the credits never expire.
    /// @return id the plan's id, a digest of its terms: `planIdOf(asset, ...)`.
    function createPlan(AssetId asset, address token, uint40 expiry, uint128 price, uint128 credits)
        external
        returns (PassId id);

    /// @notice Stops or resumes the sale of a plan. Credits sold are not affected.
    function setSelling(PassId id, bool selling) external;

    // -- buyers and holders --------------------------------------------------------------------------------------------

    /// @notice Buys packages: takes `packages x price` from the caller into escrow and mints the credits to `to`.
    /// @dev No highest price is needed: the price is part of the id.
    function buy(PassId id, uint128 packages, address to) external;

    /// @notice Takes `amount` of the caller's credits out of circulation, for `meter` to burn as they are used.
    /// @param meter the asset's meter. It is named so that a change of meter under way cannot redirect the credits.
    function activate(PassId id, uint256 amount, address meter) external;

    /// @notice Gives back `amount` circulating credits of the caller for their purchase price, rounded down; possible from
    ///         `circulatingRefundableAt` on.
    /// @param to who receives the money.
    /// @return paid atomic units of the plan's token.
    function refund(PassId id, uint256 amount, address to) external returns (uint256 paid);

    /// @notice Gives back `amount` credits that the caller had activated for `meter`; possible from `refundableAt` on.
    /// @param to who receives the money.
    /// @return paid atomic units of the plan's token, rounded down.
    function refundActivated(PassId id, address meter, uint256 amount, address to) external returns (uint256 paid);

    // -- meters --------------------------------------------------------------------------------------------------------

    /// @notice Burns credits that `holder` activated for the caller, because they were used.
    /// @return earned money released to the asset's Shares and accrued there, atomic units.
    function burn(address holder, PassId id, uint256 amount) external returns (uint256 earned);

    /// @notice Burns credits of many holders of one plan, until `totals` of them were burned by the caller in all, with one
    ///         payment to the asset's Shares.
    /// @dev Totals, as in a claim of a channel: the same call made twice burns once, and one that comes late burns nothing.
    ///      A holder with fewer activated credits than that is left out, with a `BurnSkipped`: no refund holds up the
    ///      burns of others.
    /// @param totals what the caller will have burned of each holder's credits, over their whole life.
    /// @return earned money released, atomic units.
    function burnUpTo(PassId id, address[] calldata holders, uint256[] calldata totals)
        external
        returns (uint256 earned);

    /// @notice Records that the caller, as meter of `asset`, is alive. Every burn does so too.
    function anchor(AssetId asset) external;

    // -- anyone --------------------------------------------------------------------------------------------------------

    /// @notice Sends what is left in escrow of an expired plan to the asset's Shares and accrues it there.
    /// @return earned atomic units.
    function sweepExpired(PassId id) external returns (uint256 earned);

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @notice The plan and what has become of it.
    function plan(PassId id) external view returns (Plan memory);

    /// @notice The id that a plan with these terms has.
    function planIdOf(AssetId asset, address token, uint40 expiry, uint128 price, uint128 credits)
        external
        pure
        returns (PassId id);

    /// @notice Credits of `holder` that `meter` may burn.
    function activated(PassId id, address holder, address meter) external view returns (uint256);

    /// @notice What a meter needs to know before it serves `holder`.
    /// @return left credits that `meter` may burn; 0 once the plan has expired.
    /// @return burned credits that it burned in all.
    /// @return closesAt from when on what is left may be refunded, Unix seconds; 0: never, for the plan expires before.
    function standing(PassId id, address holder, address meter)
        external
        view
        returns (uint256 left, uint256 burned, uint256 closesAt);

    /// @notice The last sign of life of `meter` for `asset`, Unix seconds: an anchor or a burn; before the first of them, the
    ///         time at which the meter was named. Naming a meter again is not a sign.
    function lastSign(AssetId asset, address meter) external view returns (uint256);

    /// @notice From when on circulating credits of a plan are refundable, Unix seconds; 0: now, because their activation is
    ///         paused, or the asset has no meter, or it named one since the plan was made. A sign of life or an expiry may
    ///         come in between.
    function circulatingRefundableAt(PassId id) external view returns (uint256);

    /// @notice From when on credits that were activated for `meter` are refundable, Unix seconds. A sign of life or an
    ///         expiry may come in between.
    function refundableAt(PassId id, address meter) external view returns (uint256);

    /// @notice The register of the assets that passes are for.
    function REGISTRY() external view returns (address);

    /// @notice The version of this contract's code.
    function VERSION() external view returns (string memory);
}
