// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IDealRoom} from "../../../src/interfaces/IDealRoom.sol";
import {TwoStepOwner} from "../../../src/lib/TwoStepOwner.sol";
import {DealsBase} from "../../DealsBase.t.sol";

contract DealRoomTakeProceedsTest is DealsBase {
    function test_the_issuer_gets_what_was_accepted_less_the_fee() public {
        _oversubscribe();
        vm.expectEmit(address(room));
        emit IDealRoom.ProceedsTaken(deal, issuer, 97_500 * USD, 2_500 * USD);
        assertEq(_takeProceeds(), 97_500 * USD, "of 130,000 that were paid, 100,000 were accepted");
        assertEq(dollar.balanceOf(issuer), 97_500 * USD, "paid");
        assertEq(room.feesDue(address(dollar)), 2_500 * USD, "fee");
        assertEq(dollar.balanceOf(address(room)), 32_500 * USD, "refunds and fee are here");
        _refused(issuer, _is(IDealRoom.NothingDue.selector, issuer));
        room.takeProceeds(deal, issuer);
    }

    function test_unsold_tokens_go_back() public {
        _openAll();
        _subscribe(bob, 25_000 * USD);
        _close();
        vm.expectEmit(address(room));
        emit IDealRoom.TokensReturned(deal, dave, 750_000 * ONE);
        vm.prank(issuer);
        assertEq(room.takeUnsold(deal, dave), 750_000 * ONE, "three quarters");
        assertEq(sale.balanceOf(dave), 750_000 * ONE, "where the issuer says");
        assertEq(_takeProceeds(), 25_000 * USD - 625 * USD, "a quarter's price");
        _afterDays(300);
        assertEq(_claimTokens(bob), 250_000 * ONE, "bob's");
        assertEq(sale.balanceOf(address(room)), 0, "nothing left");
    }

    function test_reverts_whileTheDealSells_orIfItFailed() public {
        _openAll();
        _subscribe(carol, USD);
        _refused(issuer, _is(IDealRoom.DealSelling.selector, start + 5 days));
        room.takeProceeds(deal, issuer);
        _refused(issuer, _is(IDealRoom.DealSelling.selector, start + 5 days));
        room.takeUnsold(deal, issuer);
        _close();
        _refused(issuer, _is(IDealRoom.DealFailed.selector, USD, SOFT_CAP));
        room.takeProceeds(deal, issuer);
    }

    function test_reverts_whenTheCallerIsNotTheIssuer() public {
        _sellOut();
        address[3] memory callers = [owner, alice, sink];
        for (uint256 i = 0; i < 3; ++i) {
            _refused(callers[i], _is(IDealRoom.NotTheIssuer.selector, callers[i]));
            room.takeProceeds(deal, callers[i]);
            _refused(callers[i], _is(IDealRoom.NotTheIssuer.selector, callers[i]));
            room.takeUnsold(deal, callers[i]);
        }
    }

    function test_anyone_sends_the_fees_to_the_sink() public {
        _sellOut();
        _takeProceeds();
        vm.expectEmit(address(room));
        emit IDealRoom.FeesReleased(address(dollar), sink, 2_500 * USD);
        vm.prank(dave);
        assertEq(room.releaseFees(address(dollar)), 2_500 * USD, "released");
        assertEq(dollar.balanceOf(sink), 2_500 * USD, "paid");
        assertEq(room.releaseFees(address(dollar)), 0, "once");
        assertEq(room.releaseFees(address(sale)), 0, "no fee in tokens that are sold");
    }

    function test_the_fee_is_bounded_and_only_the_owner_sets_it() public {
        vm.startPrank(owner);
        _refusedFee(sink, 501);
        _refusedFee(address(0), 0);
        _refusedFee(address(room), 0);
        vm.expectEmit(address(room));
        emit IDealRoom.FeeSet(dave, 500);
        room.setFee(dave, 500);
        vm.stopPrank();
        (address sink_, uint256 bps) = room.platformFee();
        assertEq(sink_, dave, "sink");
        assertEq(bps, 500, "fee");
        _refused(issuer, abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, issuer));
        room.setFee(issuer, 0);
    }

    function test_the_owner_can_hand_over_and_not_give_up() public {
        vm.prank(owner);
        room.transferOwnership(bob);
        vm.prank(bob);
        room.acceptOwnership();
        assertEq(room.owner(), bob, "accepted");
        _refused(bob, abi.encodeWithSelector(TwoStepOwner.OwnershipNotRenounceable.selector));
        room.renounceOwnership();
    }

    function _refusedFee(address sink_, uint16 bps) private {
        vm.expectRevert(abi.encodeWithSelector(IDealRoom.InvalidDealFee.selector, sink_, bps));
        room.setFee(sink_, bps);
    }
}
