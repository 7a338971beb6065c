// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {TestMarket} from "../../src/devnet/TestMarket.sol";
import {IPriceFeed} from "../../src/interfaces/IPriceFeed.sol";
import {IReinvestments} from "../../src/interfaces/IReinvestments.sol";
import {IReinvestor} from "../../src/interfaces/IReinvestor.sol";
import {IVoteEscrow} from "../../src/interfaces/IVoteEscrow.sol";
import {Reinvestor} from "../../src/staking/Reinvestor.sol";
import {FeeToken} from "../mocks/FeeToken.sol";
import {OddRouter} from "../mocks/OddRouter.sol";
import {ReinvestBase} from "./ReinvestBase.t.sol";

/// @notice Revenue that becomes part of a lock: what is bought, what refuses, what the owner sets.
contract ReinvestTest is ReinvestBase {
    function test_revenue_becomes_tokens_of_the_lock_and_its_end_stays() public {
        uint256 end = escrow.lockOf(alice).endsAt;
        uint256 expected = reinvestor.expectedOut(DUE);
        uint256 bought = _reinvest(alice, LEAST);
        assertEq(bought, expected, "as the market said");
        assertLe(LEAST, bought, "as the price allows");
        assertEq(_amountOf(alice), LOCKED + bought, "locked");
        assertEq(escrow.lockOf(alice).endsAt, end, "its end stays");
        assertEq(dollar.balanceOf(alice), 0, "no dollar went through her");
        assertEq(_claim(alice), 0, "nothing is due any more");
        _assertEmpty();
    }

    function test_a_renewing_lock_grows_too() public {
        _renew(alice, true);
        uint256 bought = _reinvest(alice, 0);
        assertEq(_amountOf(alice), LOCKED + bought, "locked");
        assertEq(escrow.lockOf(alice).renewalWeeks, 50, "and renews itself");
    }

    function test_revenue_of_many_weeks_is_reinvested_together_and_again_later() public {
        _earn(DUE + 2);
        _nextWeek(1);
        feed.set(PRICE, time());
        uint256 first = _reinvest(alice, 2 * LEAST);
        _earn(DUE + 2);
        _nextWeek(1);
        feed.set(PRICE, time());
        uint256 second = _reinvest(alice, LEAST);
        assertEq(_amountOf(alice), LOCKED + first + second, "all of it");
    }

    function test_reverts_whenNothingIsDue_orTheDeadlineHasPassed() public {
        uint256 deadline = time();
        _refused(bob, abi.encodeWithSelector(IReinvestments.NothingToReinvest.selector, bob));
        escrow.reinvest(address(reinvestor), 0, deadline);
        _refused(alice, abi.encodeWithSelector(IReinvestments.ReinvestmentExpired.selector, deadline - 1));
        escrow.reinvest(address(reinvestor), 0, deadline - 1);
        _assertUntouched();
    }

    function test_reverts_whenTheReinvestorIsNoLocker() public {
        vm.prank(owner);
        escrow.setLocker(address(reinvestor), false);
        _failing(0, abi.encodeWithSelector(IVoteEscrow.NotALocker.selector, address(reinvestor)));
    }

    function test_reverts_whenTheLockIsOver_orInItsLastWeek() public {
        _nextWeek(50);
        feed.set(PRICE, time());
        _failing(0, abi.encodeWithSelector(IVoteEscrow.LockTooShort.selector, alice, 0, 1));
        _nextWeek(1);
        feed.set(PRICE, time());
        _failing(0, abi.encodeWithSelector(IVoteEscrow.LockTooShort.selector, alice, 0, 1));
        _withdraw(alice);
        uint256 deadline = time();
        _refused(alice, abi.encodeWithSelector(IReinvestor.NothingLocked.selector, alice));
        escrow.reinvest(address(reinvestor), 0, deadline);
        assertEq(_claim(alice), DUE, "a claim pays it");
    }

    function test_reverts_whenTheMarketGivesLessThanTheAccountNamed() public {
        uint256 expected = reinvestor.expectedOut(DUE);
        _failing(expected + 1, abi.encodeWithSelector(TestMarket.TooLittle.selector, expected, expected + 1));
        assertEq(_reinvest(alice, expected), expected, "exactly that much is enough");
    }

    function test_reverts_whenTheMarketIsWorseThanThePriceAllows() public {
        feed.set(PRICE * 97 / 100, time()); // by the feed the market asks 3 % too much
        uint256 least = reinvestor.leastOut(DUE);
        uint256 expected = reinvestor.expectedOut(DUE);
        _failing(0, abi.encodeWithSelector(TestMarket.TooLittle.selector, expected, least));
        feed.set(PRICE * 983 / 1000, time());
        assertEq(_reinvest(alice, 0), expected, "1.7 % is within the bound");
    }

    function test_the_least_follows_price_and_slippage() public {
        assertEq(reinvestor.leastOut(DUE), LEAST, "10 dollars at 0.05, less 2 %");
        feed.set(3e6, time());
        assertEq(reinvestor.leastOut(DUE), 326_666_666_666_666_666_667, "rounded up");
        (int256 answer, uint8 decimals, uint256 updatedAt) = reinvestor.price();
        assertEq(uint256(answer), 3e6, "price");
        assertEq(decimals, 8, "decimals");
        assertEq(updatedAt, time(), "age");
    }

    // -- a price that counts -------------------------------------------------------------------------------------------

    function test_reverts_whenThePriceIsStale_orFromTheFuture() public {
        uint256 reported = time();
        skip(MAX_AGE);
        uint256 state = vm.snapshotState();
        _reinvest(alice, 0);
        vm.revertToState(state);
        skip(1);
        _failing(0, abi.encodeWithSelector(IReinvestor.StalePrice.selector, reported, MAX_AGE));
        feed.set(PRICE, time() + 1);
        _failing(0, abi.encodeWithSelector(IReinvestor.StalePrice.selector, time() + 1, MAX_AGE));
        feed.set(PRICE, 0);
        _failing(0, abi.encodeWithSelector(IReinvestor.StalePrice.selector, 0, MAX_AGE));
    }

    function test_reverts_whenThePriceIsNone(int256 answer) public {
        if (answer > 0) answer = answer % 2 == 0 ? -answer : type(int256).max - answer % type(int128).max;
        feed.set(answer, time());
        _failing(0, abi.encodeWithSelector(IReinvestor.InvalidPrice.selector, answer));
        feed.set(0, time());
        _failing(0, abi.encodeWithSelector(IReinvestor.InvalidPrice.selector, 0));
    }

    function test_reverts_whenTheFeedsDecimalsAreAbsurd() public {
        feed.setDecimals(19);
        _failing(0, abi.encodeWithSelector(IReinvestor.InvalidPrice.selector, PRICE));
    }

    function test_reverts_whenThePriceIsSoHighThatTheAmountBuysNothing() public {
        feed.set(type(int128).max, time());
        _failing(0, abi.encodeWithSelector(IReinvestor.AmountTooSmall.selector, DUE));
    }

    /// @dev Whatever price, amount and depth: bought is at least what was named and what the price allows, or nothing moves.
    function test_bounds_hold_at_any_price_and_depth(uint256 seed, uint256 price, uint256 minOut) public {
        price = price % 2 == 0 ? bound(price, 1, 1e12) : bound(price, 48e5, 55e5);
        feed.set(int256(price), time());
        minOut = bound(minOut, 0, minOut % 2 == 0 ? LEAST : 2 * LEAST);
        token.burn(market, bound(seed, 0, seed % 2 == 0 ? 20_000_000 * ONE - 1 : 400_000 * ONE));
        uint256 least = (DUE * 1e20 / price * 98 + 99) / 100;
        uint256 expected = reinvestor.expectedOut(DUE);
        uint256 deadline = time();
        vm.prank(alice);
        try escrow.reinvest(address(reinvestor), minOut, deadline) returns (uint256 bought) {
            assertEq(bought, expected, "as the market said");
            assertLe(minOut, bought, "at least what she named");
            assertLe(least, bought, "at least what the price allows");
            assertEq(_amountOf(alice), LOCKED + bought, "locked");
            _assertEmpty();
        } catch {
            assertTrue(expected < minOut || expected < least, "only where a bound says so");
            _assertUntouched();
        }
    }

    // -- what tokens and routers do ------------------------------------------------------------------------------------

    function test_what_the_router_leaves_is_returned_to_the_account() public {
        OddRouter router = _oddRouter(2_500, LEAST);
        assertEq(_reinvest(alice, 0), LEAST, "bought");
        assertEq(dollar.balanceOf(alice), DUE * 3 / 4, "the rest is hers");
        assertEq(dollar.balanceOf(address(router)), DUE / 4, "what it took");
        _assertEmpty();
    }

    function test_tokens_that_were_sent_here_go_to_the_next_account_and_stop_no_one() public {
        dollar.mint(address(reinvestor), 1_000_000 * DOLLAR);
        token.mint(address(reinvestor), 7 * ONE);
        uint256 bought = _reinvest(alice, LEAST);
        assertEq(_amountOf(alice), LOCKED + bought + 7 * ONE, "tokens");
        assertEq(dollar.balanceOf(alice), 1_000_000 * DOLLAR, "dollars");
        _assertEmpty();
    }

    function test_a_gift_does_not_count_as_bought() public {
        _oddRouter(10_000, LEAST - 1);
        token.mint(address(reinvestor), LEAST);
        vm.expectRevert(_tooLittle(LEAST - 1, LEAST));
        _reinvest(alice, 0);
    }

    function test_a_revenue_token_that_keeps_a_fee_is_counted_as_it_came() public {
        _prepare(new FeeToken());
        FeeToken(address(dollar)).setCharging(true);
        uint256 bought = _reinvest(alice, 0);
        assertEq(_amountOf(alice), LOCKED + bought, "locked");
        assertLe(reinvestor.leastOut(DUE * 99 / 100), bought, "for what arrived");
        _assertEmpty();
    }

    // -- owner ---------------------------------------------------------------------------------------------------------

    function test_the_owner_sets_the_venue_within_its_bounds() public {
        IReinvestor.Venue memory wanted = _venue(market);
        (wanted.maxAge, wanted.maxSlippageBps) = (uint32(2 days), 1_000);
        _set(owner, wanted, "");
        assertEq(reinvestor.venue().maxSlippageBps, 1_000, "slippage");
        assertEq(reinvestor.venue().maxAge, 2 days, "age");
        wanted.maxAge = uint32(2 days) + 1;
        _set(owner, wanted, abi.encodeWithSelector(IReinvestor.OutOfBounds.selector, 2 days + 1, 1, 2 days));
        wanted.maxAge = 0;
        _set(owner, wanted, abi.encodeWithSelector(IReinvestor.OutOfBounds.selector, 0, 1, 2 days));
        wanted = _venue(market);
        wanted.maxSlippageBps = 1_001;
        _set(owner, wanted, abi.encodeWithSelector(IReinvestor.OutOfBounds.selector, 1_001, 0, 1_000));
        _set(alice, _venue(market), abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, alice));
    }

    function test_reverts_whenRouterFeedOrPathCannotBe() public {
        address[5] memory wrong = [alice, address(escrow), address(token), address(dollar), address(reinvestor)];
        IReinvestor.Venue memory wanted = _venue(market);
        for (uint256 i = 0; i < wrong.length; ++i) {
            _set(owner, _venue(wrong[i]), abi.encodeWithSelector(IReinvestor.InvalidVenue.selector, wrong[i]));
            wanted.feed = IPriceFeed(wrong[i]);
            _set(owner, wanted, abi.encodeWithSelector(IReinvestor.InvalidVenue.selector, wrong[i]));
        }
        wanted = _venue(market);
        (wanted.path[0], wanted.path[1]) = (address(token), address(dollar));
        _set(owner, wanted, abi.encodeWithSelector(IReinvestor.InvalidPath.selector, wanted.path));
        wanted.path = new address[](5);
        (wanted.path[0], wanted.path[4]) = (address(dollar), address(token));
        _set(owner, wanted, abi.encodeWithSelector(IReinvestor.InvalidPath.selector, wanted.path));
        wanted.path = new address[](0);
        _set(owner, wanted, abi.encodeWithSelector(IReinvestor.InvalidPath.selector, wanted.path));
        feed.setDecimals(19);
        _set(owner, _venue(market), abi.encodeWithSelector(IReinvestor.OutOfBounds.selector, 19, 0, 18));
    }

    function test_the_owner_closes_it_and_revenue_is_claimed_as_before() public {
        IReinvestor.Venue memory none;
        _set(owner, none, "");
        _failing(0, abi.encodeWithSelector(IReinvestor.Closed.selector));
        assertEq(_claim(alice), DUE, "a claim needs no market");
    }

    function test_before_a_venue_is_set_it_is_closed() public {
        reinvestor = Reinvestor(deploy("Reinvestor.sol:Reinvestor", abi.encode(owner, escrow)));
        vm.prank(owner);
        escrow.setLocker(address(reinvestor), true);
        _failing(0, abi.encodeWithSelector(IReinvestor.Closed.selector));
    }

    function test_reverts_whenTheEscrowIsNone() public {
        bytes memory code = bytes.concat(vm.getCode("Reinvestor.sol:Reinvestor"), abi.encode(owner, alice));
        vm.expectRevert(abi.encodeWithSelector(IReinvestor.InvalidVenue.selector, alice));
        assembly ("memory-safe") {
            pop(create(0, add(code, 0x20), mload(code)))
        }
    }

    function _set(address caller, IReinvestor.Venue memory venue, bytes memory reason) private {
        if (reason.length != 0) vm.expectRevert(reason);
        vm.prank(caller);
        reinvestor.setVenue(venue);
    }

    function _oddRouter(uint256 takenBps, uint256 given) private returns (OddRouter router) {
        router = new OddRouter();
        token.mint(address(router), FUNDS);
        router.set(takenBps, given);
        _setVenue(address(router));
    }
}
