// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDealRoom} from "../../../src/interfaces/IDealRoom.sol";
import {DealsBase} from "../../DealsBase.t.sol";

contract DealRoomRefundTest is DealsBase {
    function test_a_deal_that_failed_returns_all_that_was_paid() public {
        _miss();
        assertTrue(room.dealOf(deal).phase == IDealRoom.Phase.Failed, "phase");
        assertEq(room.subscriptionOf(deal, carol).refundable, 10_000 * USD, "shown");
        assertEq(room.subscriptionOf(deal, carol).allocation, 0, "no tokens");
        vm.expectEmit(address(room));
        emit IDealRoom.Refunded(deal, carol, carol, 10_000 * USD);
        assertEq(_refund(carol), 10_000 * USD, "paid");
        assertEq(dollar.balanceOf(carol), HARD_CAP, "back");
        assertEq(room.subscriptionOf(deal, carol).refundable, 0, "no more");
        _refused(carol, _is(IDealRoom.NothingDue.selector, carol));
        room.refund(deal, carol);
        assertEq(_takeUnsold(), FOR_SALE, "the issuer's tokens");
    }

    function test_a_window_that_passes_the_hard_cap_is_shared_in_proportion_rounding_down() public {
        _oversubscribe();
        // 100,000 of 130,000 is accepted
        assertEq(room.subscriptionOf(deal, alice).allocation, 615_384_615384615384615384, "alice");
        assertEq(room.subscriptionOf(deal, bob).allocation, 384_615_384615384615384615, "bob");
        assertEq(_refund(alice), 18_461_538461, "alice's excess");
        assertEq(_refund(bob), 11_538_461538, "bob's excess");
    }

    function test_earlier_windows_are_filled_first() public {
        vm.warp(start + 1 hours);
        _subscribe(alice, 80_000 * USD);
        vm.warp(start + 12 hours);
        _subscribe(bob, 50_000 * USD);
        _close();
        assertEq(room.subscriptionOf(deal, alice).allocation, 800_000 * ONE, "alice: all");
        assertEq(room.subscriptionOf(deal, alice).refundable, 0, "alice: no excess");
        assertEq(room.subscriptionOf(deal, bob).allocation, 200_000 * ONE, "bob: what was left");
        assertEq(_refund(bob), 30_000 * USD, "bob's excess");
        _refused(alice, _is(IDealRoom.NothingDue.selector, alice));
        room.refund(deal, alice);
    }

    function test_refund_and_claim_are_independent() public {
        _oversubscribe();
        _afterDays(300);
        _claimTokens(alice);
        _refund(alice);
        _refund(bob);
        _claimTokens(bob);
        _refused(alice, _is(IDealRoom.NothingDue.selector, alice));
        room.refund(deal, alice);
        _refused(bob, _is(IDealRoom.NothingDue.selector, bob));
        room.claim(deal, bob);
    }

    function test_it_goes_where_the_account_says() public {
        _miss();
        _refused(carol, abi.encodeWithSelector(IDealRoom.InvalidRecipient.selector, address(room)));
        room.refund(deal, address(room));
        vm.prank(carol);
        room.refund(deal, dave);
        assertEq(dollar.balanceOf(dave), HARD_CAP + 10_000 * USD, "dave");
    }

    function test_reverts_whileTheDealSells_orWithoutASubscription() public {
        _openAll();
        _subscribe(carol, USD);
        _refused(carol, _is(IDealRoom.DealSelling.selector, start + 5 days));
        room.refund(deal, carol);
        _close();
        _refused(dave, _is(IDealRoom.NothingDue.selector, dave));
        room.refund(deal, dave);
    }

    function test_the_soft_cap_is_reached_exactly_and_missed_by_one_unit() public {
        _openAll();
        _subscribe(bob, SOFT_CAP - 1);
        uint256 snapshot = vm.snapshotState();
        _close();
        assertTrue(room.dealOf(deal).phase == IDealRoom.Phase.Failed, "missed");
        vm.revertToState(snapshot);
        _openAll();
        _subscribe(carol, 1);
        _close();
        assertTrue(room.dealOf(deal).phase == IDealRoom.Phase.Succeeded, "reached");
        _refused(bob, _is(IDealRoom.NothingDue.selector, bob));
        room.refund(deal, bob);
    }
}
