// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DealId} from "../types/DealId.sol";
import {IDealPolicy} from "./IDealPolicy.sol";
import {ILevels} from "./ILevels.sol";

/// @title IDealRoom
/// @notice Sales of tokens at a fixed price, to which higher levels come earlier and with more.
///
/// A deal's life. Its issuer creates it with its terms and all the tokens for sale in one transaction: a deal that exists is
/// funded. The thresholds of the ten levels and the fee are copied then; later changes of them do not touch the deal.
/// Each level has an opening time and a cap. From its opening to `closesAt`, an account of that level, or of a higher one,
/// may `subscribe`: pay in up to its level's cap. Its score is that of the start of the running week. An account may pay in
/// several parts, all in one window; a window runs from one opening to the next.
///
/// After `closesAt`, a deal into which less than its soft cap was paid has failed: `refund` returns all payments, and the
/// issuer takes all tokens back. Otherwise windows are filled in the order of time, up to the hard cap. In the window in
/// which it is reached, all accounts get the same part of what they paid for; a later window does not open. `refund` returns
/// the excess. `claim` pays the tokens as they vest: nothing before the cliff, then linearly from `closesAt`. The
/// issuer takes the proceeds, less the fee, and the tokens that were not sold.
///
/// Rounding. Allocations and refunds round down, by less than an atomic unit each. The rest is the issuer's, once every
/// account of the deal is allotted; anyone may `allot` an account.
///
/// Always true: an account pays at most its cap and is allocated at most what it paid for; allocations are at most what
/// is for sale; the contract holds every payment that may have to be refunded and every token that is allocated and not
/// claimed; neither the policy, the issuer, the owner nor a token of another deal can stop a refund or a claim.
/// @dev Both tokens must deliver what they are asked to, which is checked when they come in, and must not rebase. A token that
///      breaks later affects the deals with that token only.
interface IDealRoom {
    /// @notice Where a deal is in its life.
    enum Phase {
        Unknown,
        Selling,
        Failed,
        Succeeded
    }

    /// @notice What a level may do in a deal.
    /// @param cap The most that an account may pay in, atomic units of the payment token; 0: the level is not admitted.
    /// @param opensAt From when it may subscribe, Unix seconds.
    struct LevelTerms {
        uint96 cap;
        uint40 opensAt;
    }

    /// @notice The terms of a deal.
    /// @param saleToken What is sold.
    /// @param paymentToken What is paid, another token.
    /// @param policy The contract that decides which accounts may subscribe; zero: every account may.
    /// @param forSale Atomic units of the sale token, at least `MIN_FOR_SALE`.
    /// @param hardCap The price of all that is for sale, atomic units of the payment token.
    /// @param softCap The least to be paid in, or the deal fails: 1 to `hardCap`.
    /// @param closesAt When the sale ends and vesting begins, Unix seconds; at most `MAX_SALE` from now.
    /// @param cliffDays Days after `closesAt` before which nothing can be claimed, at most `vestingDays`.
    /// @param vestingDays Days after `closesAt` until all can be claimed, at most `MAX_VESTING_DAYS`.
    /// @param levels By level, 0 to 10. A higher level has no smaller cap and opens no later. Level 10 is admitted.
    struct Terms {
        address saleToken;
        address paymentToken;
        IDealPolicy policy;
        uint96 forSale;
        uint96 hardCap;
        uint96 softCap;
        uint40 closesAt;
        uint16 cliffDays;
        uint16 vestingDays;
        LevelTerms[11] levels;
    }

    /// @notice A deal.
    /// @param phase Where it is in its life.
    /// @param issuer Sells, and gets proceeds and unsold tokens.
    /// @param saleToken What is sold.
    /// @param paymentToken What is paid.
    /// @param policy The contract that decides which accounts may subscribe; zero: every account may.
    /// @param forSale Atomic units of the sale token.
    /// @param hardCap The price of all that is for sale, atomic units of the payment token.
    /// @param softCap The least to be paid in, or the deal fails.
    /// @param closesAt When the sale ends and vesting begins, Unix seconds.
    /// @param cliffDays Days after `closesAt` before which nothing can be claimed.
    /// @param vestingDays Days after `closesAt` until all can be claimed.
    /// @param feeBps The platform's part of the proceeds, hundredths of a per cent.
    /// @param paid What was paid in by all accounts, refunded or not.
    /// @param proceedsTaken What the issuer took of it, the fee included.
    /// @param tokensTaken What the issuer took back of the sale token.
    struct DealView {
        Phase phase;
        address issuer;
        address saleToken;
        address paymentToken;
        address policy;
        uint256 forSale;
        uint256 hardCap;
        uint256 softCap;
        uint256 closesAt;
        uint256 cliffDays;
        uint256 vestingDays;
        uint256 feeBps;
        uint256 paid;
        uint256 proceedsTaken;
        uint256 tokensTaken;
    }

