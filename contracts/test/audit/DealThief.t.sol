// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IDealPolicy} from "../../src/interfaces/IDealPolicy.sol";
import {IDealRoom} from "../../src/interfaces/IDealRoom.sol";
import {DealsBase} from "../DealsBase.t.sol";
import {BlacklistToken} from "../mocks/BlacklistToken.sol";
import {DealAllowList} from "../mocks/DealAllowList.sol";
import {PlainToken} from "../mocks/PlainToken.sol";
import {ReenteringToken} from "../mocks/ReenteringToken.sol";

/// @notice What issuers, subscribers, tokens and policies try in a deal room, and who could be locked out by whom.
contract DealThiefTest is DealsBase {
    function test_a_policy_that_breaks_stops_neither_refunds_nor_claims() public {
        DealAllowList policy = new DealAllowList();
        IDealRoom.Terms memory terms = _terms();
        terms.policy = IDealPolicy(address(policy));
        deal = _create(terms);
        policy.list(deal, alice, true);
        policy.list(deal, bob, true);
        vm.warp(start + 12 hours);
        _subscribe(alice, 80_000 * USD);
        _subscribe(bob, 50_000 * USD);
        policy.list(deal, alice, false);
        policy.breakDown();
        _refused(bob, abi.encodeWithSelector(DealAllowList.Broken.selector));
        room.subscribe(deal, 1);

        _afterDays(300);
        _refund(alice);
        _claimTokens(alice);
        _takeProceeds();
        assertEq(dollar.balanceOf(alice), HARD_CAP - 80_000 * USD + 18_461_538461, "refunded");
        assertTrue(sale.balanceOf(alice) != 0, "claimed");
    }

    function test_a_blacklisted_account_names_another_address_and_stops_no_one() public {
        BlacklistToken money = new BlacklistToken();
        _payIn(address(money));
        money.mint(alice, HARD_CAP);
        money.mint(bob, HARD_CAP);
        _approve(alice, money);
        _approve(bob, money);
        _oversubscribe();
        money.blacklist(alice, true);
        _refused(alice, abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, alice));
        room.refund(deal, alice);
        vm.prank(alice);
        assertEq(room.refund(deal, dave), 18_461_538461, "elsewhere");
        _refund(bob);
        _takeProceeds();
        _afterDays(300);
        assertTrue(_claimTokens(alice) != 0, "tokens are another matter");
    }

    /// @dev The fee waits here, so a sink that cannot be paid is not in the issuer's way.
    function test_a_blacklisted_sink_stops_no_proceeds() public {
        BlacklistToken money = new BlacklistToken();
        _payIn(address(money));
        money.mint(alice, HARD_CAP);
        _approve(alice, money);
        _openAll();
        _subscribe(alice, HARD_CAP);
        _close();
        money.blacklist(sink, true);
        assertEq(_takeProceeds(), 97_500 * USD, "paid");
        vm.expectRevert(abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, sink));
        room.releaseFees(address(money));
        vm.prank(owner);
        room.setFee(dave, 0);
        assertEq(room.releaseFees(address(money)), 2_500 * USD, "to a new sink");
    }

    function test_the_issuer_never_takes_what_has_to_be_refunded() public {
        _oversubscribe();
        _takeProceeds();
        assertEq(dollar.balanceOf(address(room)), 30_000 * USD + 2_500 * USD, "refunds and the fee");
        room.releaseFees(address(dollar));
        _refund(alice);
        _refund(bob);
        assertEq(dollar.balanceOf(address(room)), 1, "rounded off, the issuer's");
    }

    /// @dev Two deals with the same tokens: one that failed, one that passed its hard cap. Each pays from its own.
    function test_a_deal_pays_nothing_of_another() public {
        IDealRoom.Terms memory terms = _terms();
        terms.softCap = uint96(HARD_CAP);
        deal = _create(terms);
        vm.warp(start + 12 hours);
        _subscribe(bob, 50_000 * USD);
        vm.warp(start);
        IDealRoom.Terms memory mine = _terms();
        mine.vestingDays = 301;
        sale.mint(issuer, FOR_SALE);
        deal = _create(mine);
        _oversubscribeWithCarol();
        vm.prank(issuer);
        room.takeProceeds(deal, issuer);
        room.releaseFees(address(dollar));
        _refund(alice);
        _refund(carol);
        uint256 left = dollar.balanceOf(address(room));
        assertTrue(left >= 50_000 * USD && left <= 50_000 * USD + 2, "bob's payment into the other deal");
        _refused(bob, _is(IDealRoom.NothingDue.selector, bob));
        room.refund(deal, bob);
    }

    function test_tokens_that_call_back_find_the_door_locked() public {
        ReenteringToken money = new ReenteringToken();
        _payIn(address(money));
        money.mint(alice, HARD_CAP);
        money.mint(bob, HARD_CAP);
        _approve(alice, money);
        _approve(bob, money);
        bytes[6] memory calls = [
            abi.encodeCall(room.subscribe, (deal, 1)),
            abi.encodeCall(room.refund, (deal, dave)),
            abi.encodeCall(room.claim, (deal, dave)),
            abi.encodeCall(room.allot, (deal, alice)),
            abi.encodeCall(room.takeProceeds, (deal, dave)),
            abi.encodeCall(room.releaseFees, (address(money)))
        ];
        vm.warp(start + 12 hours);
        for (uint256 i = 0; i < calls.length; ++i) {
            money.aim(address(room), calls[i]);
            _subscribe(alice, 80_000 * USD / calls.length + 1);
            _assertLocked(money);
        }
        _subscribe(bob, 50_000 * USD);
        _close();
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < calls.length; ++i) {
            money.aim(address(room), calls[i]);
            _refund(alice);
            _assertLocked(money);
            vm.revertToState(snapshot);
        }
    }

    /// @dev Views are right while a token moves: the numbers have moved before.
    function test_a_view_in_the_midst_of_a_refund_shows_it_as_paid() public {
        ReenteringToken money = new ReenteringToken();
        _payIn(address(money));
        money.mint(alice, HARD_CAP);
        _approve(alice, money);
        vm.warp(start + 1 hours);
        _subscribe(alice, SOFT_CAP - 1);
        _close();
        money.aim(address(room), abi.encodeCall(room.subscriptionOf, (deal, alice)));
        _refund(alice);
        IDealRoom.SubscriptionView memory seen = abi.decode(money.answer(), (IDealRoom.SubscriptionView));
        assertEq(seen.refundable, 0, "paid");
    }

    /// @dev Tokens that are sent here plainly belong to no deal: they change no result.
    function test_a_donation_changes_nothing(uint96 dollars, uint96 tokens) public {
        dollar.mint(address(room), dollars);
        sale.mint(address(room), tokens);
        _oversubscribe();
        assertEq(_takeProceeds(), 97_500 * USD, "proceeds");
        assertEq(_refund(alice), 18_461_538461, "refund");
        _refused(issuer, _is(IDealRoom.NothingDue.selector, issuer));
        room.takeUnsold(deal, issuer);
    }

    /// @dev Where caps grow slower than thresholds, a lock that is split over accounts may pay in more. Issuers who mind ask a
    ///      policy, or let caps grow like thresholds.
    function test_limit_split_locks_may_pay_in_more_where_caps_grow_slower_than_thresholds() public {
        IDealRoom.Terms memory terms = _terms();
        for (uint256 level = 1; level <= 10; ++level) {
            terms.levels[level].cap = uint96(20_000 * USD);
        }
        deal = _create(terms);
        _openAll();
        _subscribe(carol, 20_000 * USD);
        _refused(alice, abi.encodeWithSelector(IDealRoom.InvalidAmount.selector, 20_000 * USD + 1, 20_000 * USD));
        room.subscribe(deal, 20_000 * USD + 1);
    }

    function _payIn(address money) private {
        IDealRoom.Terms memory terms = _terms();
        terms.paymentToken = money;
        deal = _create(terms);
    }

    function _approve(address account, PlainToken money) private {
        vm.prank(account);
        money.approve(address(room), type(uint256).max);
    }

    function _oversubscribeWithCarol() private {
        _openAll();
        _subscribe(alice, 100_000 * USD);
        _subscribe(carol, 10_000 * USD);
        _close();
    }

    function _assertLocked(ReenteringToken money) private view {
        assertTrue(!money.succeeded(), "entered");
        assertTrue(
            bytes4(money.answer()) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector, "by the lock"
        );
    }
}
