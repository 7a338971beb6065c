// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @notice What is sold and when (see `Deal`): token (160 bits), `closesAt` (40), `cliffDays`, `vestingDays`, `feeBps` (16 each).
type SaleRow is uint256;

/// @notice An address (160 bits) and an amount (96).
type PartyRow is uint256;

/// @notice Two amounts (96 bits each).
type SumsRow is uint256;

/// @notice What a level may do in a deal (see `Tier`): threshold (96 bits), cap (96), `opensAt` (40).
type TierRow is uint256;

/// @notice What one account paid into a deal and got from it (see `Subscription`).
type SubscriptionRow is uint256;

/// @notice The terms of a deal. Fixed when it is created, but for `closesAt` of a deal that is cancelled.
/// @param saleToken What is sold.
/// @param closesAt When the sale ends and vesting begins, Unix seconds; 0: the deal does not exist.
/// @param cliffDays Days after `closesAt` before which nothing can be claimed.
/// @param vestingDays Days after `closesAt` until all can be claimed.
/// @param feeBps The platform's part of the proceeds, hundredths of a per cent.
/// @param paymentToken What is paid.
/// @param forSale Atomic units of the sale token.
/// @param issuer Sells, and gets proceeds and unsold tokens.
/// @param hardCap The price of all that is for sale, atomic units of the payment token.
/// @param policy The contract that decides which accounts may subscribe; zero: every account may.
/// @param softCap The least to be paid in, or the deal fails.
struct Deal {
    address saleToken;
    uint256 closesAt;
    uint256 cliffDays;
    uint256 vestingDays;
    uint256 feeBps;
    address paymentToken;
    uint256 forSale;
    address issuer;
    uint256 hardCap;
    address policy;
    uint256 softCap;
}

/// @notice The rows of a deal's terms: one slot each.
/// @param sale See `SaleRow`.
/// @param payment Payment token and `forSale`.
/// @param issuer Issuer and hard cap.
/// @param policy Policy and soft cap.
struct DealRow {
    SaleRow sale;
    PartyRow payment;
    PartyRow issuer;
    PartyRow policy;
}

/// @notice What a level may do in a deal.
/// @param threshold The least Staking Score, as it was when the deal was created.
/// @param cap The most that an account may pay in; 0: the level is not admitted.
/// @param opensAt From when it may subscribe, Unix seconds.
struct Tier {
    uint256 threshold;
    uint256 cap;
    uint256 opensAt;
}

/// @notice What was paid into a window, by all its accounts.
/// @param before What was paid into the windows before it.
/// @param paid What was paid into it.
struct Window {
    uint256 before;
    uint256 paid;
}

/// @notice What one account paid into a deal and got from it.
/// @param paid Atomic units of the payment token (96 bits).
/// @param claimed Atomic units of the sale token (96 bits).
/// @param window The window that it paid into (8 bits).
/// @param allotted Whether its allocation and refund are in the deal's sums.
/// @param refunded Whether its refund was paid.
struct Subscription {
    uint256 paid;
    uint256 claimed;
    uint256 window;
    bool allotted;
    bool refunded;
}

uint256 constant ALLOTTED = 1;
uint256 constant REFUNDED = 2;

using DealRows for DealRow global;
using DealRows for PartyRow global;
using DealRows for SumsRow global;
using DealRows for TierRow global;
using DealRows for SubscriptionRow global;
using DealRows for Deal global;
using DealRows for Tier global;
using DealRows for Subscription global;

function packParty(address account, uint256 amount) pure returns (PartyRow) {
    return PartyRow.wrap(uint256(uint160(account)) << 96 | amount);
}

function packSums(uint256 one, uint256 two) pure returns (SumsRow) {
    return SumsRow.wrap(one << 96 | two);
}