    /// @notice What an account has in a deal. While the deal sells, `allocation` and `refundable` are what it would get if the
    ///         sale ended now.
    /// @param paid Atomic units of the payment token.
    /// @param allocation Tokens that it gets in all, atomic units of the sale token.
    /// @param claimed Tokens that it got.
    /// @param claimable Tokens that it can claim now.
    /// @param refundable What it can have refunded, atomic units of the payment token; 0 if it was.
    struct SubscriptionView {
        uint256 paid;
        uint256 allocation;
        uint256 claimed;
        uint256 claimable;
        uint256 refundable;
    }

    /// @notice A deal was created and funded. `thresholds` are those of the levels 1 to 10.
    event DealCreated(DealId indexed deal, address indexed issuer, Terms terms, uint256[10] thresholds, uint256 feeBps);

    /// @notice The issuer cancelled a deal into which nothing was paid.
    event DealCancelled(DealId indexed deal);

    /// @notice An account paid in. `level` is its level in this deal; `window` is the lowest level that was open.
    event Subscribed(DealId indexed deal, address indexed account, uint256 amount, uint256 level, uint256 window);

    /// @notice An account's allocation and refund were fixed.
    event Allotted(DealId indexed deal, address indexed account, uint256 allocation, uint256 refund);

    /// @notice An account got tokens.
    event Claimed(DealId indexed deal, address indexed account, address indexed to, uint256 amount);

    /// @notice An account got back what it paid in too much, or all of a deal that failed.
    event Refunded(DealId indexed deal, address indexed account, address indexed to, uint256 amount);

    /// @notice The issuer got `amount`, and the platform `fee`.
    event ProceedsTaken(DealId indexed deal, address indexed to, uint256 amount, uint256 fee);

    /// @notice The issuer got tokens back.
    event TokensReturned(DealId indexed deal, address indexed to, uint256 amount);

    /// @notice The owner set the fee of deals to come, and where all fees go.
    event FeeSet(address indexed sink, uint256 feeBps);

    /// @notice Fees were paid to the sink.
    event FeesReleased(address indexed token, address indexed sink, uint256 amount);

    /// @notice The Levels contract has no code.
    error InvalidLevels(address levels);

    /// @notice A token without code, or the same as the other.
    error InvalidDealToken(address token);

    /// @notice The policy has no code.
    error InvalidPolicy(address policy);

    /// @notice Too little for sale, no price, or a soft cap that is 0 or above the hard cap.
    error InvalidAmounts(uint256 forSale, uint256 hardCap, uint256 softCap);

    /// @notice The sale ends in the past or too late, or vesting is too long or ends before the cliff.
    error InvalidDates(uint256 closesAt, uint256 cliffDays, uint256 vestingDays);

    /// @notice A cap or an opening time that cannot be: see `Terms.levels`.
    error InvalidLevelTerms(uint256 level, uint256 cap, uint256 opensAt);

    /// @notice The fee is above its bound, or its sink zero or this contract.
    error InvalidDealFee(address sink, uint256 bps);

    /// @notice Tokens cannot be sent to this address: zero, or this contract.
    error InvalidRecipient(address to);

    /// @notice The deal exists already. Choose another salt.
    error DealExists(DealId deal);

    /// @notice The deal does not exist.
    error UnknownDeal(DealId deal);

    /// @notice The sale has ended.
    error DealClosed(DealId deal, uint256 closesAt);

    /// @notice The sale has not ended.
    error DealSelling(DealId deal, uint256 closesAt);

    /// @notice Less than the soft cap was paid in.
    error DealFailed(DealId deal, uint256 paid, uint256 softCap);

    /// @notice Something was paid in: the deal runs to its end.
    error DealStarted(DealId deal, uint256 paid);

    /// @notice Only the issuer of the deal may do this.
    error NotTheIssuer(DealId deal, address caller);

    /// @notice The account's level is not admitted to this deal.
    error LevelNotAdmitted(address account, uint256 level);

    /// @notice The account's level may not subscribe yet.
    error NotOpen(address account, uint256 level, uint256 opensAt);

    /// @notice The deal's policy does not let the account subscribe.
    error RefusedByPolicy(address policy, address account);

    /// @notice Nothing was to be paid in, or more than the account's level may still pay in.
    error InvalidAmount(uint256 amount, uint256 left);

    /// @notice The account paid into an earlier window; more can be paid in the same window only.
    error OtherWindow(address account, uint256 window, uint256 current);

    /// @notice The windows before this one reached the hard cap.
    error SoldOut(DealId deal);

