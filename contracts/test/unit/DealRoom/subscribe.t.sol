// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDealPolicy} from "../../../src/interfaces/IDealPolicy.sol";
import {IDealRoom} from "../../../src/interfaces/IDealRoom.sol";
import {DealId} from "../../../src/types/DealId.sol";
import {DealsBase} from "../../DealsBase.t.sol";
import {DealAllowList} from "../../mocks/DealAllowList.sol";
import {FeeToken} from "../../mocks/FeeToken.sol";

contract DealRoomSubscribeTest is DealsBase {
    function test_the_payment_is_here_and_counted() public {
        _openAll();
        vm.expectEmit(address(room));
        emit IDealRoom.Subscribed(deal, bob, 1_000 * USD, 5, 1);
        _subscribe(bob, 1_000 * USD);
        assertEq(dollar.balanceOf(address(room)), 1_000 * USD, "held");
        assertEq(room.dealOf(deal).paid, 1_000 * USD, "of the deal");
        assertEq(room.subscriptionOf(deal, bob).paid, 1_000 * USD, "of the account");
        assertEq(room.subscriptionOf(deal, bob).refundable, 1_000 * USD, "while the soft cap is not reached");
        _subscribe(bob, 19_000 * USD);
        assertEq(room.subscriptionOf(deal, bob).allocation, 200_000 * ONE, "once it is");
        assertEq(room.subscriptionOf(deal, bob).refundable, 0, "no excess");
    }

    function test_a_higher_level_comes_earlier() public {
        vm.warp(start + 1 hours - 1);
        _refused(alice, _notOpen(alice, 10, start + 1 hours));
        room.subscribe(deal, USD);
        vm.warp(start + 1 hours);
        _subscribe(alice, USD);
        _refused(bob, _notOpen(bob, 5, start + 12 hours));
        room.subscribe(deal, USD);
        vm.warp(start + 12 hours);
        _subscribe(bob, USD);
        _refused(carol, _notOpen(carol, 1, start + 1 days));
        room.subscribe(deal, USD);
        vm.warp(start + 1 days);
        _subscribe(carol, USD);
    }

    function test_a_higher_level_may_pay_more_and_none_more_than_its_cap() public {
        _openAll();
        _subscribe(carol, 6_000 * USD);
        _refused(carol, _invalidAmount(4_001 * USD, 4_000 * USD));
        room.subscribe(deal, 4_001 * USD);
        _subscribe(carol, 4_000 * USD);
        _refused(carol, _invalidAmount(1, 0));
        room.subscribe(deal, 1);
        _refused(bob, _invalidAmount(50_000 * USD + 1, 50_000 * USD));
        room.subscribe(deal, 50_000 * USD + 1);
        _refused(bob, _invalidAmount(0, 50_000 * USD));
        room.subscribe(deal, 0);
    }

    function test_reverts_whenTheLevelIsNotAdmitted() public {
        _openAll();
        _refused(dave, abi.encodeWithSelector(IDealRoom.LevelNotAdmitted.selector, dave, 0));
        room.subscribe(deal, USD);
    }

    function test_the_score_is_that_of_the_weeks_start() public {
        _lock(dave, FUNDS, 52);
        _allowExits(1_000);
        _exit(bob);
        _openAll();
        _refused(dave, abi.encodeWithSelector(IDealRoom.LevelNotAdmitted.selector, dave, 0));
        room.subscribe(deal, USD);
        _subscribe(bob, 50_000 * USD);
    }

    function test_a_level_that_falls_takes_nothing_that_was_paid() public {
        IDealRoom.Terms memory terms = _terms();
        terms.closesAt = uint40(start + 20 days);
        deal = _create(terms);
        _openAll();
        _subscribe(alice, 95_000 * USD);
        _nextWeek(1);
        assertEq(room.levelIn(deal, alice), 9, "a score falls with the weeks");
        _refused(alice, _invalidAmount(1, 0));
        room.subscribe(deal, 1);
        assertEq(room.subscriptionOf(deal, alice).paid, 95_000 * USD, "paid");
    }

    function test_more_can_be_paid_in_the_same_window_only() public {
        vm.warp(start + 1 hours);
        _subscribe(alice, USD);
        vm.warp(start + 12 hours - 1);
        _subscribe(alice, USD);
        vm.warp(start + 12 hours);
        _refused(alice, abi.encodeWithSelector(IDealRoom.OtherWindow.selector, alice, 8, 5));
        room.subscribe(deal, USD);
    }

    function test_reverts_whenEarlierWindowsReachedTheHardCap() public {
        vm.warp(start + 1 hours);
        _subscribe(alice, 100_000 * USD);
        vm.warp(start + 12 hours);
        _refused(bob, _is(IDealRoom.SoldOut.selector));
        room.subscribe(deal, USD);
    }

    function test_reverts_whenTheSaleHasEnded_orThereIsNone() public {
        _close();
        _refused(alice, _is(IDealRoom.DealClosed.selector, start + 5 days));
        room.subscribe(deal, USD);
        DealId other = DealId.wrap(bytes32(uint256(1)));
        _refused(alice, abi.encodeWithSelector(IDealRoom.UnknownDeal.selector, other));
        room.subscribe(other, USD);
    }

    function test_a_policy_decides_by_account() public {
        DealAllowList policy = new DealAllowList();
        IDealRoom.Terms memory terms = _terms();
        terms.policy = IDealPolicy(address(policy));
        deal = _create(terms);
        _openAll();
        _refused(bob, abi.encodeWithSelector(IDealRoom.RefusedByPolicy.selector, address(policy), bob));
        room.subscribe(deal, USD);
        policy.list(deal, bob, true);
        _subscribe(bob, USD);
        assertEq(room.subscriptionOf(deal, bob).paid, USD, "paid");
    }

    function test_reverts_whenTheTokenKeepsAFee() public {
        FeeToken taxed = new FeeToken();
        taxed.mint(bob, HARD_CAP);
        IDealRoom.Terms memory terms = _terms();
        terms.paymentToken = address(taxed);
        deal = _create(terms);
        taxed.setCharging(true);
        _openAll();
        vm.prank(bob);
        taxed.approve(address(room), HARD_CAP);
        _refused(
            bob, abi.encodeWithSelector(IDealRoom.WrongAmountReceived.selector, address(taxed), 99 * USD, 100 * USD)
        );
        room.subscribe(deal, 100 * USD);
    }

    /// @dev Beside the obvious way: the lowest level that is open names the window.
    function test_the_window_is_the_lowest_level_that_is_open(uint256 seed, uint256 at) public {
        IDealRoom.Terms memory terms = _terms();
        uint256 first = bound(seed, 0, 10);
        uint256 opensAt = start + 4 days;
        for (uint256 level = 0; level <= 10; ++level) {
            seed = uint256(keccak256(abi.encode(seed)));
            if (level != 0) opensAt -= bound(seed, 0, 1) * 8 hours;
            terms.levels[level] =
                level < first ? IDealRoom.LevelTerms(0, 0) : IDealRoom.LevelTerms(uint96(HARD_CAP), uint40(opensAt));
        }
        deal = _create(terms);
        vm.warp(bound(at, opensAt, start + 5 days - 1));
        uint256 lowest = 10;
        while (lowest > first && terms.levels[lowest - 1].opensAt <= time()) {
            --lowest;
        }
        vm.expectEmit(address(room));
        emit IDealRoom.Subscribed(deal, alice, 1, 10, lowest);
        _subscribe(alice, 1);
    }

    function _notOpen(address account, uint256 level, uint256 opensAt) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IDealRoom.NotOpen.selector, account, level, opensAt);
    }

    function _invalidAmount(uint256 amount, uint256 left) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IDealRoom.InvalidAmount.selector, amount, left);
    }
}
