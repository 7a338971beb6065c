// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @notice One account's lock (see `Lock`), in one slot.
/// @dev The rows of VoteEscrow are packed by hand: the compiler writes a packed struct field by field. Weeks count from the
///      Unix epoch, so 16 bits last until the year 3226. Callers say why the other fields fit.
type LockRow is uint256;

/// @notice Weight of many locks together at the start of a week (see `Sum`), in one slot.
type SumRow is uint256;

/// @notice What waits to be paid to stakers (see `Pot`), in one slot.
type PotRow is uint256;

/// @notice Both prefix sums of a stream at the end of a week (see `Prefix`), in one slot.
type PrefixRow is uint256;

/// @notice A lock, as it counts from week `start` on. The state before lies under `start - 1` in the account's history.
/// @param amount Atomic units of the platform token (96 bits).
/// @param credited Revenue that is due already, atomic units of the revenue token (96 bits).
/// @param end The week in which it can be withdrawn; 0 while it renews itself (16 bits).
/// @param start The first week that this state counts in (16 bits).
/// @param unpaid The first week whose revenue is not credited yet; at least `start - 1` (16 bits).
/// @param renewal Weeks that it is held at while it renews itself; 0 if it does not (8 bits).
/// @param withdrawn Whether the principal has left after the end; `amount` stays, for revenue and past votes.
/// @param delegated Whether another account votes with it.
struct Lock {
    uint256 amount;
    uint256 credited;
    uint256 end;
    uint256 start;
    uint256 unpaid;
    uint256 renewal;
    bool withdrawn;
    bool delegated;
}

/// @notice What a lock adds to a sum in some week.
/// @param weight Amount x weeks left.
/// @param slope What `weight` loses each week: the amount, or 0 for a lock that renews itself or has ended.
/// @param last The last week with weight, if `slope` is not 0.
struct Part {
    uint256 weight;
    uint256 slope;
    uint256 last;
}

/// @notice The sum of many locks at the start of week `week`.
/// @param weight Sum of amount x weeks left (104 bits).
/// @param slope Sum of the amounts of those that decay and have not ended (96 bits).
/// @param week The week (16 bits).
/// @param penalized Of the total: whether anyone ever paid a penalty.
struct Sum {
    uint256 weight;
    uint256 slope;
    uint256 week;
    bool penalized;
}

/// @notice Revenue that waits.
/// @param amount For the running week, with what was carried, atomic units (96 bits).
/// @param held All that is due to stakers or waits, `amount` included, atomic units (96 bits).
/// @param week The running week, as far as it was rolled (16 bits).
/// @param penalized Whether anyone ever paid a penalty.
struct Pot {
    uint256 amount;
    uint256 held;
    uint256 week;
    bool penalized;
}

/// @notice Prefix sums of a stream over weeks: its amount, by unit of weight, x 2^96.
/// @param a Sum of rates (120 bits: 2^16 weeks of at most 2^104).
/// @param b Sum of rate x week (136 bits).
struct Prefix {
    uint256 a;
    uint256 b;
}

/// @notice One stream of money (revenue, or penalties) while weeks are closed.
/// @param amount What waits, atomic units.
/// @param spent What the last division took.
/// @param sums Its prefix sums.
struct Stream {
    uint256 amount;
    uint256 spent;
    Prefix sums;
}

/// @notice Penalties that wait. One slot.
/// @param earlier Those of weeks before the rolled one.
/// @param fresh Its own.
struct Penalties {
    uint128 earlier;
    uint128 fresh;
}

/// @notice What the owner of the escrow sets. One slot.
/// @param scoreFloor Total score under which revenue is carried.
/// @param exitPenaltyBps Penalty with 52 weeks left, hundredths of a per cent; 0: no early exit.
struct Parameters {
    uint128 scoreFloor;
    uint16 exitPenaltyBps;
}

/// @dev The longest lock.
uint256 constant MAX_WEEKS = 52;
uint256 constant BPS = 10_000;
/// @dev Scale of rates, as a power of two: a rate loses less than an atomic unit for a whole supply of 2^96.
uint256 constant SCALE_BITS = 96;
/// @dev A week's rate is at most this, so that the prefix sums of 2^16 weeks fit their slot. What is above is carried.
uint256 constant MAX_RATE = 1 << 104;
uint256 constant WITHDRAWN = 1;
uint256 constant DELEGATED = 2;
uint256 constant MAX_AMOUNT = type(uint96).max;
uint256 constant MAX_WEIGHT = type(uint104).max;

/// @notice More is locked than the sums of an escrow can hold: 2^96 atomic units that decay, or a weight of 2^104.
error TotalTooLarge(uint256 weight, uint256 slope);

using EscrowRows for LockRow global;
using EscrowRows for SumRow global;
using EscrowRows for PotRow global;
using EscrowRows for PrefixRow global;
using EscrowRows for Lock global;
using EscrowRows for Sum global;
using EscrowRows for Pot global;
using EscrowRows for Prefix global;
using EscrowRows for Stream global;

