// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Lock, MAX_WEEKS, Prefix, Stream} from "../../src/types/EscrowRows.sol";

/// @notice Proofs of the arithmetic of VoteEscrow's rows, for all amounts, rates and sums that their slots hold.
/// @dev Together: what all stakers are due for a week is at most rate x total weight / 2^96, that is at most what the week
///      spends, and that is at most what waited. So claims never exceed what was notified.
contract EscrowRowsProofs {
    uint256 private constant SCALE_BITS = 96;
    uint256 private constant MAX_PENALTY_BPS = 5_000;
    uint256 private constant BEFORE = 3_000; // the last week that is credited already
    /// @dev 7, 6 and 5 weeks are left then: products with a power of two are shifts, which solvers do not compare.
    uint256 private constant END = BEFORE + 8;

    /// @notice A week spends at most what waits, keeps the rest, and owes its stakers at most what it spends.
    function check_a_week_spends_at_most_what_waits(uint96 amount, uint104 weight, uint16 week) external pure {
        if (weight == 0) return;
        Stream memory stream = Stream(amount, 0, Prefix(0, 0));
        stream.spread(week, weight);
        assert(stream.spent <= amount);
        assert(stream.amount + stream.spent == amount);
        assert(stream.sums.a * weight <= stream.spent << SCALE_BITS);
    }

    /// @notice A claim of three weeks is what the weeks owe the lock by its weights, rounded down once.
    function check_a_claim_is_the_sum_of_its_weeks(
        uint96 amount,
        uint112 a,
        uint128 b,
        uint104 first,
        uint104 second,
        uint104 third
    ) external pure {
        _checkClaim(_lock(amount, END, 0), _sums(a, b, first, second, third), [first, second, third]);
    }

    /// @notice The same of a lock that renews itself.
    function check_a_claim_is_the_sum_of_its_weeks_while_it_renews(
        uint96 amount,
        uint112 a,
        uint128 b,
        uint104 first,
        uint104 second,
        uint104 third
    ) external pure {
        _checkClaim(_lock(amount, 0, 7), _sums(a, b, first, second, third), [first, second, third]);
    }

    /// @notice A claim of two weeks pays as much as two claims of one week, or an atomic unit more.
    function check_claims_of_weeks_are_the_claim_of_all(
        uint96 amount,
        uint112 a,
        uint128 b,
        uint104 first,
        uint104 second
    ) external pure {
        Lock memory held = _lock(amount, END, 0);
        Prefix[4] memory sums = _sums(a, b, first, second, 0);
        uint256 parts = held.dueDown(sums[0], sums[1]) + held.dueDown(sums[1], sums[2]);
        uint256 whole = held.dueDown(sums[0], sums[2]);
        assert(parts <= whole && whole <= parts + 1);
    }

    /// @notice The highest penalty, with 52 weeks left, is at most the amount.
    function check_the_penalty_is_at_most_the_amount(uint96 amount, uint16 bps) external pure {
        if (bps > MAX_PENALTY_BPS) return;
        assert(_lock(amount, BEFORE + MAX_WEEKS, 0).exitPenaltyUp(BEFORE, bps) <= amount);
    }

    function _lock(uint256 amount, uint256 end, uint256 renewal) private pure returns (Lock memory held) {
        (held.amount, held.end, held.renewal) = (amount, end, renewal);
    }

    /// @dev Prefix sums before the first of three weeks, and after each.
    function _sums(uint256 a, uint256 b, uint256 first, uint256 second, uint256 third)
        private
        pure
        returns (Prefix[4] memory sums)
    {
        sums[0] = Prefix(a, b);
        sums[1] = Prefix(sums[0].a + first, sums[0].b + first * (BEFORE + 1));
        sums[2] = Prefix(sums[1].a + second, sums[1].b + second * (BEFORE + 2));
        sums[3] = Prefix(sums[2].a + third, sums[2].b + third * (BEFORE + 3));
    }

    function _checkClaim(Lock memory held, Prefix[4] memory sums, uint104[3] memory rates) private pure {
        uint256 owed = held.weightAt(BEFORE + 1) * rates[0] + held.weightAt(BEFORE + 2) * rates[1];
        owed += held.weightAt(BEFORE + 3) * rates[2];
        assert(held.dueDown(sums[0], sums[3]) == owed >> SCALE_BITS);
    }
}