    /// @notice The deal would hold 2^96 or more.
    error TooMuchPaid(DealId deal, uint256 paid);

    /// @notice There is nothing to pay out now.
    error NothingDue(DealId deal, address account);

    /// @notice The token delivered another amount than it was asked for.
    error WrongAmountReceived(address token, uint256 received, uint256 expected);

    // -- issuers -------------------------------------------------------------------------------------------------------

    /// @notice Creates a deal of the caller and takes all the tokens for sale, by the caller's allowance.
    /// @param terms The terms.
    /// @param salt Any value: tells deals with the same terms apart.
    /// @return deal Its id.
    function create(Terms calldata terms, bytes32 salt) external returns (DealId deal);

    /// @notice Ends a deal into which nothing was paid. The tokens can be taken back at once. Issuer only.
    function cancel(DealId deal) external;

    /// @notice Pays the proceeds of a deal that succeeded, less the fee, which rounds down. Issuer only.
    /// @dev Once every account is allotted, it also pays what refunds were rounded down by.
    /// @param to Who gets them.
    /// @return amount Atomic units of the payment token, the fee taken off.
    function takeProceeds(DealId deal, address to) external returns (uint256 amount);

    /// @notice Returns the tokens that were not sold; of a deal that failed, all. Issuer only.
    /// @dev Once every account is allotted, it also returns what allocations were rounded down by.
    /// @param to Who gets them.
    /// @return amount Atomic units of the sale token.
    function takeUnsold(DealId deal, address to) external returns (uint256 amount);

    // -- subscribers ---------------------------------------------------------------------------------------------------

    /// @notice Pays into a deal, by the caller's allowance. The payment stays here until the deal closes.
    /// @param amount Atomic units of the payment token.
    function subscribe(DealId deal, uint256 amount) external;

    /// @notice Pays the caller's tokens that have vested and were not claimed.
    /// @param to Who gets them.
    /// @return amount Atomic units of the sale token.
    function claim(DealId deal, address to) external returns (uint256 amount);

    /// @notice Returns what the caller paid in too much; of a deal that failed, all.
    /// @param to Who gets it.
    /// @return amount Atomic units of the payment token.
    function refund(DealId deal, address to) external returns (uint256 amount);

    // -- anyone --------------------------------------------------------------------------------------------------------

    /// @notice Fixes the allocation and the refund of an account of a deal that has closed. Moves no tokens. `claim` and
    ///         `refund` do it by themselves.
    function allot(DealId deal, address account) external;

    /// @notice Pays the fees in a token to the sink.
    /// @return amount Atomic units.
    function releaseFees(address token) external returns (uint256 amount);

    // -- owner ---------------------------------------------------------------------------------------------------------

    /// @notice Sets the fee of deals that are created from now on, and where all fees go. Owner only.
    /// @param sink Gets the fees.
    /// @param feeBps Hundredths of a per cent of the proceeds, at most `MAX_FEE_BPS`.
    function setFee(address sink, uint16 feeBps) external;

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @notice A deal; all zero if there is none.
    function dealOf(DealId deal) external view returns (DealView memory);

    /// @notice What a level may do in a deal.
    /// @param level 0 to 10.
    /// @return threshold The least Staking Score, as it was when the deal was created.
    /// @return cap The most that an account may pay in; 0: not admitted.
    /// @return opensAt From when it may subscribe, Unix seconds.
    function levelTermsOf(DealId deal, uint256 level)
        external
        view
        returns (uint256 threshold, uint256 cap, uint256 opensAt);

    /// @notice The account's level in a deal, by the deal's thresholds and its score at the start of the running week.
    function levelIn(DealId deal, address account) external view returns (uint256 level);

    /// @notice What an account has in a deal.
    function subscriptionOf(DealId deal, address account) external view returns (SubscriptionView memory);

    /// @notice The fee of deals to come.
    /// @return sink Gets all fees.
    /// @return bps Hundredths of a per cent of the proceeds.
    function platformFee() external view returns (address sink, uint16 bps);

    /// @notice Fees that wait for `releaseFees`, atomic units.
    function feesDue(address token) external view returns (uint256);

    /// @notice The levels whose thresholds deals copy.
    function LEVELS() external view returns (ILevels);

    /// @notice The highest fee, hundredths of a per cent.
    function MAX_FEE_BPS() external view returns (uint16);

    /// @notice The least to be for sale, atomic units: so rounding costs an account less than a billionth of a deal.
    function MIN_FOR_SALE() external view returns (uint256);

    /// @notice The longest sale, seconds.
    function MAX_SALE() external view returns (uint256);

    /// @notice The longest vesting, days.
    function MAX_VESTING_DAYS() external view returns (uint256);

    /// @notice Version of this contract.
    function VERSION() external view returns (string memory);
}
