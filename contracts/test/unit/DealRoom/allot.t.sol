// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDealRoom} from "../../../src/interfaces/IDealRoom.sol";
import {DealsBase} from "../../DealsBase.t.sol";

contract DealRoomAllotTest is DealsBase {
    function test_anyone_allots_an_account_once_and_moves_nothing() public {
        _oversubscribe();
        uint256 dollars = dollar.balanceOf(address(room));
        vm.expectEmit(address(room));
        emit IDealRoom.Allotted(deal, alice, 615_384_615384615384615384, 18_461_538461);
        vm.prank(dave);
        room.allot(deal, alice);
        room.allot(deal, alice);
        assertEq(dollar.balanceOf(address(room)), dollars, "dollars");
        assertEq(sale.balanceOf(address(room)), FOR_SALE, "tokens");
        assertEq(_refund(alice), 18_461_538461, "the refund is still hers");
        _afterDays(300);
        assertEq(_claimTokens(alice), 615_384_615384615384615384, "and the tokens");
    }

    function test_what_was_rounded_off_is_the_issuers_once_all_are_allotted() public {
        _oversubscribe();
        assertEq(_takeProceeds(), HARD_CAP - HARD_CAP * FEE_BPS / 10_000, "at once");
        _refused(issuer, _is(IDealRoom.NothingDue.selector, issuer));
        room.takeUnsold(deal, issuer);
        room.allot(deal, alice);
        _refused(issuer, _is(IDealRoom.NothingDue.selector, issuer));
        room.takeProceeds(deal, issuer);
        room.allot(deal, bob);
        assertEq(_takeProceeds(), 1, "refunds are rounded down by a unit together");
        assertEq(_takeUnsold(), 1, "so are allocations");
        _refund(alice);
        _refund(bob);
        _afterDays(300);
        _claimTokens(alice);
        _claimTokens(bob);
        room.releaseFees(address(dollar));
        assertEq(dollar.balanceOf(address(room)), 0, "no dollar stays");
        assertEq(sale.balanceOf(address(room)), 0, "no token stays");
    }

    function test_reverts_whileTheDealSells_orWithoutASubscription() public {
        _openAll();
        _subscribe(carol, USD);
        vm.expectRevert(_is(IDealRoom.DealSelling.selector, start + 5 days));
        room.allot(deal, carol);
        _close();
        vm.expectRevert(_is(IDealRoom.NothingDue.selector, dave));
        room.allot(deal, dave);
    }
}