/// @title The rows of DealRoom
/// @dev Packed by hand: the compiler writes a packed struct field by field. Callers say why fields fit.
library DealRows {
    function read(DealRow storage row) internal view returns (Deal memory deal) {
        uint256 word = SaleRow.unwrap(row.sale);
        deal.saleToken = address(uint160(word >> 96));
        deal.closesAt = uint40(word >> 56);
        deal.cliffDays = uint16(word >> 40);
        deal.vestingDays = uint16(word >> 24);
        deal.feeBps = uint16(word >> 8);
        (deal.paymentToken, deal.forSale) = row.payment.unpack();
        (deal.issuer, deal.hardCap) = row.issuer.unpack();
        (deal.policy, deal.softCap) = row.policy.unpack();
    }

    function write(DealRow storage row, Deal memory deal) internal {
        row.sale = deal.packSale();
        row.payment = packParty(deal.paymentToken, deal.forSale);
        row.issuer = packParty(deal.issuer, deal.hardCap);
        row.policy = packParty(deal.policy, deal.softCap);
    }

    function packSale(Deal memory deal) internal pure returns (SaleRow) {
        uint256 word = uint256(uint160(deal.saleToken)) << 96 | deal.closesAt << 56 | deal.cliffDays << 40;
        return SaleRow.wrap(word | deal.vestingDays << 24 | deal.feeBps << 8);
    }

    function unpack(PartyRow row) internal pure returns (address account, uint256 amount) {
        return (address(uint160(PartyRow.unwrap(row) >> 96)), uint96(PartyRow.unwrap(row)));
    }

    function unpack(SumsRow row) internal pure returns (uint256 one, uint256 two) {
        return (SumsRow.unwrap(row) >> 96, uint96(SumsRow.unwrap(row)));
    }

    function first(SumsRow row) internal pure returns (uint256) {
        return SumsRow.unwrap(row) >> 96;
    }

    function unpack(TierRow row) internal pure returns (Tier memory tier) {
        uint256 word = TierRow.unwrap(row);
        (tier.threshold, tier.cap, tier.opensAt) = (word >> 136, uint96(word >> 40), uint40(word));
    }

    function pack(Tier memory tier) internal pure returns (TierRow) {
        return TierRow.wrap(tier.threshold << 136 | tier.cap << 40 | tier.opensAt);
    }

    function unpack(SubscriptionRow row) internal pure returns (Subscription memory subscription) {
        uint256 word = SubscriptionRow.unwrap(row);
        (subscription.paid, subscription.claimed) = (word >> 112, uint96(word >> 16));
        subscription.window = uint8(word >> 8);
        subscription.allotted = word & ALLOTTED != 0;
        subscription.refunded = word & REFUNDED != 0;
    }

    function pack(Subscription memory subscription) internal pure returns (SubscriptionRow) {
        uint256 word = subscription.paid << 112 | subscription.claimed << 16 | subscription.window << 8;
        if (subscription.allotted) word |= ALLOTTED;
        if (subscription.refunded) word |= REFUNDED;
        return SubscriptionRow.wrap(word);
    }

    /// @notice Whether the level may subscribe at `time`.
    function isOpen(Tier memory tier, uint256 time) internal pure returns (bool) {
        return tier.cap != 0 && tier.opensAt <= time;
    }

    /// @notice What the deal accepts of a window's payments: windows are filled in the order of time.
    function accepted(Deal memory deal, Window memory window) internal pure returns (uint256) {
        return Math.min(window.paid, Math.saturatingSub(deal.hardCap, window.before));
    }

    /// @notice Tokens for `paid` of a window's payments: the same part of it for all, at the deal's price.
    function allocationDown(Deal memory deal, Window memory window, uint256 paid) internal pure returns (uint256) {
        if (paid == 0) return 0;
        return Math.mulDiv(paid * deal.accepted(window), deal.forSale, window.paid * deal.hardCap);
    }

    /// @notice The excess of `paid` of a window's payments.
    function excessDown(Deal memory deal, Window memory window, uint256 paid) internal pure returns (uint256) {
        if (paid == 0) return 0;
        return paid * (window.paid - deal.accepted(window)) / window.paid;
    }

    /// @notice What of an allocation has vested at `time`, which is not before `closesAt`.
    function vestedDown(Deal memory deal, uint256 allocation, uint256 time) internal pure returns (uint256) {
        uint256 elapsed = time - deal.closesAt;
        if (elapsed < deal.cliffDays * 1 days) return 0;
        uint256 duration = deal.vestingDays * 1 days;
        return elapsed >= duration ? allocation : allocation * elapsed / duration;
    }
}
