// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {TestDollar} from "../../src/devnet/TestDollar.sol";
import {IVoteEscrow} from "../../src/interfaces/IVoteEscrow.sol";
import {TwoStepOwner} from "../../src/lib/TwoStepOwner.sol";
import {FalseToken} from "../mocks/FalseToken.sol";
import {FeeToken} from "../mocks/FeeToken.sol";
import {PlainToken} from "../mocks/PlainToken.sol";
import {ReenteringToken} from "../mocks/ReenteringToken.sol";
import {RevertingToken} from "../mocks/RevertingToken.sol";
import {SilentToken} from "../mocks/SilentToken.sol";
import {StakingBase} from "./StakingBase.t.sol";

/// @notice Owner, lockers, permits, and tokens that misbehave.
contract VoteEscrowAccessTest is StakingBase {
    uint256 private constant KEY = 0xA11CE;

    function test_the_owner_sets_parameters_within_their_bounds() public {
        vm.startPrank(owner);
        escrow.setScoreFloor(4 * FUNDS / 100);
        escrow.setExitPenalty(5_000);
        assertEq(escrow.scoreFloor(), 4 * FUNDS / 100, "floor");
        assertEq(escrow.exitPenaltyBps(), 5_000, "penalty");
        vm.expectRevert(
            abi.encodeWithSelector(IVoteEscrow.OutOfBounds.selector, 4 * FUNDS / 100 + 1, 0, 4 * FUNDS / 100)
        );
        escrow.setScoreFloor(4 * FUNDS / 100 + 1);
        vm.expectRevert(abi.encodeWithSelector(IVoteEscrow.OutOfBounds.selector, 5_001, 1_000, 5_000));
        escrow.setExitPenalty(5_001);
        vm.expectRevert(abi.encodeWithSelector(IVoteEscrow.OutOfBounds.selector, 999, 1_000, 5_000));
        escrow.setExitPenalty(999);
        vm.stopPrank();
    }

    function test_reverts_whenAStrangerSetsAParameter() public {
        bytes memory reason = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, alice);
        _refused(alice, reason);
        escrow.setScoreFloor(0);
        _refused(alice, reason);
        escrow.setExitPenalty(0);
        _refused(alice, reason);
        escrow.setLocker(alice, true);
    }

    function test_the_owner_can_hand_over_and_not_give_up() public {
        vm.prank(owner);
        escrow.transferOwnership(bob);
        assertEq(escrow.owner(), owner, "not yet");
        vm.prank(bob);
        escrow.acceptOwnership();
        assertEq(escrow.owner(), bob, "accepted");
        _refused(bob, abi.encodeWithSelector(TwoStepOwner.OwnershipNotRenounceable.selector));
        escrow.renounceOwnership();
    }

    function test_reverts_whenATokenCannotBeUsed() public {
        bytes memory code = vm.getCode("VoteEscrow.sol:VoteEscrow");
        _undeployable(code, token, token, address(token));
        _undeployable(code, PlainToken(alice), dollar, alice);
        _undeployable(code, token, PlainToken(alice), alice);
        token.mint(bob, 1 << 96);
        _undeployable(code, token, dollar, address(token));
    }

    function test_a_locker_locks_for_another_who_owns_the_lock() public {
        _allow(bob);
        vm.prank(bob);
        escrow.lockFor(dave, 52 * ONE, 26);
        assertEq(token.balanceOf(bob), FUNDS - 52 * ONE, "bob pays");
        _nextWeek(1);
        assertEq(escrow.getVotes(dave), 26 * ONE, "dave votes");
        _nextWeek(26);
        assertEq(_withdraw(dave), 52 * ONE, "and withdraws");
    }

    function test_a_locker_adds_to_a_lock_and_never_makes_it_longer() public {
        _allow(bob);
        _lock(dave, 52 * ONE, 10);
        vm.prank(bob);
        escrow.lockFor(dave, 52 * ONE, 10);
        assertEq(escrow.lockOf(dave).endsAt, (FIRST + 11) * WEEK, "the end stays");
        assertEq(_amountOf(dave), 104 * ONE, "added");
        _refused(bob, abi.encodeWithSelector(IVoteEscrow.LockTooShort.selector, dave, 10, 11));
        escrow.lockFor(dave, ONE, 11);
        _nextWeek(11);
        _refused(bob, abi.encodeWithSelector(IVoteEscrow.LockTooShort.selector, dave, 0, 1));
        escrow.lockFor(dave, ONE, 1);
        _extend(dave, 9);
        _renew(dave, true);
        vm.prank(bob);
        escrow.lockFor(dave, ONE, 9);
        assertEq(escrow.lockOf(dave).renewalWeeks, 9, "a renewing lock, too");
    }

    function test_reverts_whenAStrangerLocksForAnother() public {
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.NotALocker.selector, alice));
        escrow.lockFor(dave, 1, 52);
        _allow(alice);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.InvalidRecipient.selector, address(0)));
        escrow.lockFor(address(0), ONE, 52);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.InvalidWeeks.selector, 0));
        escrow.lockFor(dave, ONE, 0);
        vm.prank(owner);
        escrow.setLocker(alice, false);
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.NotALocker.selector, alice));
        escrow.lockFor(dave, ONE, 52);
    }

    function test_limit_a_locker_can_put_a_small_long_lock_in_a_holders_way() public {
        _allow(bob);
        vm.prank(bob);
        escrow.lockFor(dave, 1, 52);
        _refused(dave, _error(IVoteEscrow.AlreadyLocked.selector, dave, 1));
        escrow.lock(ONE, 1);
    }

    function test_a_delegate_and_the_owner_move_nothing() public {
        _lock(alice, ONE, 1);
        _delegate(alice, bob);
        _nextWeek(1);
        _earn(100);
        _nextWeek(1);
        assertEq(_claim(bob) + _claim(owner), 0, "no revenue");
        _refused(bob, _nothingLocked(bob));
        escrow.withdraw(bob);
        _refused(owner, _nothingLocked(owner));
        escrow.withdraw(owner);
        _assertPaid(_claim(alice), 100, "hers");
        assertEq(_withdraw(alice), ONE, "hers");
    }

    function test_a_permit_locks_and_increases_in_one_transaction_each() public {
        TestDollar paper = _permitToken();
        address signer = vm.addr(KEY);
        IVoteEscrow.Permit memory permit = _permit(paper, 52 * ONE, 0);
        vm.prank(signer);
        escrow.lockWithPermit(52 * ONE, 10, permit);
        permit = _permit(paper, ONE, 1);
        vm.prank(signer);
        escrow.increaseWithPermit(ONE, permit);
        assertEq(_amountOf(signer), 53 * ONE, "locked");
    }

    function test_a_permit_that_someone_used_first_does_no_harm() public {
        TestDollar paper = _permitToken();
        address signer = vm.addr(KEY);
        IVoteEscrow.Permit memory permit = _permit(paper, ONE, 0);
        paper.permit(signer, address(escrow), ONE, permit.deadline, permit.v, permit.r, permit.s);
        vm.prank(signer);
        escrow.lockWithPermit(ONE, 10, permit);
        assertEq(_amountOf(signer), ONE, "locked");
    }

    function test_a_permit_of_another_is_of_no_use() public {
        TestDollar paper = _permitToken();
        IVoteEscrow.Permit memory permit = _permit(paper, ONE, 0);
        _refused(bob, abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(escrow), 0, ONE));
        escrow.lockWithPermit(ONE, 10, permit);
    }

    function test_a_token_that_keeps_a_fee_is_refused() public {
        FeeToken odd = new FeeToken();
        _use(odd, dollar);
        odd.setCharging(true);
        _refused(
            alice, abi.encodeWithSelector(IVoteEscrow.WrongAmountReceived.selector, address(odd), 99 * ONE, 100 * ONE)
        );
        escrow.lock(100 * ONE, 1);
    }

    function test_a_token_that_answers_false_is_refused() public {
        FalseToken odd = new FalseToken();
        _use(odd, dollar);
        _refused(alice, abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(odd)));
        escrow.lock(ONE, 1);
    }

    function test_a_revenue_token_that_answers_false_pays_nothing_and_takes_nothing() public {
        SilentToken odd = new SilentToken();
        _use(token, odd);
        _lock(alice, ONE, 1);
        _nextWeek(1);
        odd.mint(address(escrow), 100);
        escrow.notify();
        _nextWeek(1);
        odd.refuse(alice, true);
        _refused(alice, abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(odd)));
        escrow.claim(alice);
        odd.refuse(alice, false);
        _assertPaid(_claim(alice), 100, "still due");
    }

    function test_a_revenue_token_that_keeps_a_fee_is_booked_by_balance() public {
        FeeToken odd = new FeeToken();
        _use(token, odd);
        odd.setCharging(true);
        odd.mint(dave, 1_000);
        vm.prank(dave);
        odd.transfer(address(escrow), 1_000);
        assertEq(escrow.notify(), 990, "what came in");
    }

    function test_a_revenue_token_that_breaks_stops_claims_and_nothing_else() public {
        RevertingToken odd = new RevertingToken();
        _use(token, odd);
        _lock(alice, ONE, 3);
        odd.mint(address(escrow), 100);
        escrow.notify();
        odd.setBroken(true);
        _nextWeek(1);
        _increase(alice, ONE);
        _extend(alice, 10);
        _renew(alice, true);
        _renew(alice, false);
        _delegate(alice, bob);
        _nextWeek(2);
        escrow.roll(9);
        _refused(alice, abi.encodeWithSelector(RevertingToken.Broken.selector));
        escrow.claim(alice);
        _nextWeek(9);
        assertEq(_withdraw(alice), 2 * ONE, "principal");
    }

    function test_a_token_cannot_reenter() public {
        ReenteringToken odd = new ReenteringToken();
        _use(odd, dollar);
        odd.aim(address(escrow), abi.encodeCall(IVoteEscrow.roll, (1)));
        _lock(alice, ONE, 1);
        assertTrue(!odd.succeeded(), "refused");
        bytes4 guard = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        assertTrue(bytes4(odd.answer()) == guard, "by the guard");
    }

    function _allow(address locker) private {
        vm.prank(owner);
        escrow.setLocker(locker, true);
    }

    /// @dev An escrow of `token_`, of which alice has and approves plenty.
    function _use(PlainToken token_, PlainToken revenueToken) private {
        escrow = _deploy(token_, revenueToken, 0, 0);
        token_.mint(alice, 1_000 * ONE);
        vm.prank(alice);
        token_.approve(address(escrow), type(uint256).max);
    }

    function _undeployable(bytes memory code, PlainToken token_, PlainToken revenueToken, address culprit) private {
        vm.expectRevert(abi.encodeWithSelector(IVoteEscrow.InvalidToken.selector, culprit));
        bytes memory whole = bytes.concat(code, abi.encode(owner, token_, revenueToken, uint256(0), uint256(0)));
        assembly ("memory-safe") {
            pop(create(0, add(whole, 0x20), mload(whole)))
        }
    }

    function _permitToken() private returns (TestDollar paper) {
        paper = TestDollar(deploy("TestDollar.sol:TestDollar", ""));
        paper.mint(vm.addr(KEY), 100 * ONE);
        escrow = _deploy(PlainToken(address(paper)), dollar, 0, 0);
    }

    function _permit(TestDollar paper, uint256 value, uint256 nonce)
        private
        view
        returns (IVoteEscrow.Permit memory permit)
    {
        bytes32 typehash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        permit.deadline = time() + 1;
        bytes32 hash = keccak256(abi.encode(typehash, vm.addr(KEY), address(escrow), value, nonce, permit.deadline));
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", paper.DOMAIN_SEPARATOR(), hash));
        (permit.v, permit.r, permit.s) = vm.sign(KEY, digest);
    }
}
