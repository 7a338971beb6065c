// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDealRoom} from "../../../src/interfaces/IDealRoom.sol";
import {DealsBase} from "../../DealsBase.t.sol";

contract DealRoomCancelTest is DealsBase {
    function test_the_tokens_go_back_and_nothing_can_be_paid_in() public {
        vm.expectEmit(address(room));
        emit IDealRoom.DealCancelled(deal);
        vm.prank(issuer);
        room.cancel(deal);
        assertTrue(room.dealOf(deal).phase == IDealRoom.Phase.Failed, "phase");
        assertEq(_takeUnsold(), FOR_SALE, "all");
        assertEq(sale.balanceOf(issuer), 2 * FOR_SALE, "back");
        _openAll();
        _refused(alice, _is(IDealRoom.DealClosed.selector, start));
        room.subscribe(deal, USD);
    }

    function test_reverts_whenAnyonePaidIn() public {
        _openAll();
        _subscribe(carol, 1);
        _refused(issuer, _is(IDealRoom.DealStarted.selector, 1));
        room.cancel(deal);
    }

    function test_reverts_whenTheSaleHasEnded_orTheCallerIsNotTheIssuer() public {
        _refused(alice, _is(IDealRoom.NotTheIssuer.selector, alice));
        room.cancel(deal);
        _refused(owner, _is(IDealRoom.NotTheIssuer.selector, owner));
        room.cancel(deal);
        _close();
        _refused(issuer, _is(IDealRoom.DealClosed.selector, start + 5 days));
        room.cancel(deal);
    }
}
