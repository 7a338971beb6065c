// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVoteEscrow} from "../../src/interfaces/IVoteEscrow.sol";
import {VoteEscrow} from "../../src/staking/VoteEscrow.sol";
import {AirdropBase} from "../AirdropBase.t.sol";
import {PlainToken} from "../mocks/PlainToken.sol";

/// @notice The airdrop claims straight into a lock of the vote escrow itself.
contract VoteEscrowAirdropTest is AirdropBase {
    VoteEscrow private _votes;

    function setUp() public override {
        super.setUp();
        PlainToken revenueToken = new PlainToken();
        bytes memory arguments = abi.encode(owner, token, revenueToken, uint256(0), uint256(0));
        _votes = VoteEscrow(deploy("VoteEscrow.sol:VoteEscrow", arguments));
        airdrop = _airdrop(_root(), address(_votes));
        vm.prank(treasury);
        token.transfer(address(airdrop), 1_000 * TOKEN);
        vm.prank(owner);
        _votes.setLocker(address(airdrop), true);
    }

    function test_an_entry_is_locked_for_its_account() public {
        _lock(6, 52);
        address account = _accountOf(6);
        assertEq(_votes.lockOf(account).amount, _amountOf(6), "locked");
        assertEq(token.balanceOf(address(_votes)), _amountOf(6), "in the escrow");
        skip(7 days);
        assertEq(_votes.getVotes(account), _amountOf(6), "and votes");
        skip(52 * 7 days);
        vm.prank(account);
        assertEq(_votes.withdraw(account), _amountOf(6), "the account's own");
    }

    function test_an_entry_is_added_to_a_lock_that_is_long_enough() public {
        address account = _accountOf(3);
        _ownLock(account, 10);
        bytes32[] memory proof = _proof(3);
        vm.expectRevert(abi.encodeWithSelector(IVoteEscrow.LockTooShort.selector, account, 10, 11));
        vm.prank(account);
        airdrop.claimAndLock(3, _amountOf(3), 11, proof);
        _lock(3, 10);
        assertEq(_votes.lockOf(account).amount, _amountOf(3) + TOKEN, "added");
    }

    function test_an_airdrop_that_is_not_listed_locks_nothing_and_still_pays() public {
        vm.prank(owner);
        _votes.setLocker(address(airdrop), false);
        bytes32[] memory proof = _proof(4);
        vm.expectRevert(abi.encodeWithSelector(IVoteEscrow.NotALocker.selector, address(airdrop)));
        vm.prank(_accountOf(4));
        airdrop.claimAndLock(4, _amountOf(4), 10, proof);
        _claim(4);
        assertEq(token.balanceOf(_accountOf(4)), _amountOf(4), "paid");
    }

    function _ownLock(address account, uint256 weeks_) private {
        vm.prank(treasury);
        token.transfer(account, TOKEN);
        vm.startPrank(account);
        token.approve(address(_votes), TOKEN);
        _votes.lock(TOKEN, weeks_);
        vm.stopPrank();
    }
}
