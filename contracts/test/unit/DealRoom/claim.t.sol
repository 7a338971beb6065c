// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDealRoom} from "../../../src/interfaces/IDealRoom.sol";
import {DealsBase} from "../../DealsBase.t.sol";

contract DealRoomClaimTest is DealsBase {
    function test_nothing_before_the_cliff_then_linearly_from_the_close() public {
        _sellOut();
        _afterDays(30);
        vm.warp(time() - 1);
        _refused(alice, _is(IDealRoom.NothingDue.selector, alice));
        room.claim(deal, alice);
        assertEq(room.subscriptionOf(deal, alice).claimable, 0, "a second before the cliff");

        _afterDays(30);
        assertEq(room.subscriptionOf(deal, alice).claimable, 40_000 * ONE, "30 of 300 days");
        vm.expectEmit(address(room));
        emit IDealRoom.Claimed(deal, alice, alice, 40_000 * ONE);
        assertEq(_claimTokens(alice), 40_000 * ONE, "paid");
        _refused(alice, _is(IDealRoom.NothingDue.selector, alice));
        room.claim(deal, alice);

        _afterDays(45);
        assertEq(_claimTokens(alice), 20_000 * ONE, "15 days more");
        _afterDays(300);
        assertEq(_claimTokens(alice), 340_000 * ONE, "the rest");
        _afterDays(3_000);
        assertEq(room.subscriptionOf(deal, alice).claimable, 0, "no more");
        assertEq(sale.balanceOf(alice), 400_000 * ONE, "all");
        assertEq(_claimTokens(bob), 500_000 * ONE, "bob's");
        assertEq(_claimTokens(carol), 100_000 * ONE, "carol's");
        assertEq(sale.balanceOf(address(room)), 0, "nothing left");
    }

    function test_what_is_claimed_does_not_depend_on_when(uint256 first, uint256 second) public {
        _oversubscribe();
        first = bound(first, 30 days, 400 days);
        second = bound(second, first, 400 days);
        vm.warp(start + 5 days + first);
        _claimTokens(alice);
        vm.warp(start + 5 days + second);
        uint256 vested = sale.balanceOf(alice) + room.subscriptionOf(deal, alice).claimable;
        uint256 allocation = room.subscriptionOf(deal, alice).allocation;
        uint256 expected = second >= 300 days ? allocation : allocation * second / 300 days;
        assertEq(vested, expected, "as if claimed once");
    }

    function test_without_vesting_all_can_be_claimed_at_the_close() public {
        IDealRoom.Terms memory terms = _terms();
        (terms.cliffDays, terms.vestingDays) = (0, 0);
        deal = _create(terms);
        _sellOut();
        assertEq(_claimTokens(bob), 500_000 * ONE, "all");
    }

    function test_tokens_go_where_the_account_says() public {
        _sellOut();
        _afterDays(300);
        vm.prank(alice);
        room.claim(deal, dave);
        assertEq(sale.balanceOf(dave), 400_000 * ONE, "dave");
        _refused(bob, abi.encodeWithSelector(IDealRoom.InvalidRecipient.selector, address(0)));
        room.claim(deal, address(0));
        _refused(bob, abi.encodeWithSelector(IDealRoom.InvalidRecipient.selector, address(room)));
        room.claim(deal, address(room));
    }

    function test_reverts_whileTheDealSells_ifItFailed_orWithoutASubscription() public {
        _openAll();
        _subscribe(carol, 10_000 * USD);
        _refused(carol, _is(IDealRoom.DealSelling.selector, start + 5 days));
        room.claim(deal, carol);
        _close();
        _refused(carol, _is(IDealRoom.DealFailed.selector, 10_000 * USD, SOFT_CAP));
        room.claim(deal, carol);

        IDealRoom.Terms memory terms = _terms();
        terms.softCap = 1;
        vm.warp(start);
        deal = _create(terms);
        _openAll();
        _subscribe(bob, USD);
        _afterDays(300);
        _refused(dave, _is(IDealRoom.NothingDue.selector, dave));
        room.claim(deal, dave);
    }
}