/// @title The rows of VoteEscrow
library EscrowRows {
    function unpack(LockRow row) internal pure returns (Lock memory lock) {
        uint256 word = LockRow.unwrap(row);
        lock.amount = word >> 160;
        lock.credited = uint96(word >> 64);
        lock.end = uint16(word >> 48);
        lock.start = uint16(word >> 32);
        lock.unpaid = uint16(word >> 16);
        lock.renewal = uint8(word >> 8);
        lock.withdrawn = word & WITHDRAWN != 0;
        lock.delegated = word & DELEGATED != 0;
    }

    function pack(Lock memory lock) internal pure returns (LockRow) {
        uint256 word = lock.amount << 160 | lock.credited << 64 | lock.end << 48 | lock.start << 32;
        word |= lock.unpaid << 16 | lock.renewal << 8;
        if (lock.withdrawn) word |= WITHDRAWN;
        if (lock.delegated) word |= DELEGATED;
        return LockRow.wrap(word);
    }

    /// @notice Amount x weeks left at the start of `week`, which is not before the state's start.
    function weightAt(Lock memory lock, uint256 week) internal pure returns (uint256) {
        if (lock.renewal != 0) return lock.amount * lock.renewal;
        return lock.end > week ? lock.amount * (lock.end - week) : 0;
    }

    /// @notice What the lock adds to a sum at the start of `week`.
    function partAt(Lock memory lock, uint256 week) internal pure returns (Part memory part) {
        part.weight = lock.weightAt(week);
        if (part.weight != 0 && lock.renewal == 0) (part.slope, part.last) = (lock.amount, lock.end - 1);
    }

    /// @notice The tokens in the lock, ended or not.
    function principal(Lock memory lock) internal pure returns (uint256) {
        return lock.withdrawn ? 0 : lock.amount;
    }

    /// @notice Full weeks left from the start of `week` on.
    function weeksLeft(Lock memory lock, uint256 week) internal pure returns (uint256) {
        return lock.renewal != 0 ? lock.renewal : Math.saturatingSub(lock.end, week);
    }

    /// @notice The penalty of an exit in week `current`: `bps` of the score. It falls by as much each week.
    function exitPenaltyUp(Lock memory lock, uint256 current, uint256 bps) internal pure returns (uint256) {
        uint256 left = lock.renewal != 0 ? lock.renewal + 1 : lock.weeksLeft(current);
        return Math.ceilDiv(lock.amount * Math.min(left, MAX_WEEKS) * bps, MAX_WEEKS * BPS);
    }

    /// @notice What the weeks after `first` up to `last` owe a lock that has weight in all of them.
    function dueDown(Lock memory lock, Prefix memory first, Prefix memory last) internal pure returns (uint256) {
        uint256 a = last.a - first.a;
        uint256 perUnit = lock.renewal != 0 ? lock.renewal * a : lock.end * a - (last.b - first.b);
        return lock.amount * perUnit >> SCALE_BITS;
    }

    /// @notice Divides what waits by the total weight of a week. What the rate does not divide stays, for the next week.
    function spread(Stream memory stream, uint256 week, uint256 weight) internal pure {
        uint256 rate = Math.min((stream.amount << SCALE_BITS) / weight, MAX_RATE);
        stream.spent = (rate * weight + (1 << SCALE_BITS) - 1) >> SCALE_BITS;
        stream.amount -= stream.spent;
        stream.sums.a += rate;
        stream.sums.b += rate * week;
    }

    function unpack(SumRow row) internal pure returns (Sum memory sum) {
        uint256 word = SumRow.unwrap(row);
        sum.weight = uint104(word >> 112);
        sum.slope = uint96(word >> 16);
        sum.week = uint16(word);
        sum.penalized = word >> 216 != 0;
    }

    function pack(Sum memory sum) internal pure returns (SumRow) {
        require(sum.weight <= MAX_WEIGHT && sum.slope <= MAX_AMOUNT, TotalTooLarge(sum.weight, sum.slope));
        uint256 word = sum.weight << 112 | sum.slope << 16 | sum.week;
        return SumRow.wrap(sum.penalized ? word | 1 << 216 : word);
    }

    /// @notice Takes `old` out of the sum and puts `fresh` in, both at the sum's week.
    function replace(Sum memory sum, Part memory old, Part memory fresh) internal pure {
        sum.weight = sum.weight + fresh.weight - old.weight;
        sum.slope = sum.slope + fresh.slope - old.slope;
    }

    function unpack(PotRow row) internal pure returns (Pot memory pot) {
        uint256 word = PotRow.unwrap(row);
        pot.amount = uint96(word >> 112);
        pot.held = uint96(word >> 16);
        pot.week = uint16(word);
        pot.penalized = word >> 208 != 0;
    }

    function pack(Pot memory pot) internal pure returns (PotRow) {
        uint256 word = pot.amount << 112 | pot.held << 16 | pot.week;
        return PotRow.wrap(pot.penalized ? word | 1 << 208 : word);
    }

    function unpack(PrefixRow row) internal pure returns (Prefix memory prefix) {
        prefix.a = PrefixRow.unwrap(row) >> 136;
        prefix.b = uint136(PrefixRow.unwrap(row));
    }

    function pack(Prefix memory prefix) internal pure returns (PrefixRow) {
        return PrefixRow.wrap(prefix.a << 136 | prefix.b);
    }
}
