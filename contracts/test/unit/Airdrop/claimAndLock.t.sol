// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAirdrop} from "../../../src/interfaces/IAirdrop.sol";
import {AirdropBase} from "../../AirdropBase.t.sol";
import {FaithlessLock, LockBook} from "../../mocks/LockBook.sol";

contract AirdropClaimAndLockTest is AirdropBase {
    function test_locks_the_callers_entry(uint256 index, uint256 weeks_) public {
        index = bound(index, 0, ENTRIES - 1);
        weeks_ = bound(weeks_, 1, 52);
        _lock(index, weeks_);
        assertEq(escrow.lockedOf(_accountOf(index)), _amountOf(index), "locked");
        assertEq(escrow.weeksOf(_accountOf(index)), weeks_, "weeks");
        assertEq(token.balanceOf(address(escrow)), _amountOf(index), "in the escrow");
        assertEq(token.balanceOf(_accountOf(index)), 0, "not with the account");
        assertEq(token.allowance(address(airdrop), address(escrow)), 0, "no approval is left");
        assertTrue(airdrop.isClaimed(index), "marked");
    }

    function test_reverts_whenAStrangerLocksAnAccountsEntry() public {
        bytes32[] memory proof = _proof(2);
        vm.expectRevert(abi.encodeWithSelector(IAirdrop.InvalidProof.selector, 2, stranger, _amountOf(2)));
        vm.prank(stranger);
        airdrop.claimAndLock(2, _amountOf(2), 4, proof);
    }

    function test_an_entry_is_paid_or_locked_never_both() public {
        _claim(5);
        bytes32[] memory proof = _proof(5);
        vm.expectRevert(abi.encodeWithSelector(IAirdrop.AlreadyClaimed.selector, 5));
        vm.prank(_accountOf(5));
        airdrop.claimAndLock(5, _amountOf(5), 4, proof);

        _lock(6, 4);
        proof = _proof(6);
        vm.expectRevert(abi.encodeWithSelector(IAirdrop.AlreadyClaimed.selector, 6));
        airdrop.claim(6, _accountOf(6), _amountOf(6), proof);
    }

    function test_an_entry_that_the_escrow_refuses_can_still_be_claimed() public {
        bytes32[] memory proof = _proof(7);
        vm.expectRevert(abi.encodeWithSelector(LockBook.WeeksOutOfRange.selector, 53));
        vm.prank(_accountOf(7));
        airdrop.claimAndLock(7, _amountOf(7), 53, proof);
        _claim(7);
        assertEq(token.balanceOf(_accountOf(7)), _amountOf(7), "paid");
    }

    function test_reverts_whenTheEscrowTakesNothing() public {
        airdrop = _airdrop(_root(), address(new FaithlessLock()));
        _fund();
        bytes32[] memory proof = _proof(8);
        vm.expectRevert(abi.encodeWithSelector(IAirdrop.TransferFailed.selector, airdrop.escrow(), _amountOf(8)));
        vm.prank(_accountOf(8));
        airdrop.claimAndLock(8, _amountOf(8), 4, proof);
    }

    function test_reverts_whenTheEscrowClaimsTheSameEntryAgain() public {
        FaithlessLock lock = new FaithlessLock();
        airdrop = _airdrop(_root(), address(lock));
        _fund();
        bytes32[] memory proof = _proof(9);
        lock.reenterWith(abi.encodeCall(IAirdrop.claim, (9, _accountOf(9), _amountOf(9), proof)));
        vm.expectRevert(abi.encodeWithSelector(IAirdrop.AlreadyClaimed.selector, 9));
        vm.prank(_accountOf(9));
        airdrop.claimAndLock(9, _amountOf(9), 4, proof);
    }

    function test_reverts_whenThereIsNoEscrow() public {
        airdrop = _airdrop(_root(), address(0));
        bytes32[] memory proof = _proof(1);
        vm.expectRevert(IAirdrop.NoEscrow.selector);
        vm.prank(_accountOf(1));
        airdrop.claimAndLock(1, _amountOf(1), 4, proof);
    }

    function test_reverts_afterTheDeadline() public {
        bytes32[] memory proof = _proof(1);
        vm.warp(airdrop.deadline());
        vm.expectRevert(abi.encodeWithSelector(IAirdrop.ClaimsEnded.selector, airdrop.deadline()));
        vm.prank(_accountOf(1));
        airdrop.claimAndLock(1, _amountOf(1), 4, proof);
    }

    function _fund() private {
        vm.prank(treasury);
        require(token.transfer(address(airdrop), SUPPLY / 4));
    }
}
