// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVoteEscrow} from "../../src/interfaces/IVoteEscrow.sol";
import {ContractWallet} from "../mocks/ContractWallet.sol";
import {StakingBase} from "./StakingBase.t.sol";

/// @notice The life of a lock: lock, increase, extend, renewal, withdraw.
contract VoteEscrowLocksTest is StakingBase {
    function test_a_lock_counts_from_the_next_week_and_decays_to_its_end() public {
        _lock(alice, 520 * ONE, 52);
        assertEq(token.balanceOf(address(escrow)), 520 * ONE, "held");
        assertEq(escrow.lockOf(alice).endsAt, (FIRST + 53) * WEEK, "ends");
        assertEq(escrow.scoreOf(alice), 0, "not this week");
        _nextWeek(1);
        assertEq(escrow.scoreOf(alice), 520 * ONE, "the amount, at first");
        assertEq(escrow.totalScore(), 520 * ONE, "total");
        for (uint256 left = 51; left != 0; --left) {
            _nextWeek(1);
            assertEq(escrow.scoreOf(alice), left * 10 * ONE, "amount x weeks left / 52");
            assertEq(escrow.totalScore(), left * 10 * ONE, "total");
        }
        _nextWeek(1);
        assertEq(escrow.scoreOf(alice), 0, "ended");
        assertEq(_withdraw(alice), 520 * ONE, "returned");
        assertEq(token.balanceOf(alice), FUNDS, "all of it");
    }

    function test_the_contract_says_when_a_lock_ends() public {
        assertEq(escrow.endAfter(1), (FIRST + 2) * WEEK, "one week");
        uint256 end = escrow.endAfter(30);
        _lock(alice, ONE, 30);
        assertEq(escrow.lockOf(alice).endsAt, end, "as said before");
        vm.expectRevert(abi.encodeWithSelector(IVoteEscrow.InvalidWeeks.selector, 53));
        escrow.endAfter(53);
    }

    function test_a_lock_of_one_week_has_weight_in_one_week() public {
        _lock(alice, 52 * ONE, 1);
        _nextWeek(1);
        assertEq(escrow.scoreOf(alice), ONE, "one week");
        _nextWeek(1);
        assertEq(escrow.scoreOf(alice), 0, "none");
        assertEq(_withdraw(alice), 52 * ONE, "returned");
    }

    function test_reverts_whenWeeksOrAmountAreOutOfBounds() public {
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.InvalidWeeks.selector, 0));
        escrow.lock(ONE, 0);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.InvalidWeeks.selector, 53));
        escrow.lock(ONE, 53);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.InvalidAmount.selector, 0));
        escrow.lock(0, 1);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.InvalidAmount.selector, 1 << 96));
        escrow.lock(1 << 96, 1);
    }

    function test_reverts_whenTheAccountHasALock() public {
        _lock(alice, ONE, 1);
        _refused(alice, _error(IVoteEscrow.AlreadyLocked.selector, alice, ONE));
        escrow.lock(ONE, 2);
        _nextWeek(2);
        _refused(alice, _error(IVoteEscrow.AlreadyLocked.selector, alice, ONE));
        escrow.lock(ONE, 2);
    }

    function test_increase_counts_from_the_next_week() public {
        _lock(alice, 52 * ONE, 10);
        _nextWeek(1);
        _increase(alice, 52 * ONE);
        assertEq(escrow.scoreOf(alice), 10 * ONE, "this week as before");
        assertEq(escrow.totalScore(), 10 * ONE, "total, too");
        _nextWeek(1);
        assertEq(escrow.scoreOf(alice), 18 * ONE, "twice the amount, nine weeks left");
        assertEq(escrow.lockOf(alice).endsAt, (FIRST + 11) * WEEK, "the end stays");
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.InvalidAmount.selector, 0));
        escrow.increase(0);
    }

    function test_reverts_whenALockWithoutAFullWeekLeftIsIncreased() public {
        _refused(alice, _nothingLocked(alice));
        escrow.increase(ONE);
        _lock(alice, ONE, 1);
        _increase(alice, ONE);
        _nextWeek(1);
        _refused(alice, _error(IVoteEscrow.LockEnding.selector, alice, (FIRST + 2) * WEEK));
        escrow.increase(ONE);
        _extend(alice, 1);
        _increase(alice, ONE);
        assertEq(_amountOf(alice), 3 * ONE, "after it was extended");
    }

    function test_extend_counts_from_the_next_week() public {
        _lock(alice, 52 * ONE, 10);
        _nextWeek(1);
        _extend(alice, 52);
        assertEq(escrow.scoreOf(alice), 10 * ONE, "this week as before");
        _nextWeek(1);
        assertEq(escrow.scoreOf(alice), 52 * ONE, "then the amount");
        assertEq(escrow.totalScore(), 52 * ONE, "total");
        _nextWeek(52);
        assertEq(escrow.totalScore(), 0, "it ends once");
        assertEq(_withdraw(alice), 52 * ONE, "returned");
    }

    function test_reverts_whenExtensionIsNoneOrTooLong() public {
        _refused(alice, _nothingLocked(alice));
        escrow.extend(5);
        _lock(alice, ONE, 10);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.NotLonger.selector, 10, 10));
        escrow.extend(10);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.InvalidWeeks.selector, 53));
        escrow.extend(53);
    }

    function test_a_lock_that_has_ended_can_be_locked_again() public {
        _lock(alice, 52 * ONE, 1);
        _nextWeek(9);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.NotLonger.selector, 0, 0));
        escrow.extend(0);
        _extend(alice, 4);
        _nextWeek(1);
        assertEq(escrow.scoreOf(alice), 4 * ONE, "again");
        assertEq(escrow.totalScore(), 4 * ONE, "total");
        _refused(alice, _error(IVoteEscrow.NotEnded.selector, alice, (FIRST + 14) * WEEK));
        escrow.withdraw(alice);
    }

    function test_reverts_whenWithdrawnBeforeTheEnd_andPaysInItsFirstSecond() public {
        _refused(alice, _nothingLocked(alice));
        escrow.withdraw(alice);
        _lock(alice, ONE, 1);
        vm.warp((FIRST + 2) * WEEK - 1);
        _refused(alice, _error(IVoteEscrow.NotEnded.selector, alice, (FIRST + 2) * WEEK));
        escrow.withdraw(alice);
        vm.warp((FIRST + 2) * WEEK);
        vm.prank(alice);
        assertEq(escrow.withdraw(bob), ONE, "paid");
        assertEq(token.balanceOf(bob), FUNDS + ONE, "to whom the holder names");
        _refused(alice, _nothingLocked(alice));
        escrow.withdraw(alice);
    }

    function test_reverts_whenTokensWouldGoToNobodyOrBackHere() public {
        _lock(alice, ONE, 1);
        _nextWeek(2);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.InvalidRecipient.selector, address(0)));
        escrow.withdraw(address(0));
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.InvalidRecipient.selector, address(escrow)));
        escrow.withdraw(address(escrow));
    }

    function test_after_withdrawing_one_can_lock_anew() public {
        _lock(alice, 52 * ONE, 1);
        _nextWeek(2);
        _withdraw(alice);
        _lock(alice, 104 * ONE, 3);
        _nextWeek(1);
        assertEq(escrow.scoreOf(alice), 6 * ONE, "the new one");
        assertEq(escrow.weightAt(alice, FIRST + 1), 52 * ONE, "the old one in the past");
        assertEq(escrow.weightAt(alice, FIRST + 2), 0, "and its end");
    }

    function test_renewal_holds_the_weight_until_it_is_stopped() public {
        _lock(alice, 52 * ONE, 10);
        _nextWeek(3); // 8 weeks left
        _renew(alice, true);
        assertEq(escrow.scoreOf(alice), 8 * ONE, "now");
        _nextWeek(1);
        assertEq(escrow.lockOf(alice).renewalWeeks, 7, "as many weeks as were left");
        for (uint256 i = 0; i < 100; ++i) {
            assertEq(escrow.scoreOf(alice), 7 * ONE, "held");
            assertEq(escrow.totalScore(), 7 * ONE, "total");
            _nextWeek(1);
            if (i % 40 == 0) escrow.roll(100);
        }
        _refused(alice, _error(IVoteEscrow.NotEnded.selector, alice, 0));
        escrow.withdraw(alice);
        escrow.roll(100);
        uint256 end = escrow.lockOf(alice).endsAt;
        _renew(alice, false);
        assertEq(escrow.lockOf(alice).endsAt, end, "the end was said before");
        for (uint256 left = 7; left != 0; --left) {
            _nextWeek(1);
            assertEq(escrow.scoreOf(alice), left * ONE, "decays");
            assertEq(escrow.totalScore(), left * ONE, "total");
        }
        _nextWeek(1);
        assertEq(escrow.totalScore(), 0, "ended");
        assertEq(_withdraw(alice), 52 * ONE, "returned");
    }

    function test_a_renewing_lock_grows_and_gets_longer() public {
        _lock(alice, 52 * ONE, 10);
        _renew(alice, true);
        _increase(alice, 52 * ONE);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.NotLonger.selector, 10, 10));
        escrow.extend(10);
        _extend(alice, 20);
        _nextWeek(30);
        assertEq(escrow.scoreOf(alice), 40 * ONE, "score");
        assertEq(escrow.totalScore(), 40 * ONE, "total");
    }

    function test_reverts_whenRenewalIsOnOrOffAlready_orTooLate() public {
        _refused(alice, _nothingLocked(alice));
        escrow.startRenewal();
        _lock(alice, ONE, 1);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.RenewalIs.selector, false));
        escrow.stopRenewal();
        _renew(alice, true);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.RenewalIs.selector, true));
        escrow.startRenewal();
        _renew(alice, false);
        _nextWeek(1);
        _refused(alice, _error(IVoteEscrow.LockEnding.selector, alice, (FIRST + 2) * WEEK));
        escrow.startRenewal();
    }

    function test_many_changes_in_a_week_count_as_the_last() public {
        _lock(alice, 52 * ONE, 4);
        _renew(alice, true);
        _renew(alice, false);
        _extend(alice, 8);
        _increase(alice, 52 * ONE);
        _nextWeek(1);
        assertEq(escrow.scoreOf(alice), 16 * ONE, "one lock");
        assertEq(escrow.totalScore(), 16 * ONE, "total");
        _nextWeek(8);
        assertEq(escrow.totalScore(), 0, "no weight is left over");
    }

    function test_contract_wallets_lock() public {
        address wallet = address(new ContractWallet(alice));
        token.mint(wallet, ONE);
        vm.prank(wallet);
        token.approve(address(escrow), ONE);
        _lock(wallet, ONE, 1);
        _nextWeek(2);
        assertEq(_withdraw(wallet), ONE, "and withdraw");
    }

    function test_weight_is_known_up_to_the_coming_week() public {
        _lock(alice, ONE, 9);
        assertEq(escrow.weightAt(alice, FIRST + 1), 9 * ONE, "coming");
        assertEq(escrow.totalWeightAt(FIRST + 1), 9 * ONE, "total");
        bytes memory reason = abi.encodeWithSelector(IVoteEscrow.OutOfBounds.selector, FIRST + 2, 0, FIRST + 1);
        vm.expectRevert(reason);
        escrow.weightAt(alice, FIRST + 2);
        vm.expectRevert(reason);
        escrow.totalWeightAt(FIRST + 2);
    }
}
