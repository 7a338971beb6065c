// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVoteEscrow} from "../../src/interfaces/IVoteEscrow.sol";
import {VoteEscrow} from "../../src/staking/VoteEscrow.sol";
import {Base} from "../Base.t.sol";
import {PlainToken} from "../mocks/PlainToken.sol";

/// @notice A vote escrow, four stakers with a million tokens each, and revenue in dollars.
abstract contract StakingBase is Base {
    uint256 internal constant WEEK = 7 days;
    uint256 internal constant FIRST = 2_950; // the week that tests start in
    uint256 internal constant ONE = 1e18;
    uint256 internal constant FUNDS = 1_000_000 * ONE;

    address internal owner;
    address internal alice;
    address internal bob;
    address internal carol;
    address internal dave;
    PlainToken internal token;
    PlainToken internal dollar;
    VoteEscrow internal escrow;

    function setUp() public virtual {
        vm.warp(FIRST * WEEK + 3 days);
        (owner, alice, bob, carol, dave) = (actor("owner"), actor("alice"), actor("bob"), actor("carol"), actor("dave"));
        token = new PlainToken();
        dollar = new PlainToken();
        address[4] memory stakers = [alice, bob, carol, dave];
        for (uint256 i = 0; i < stakers.length; ++i) {
            token.mint(stakers[i], FUNDS);
        }
        escrow = _deploy(token, dollar, 0, 0);
        for (uint256 i = 0; i < stakers.length; ++i) {
            vm.prank(stakers[i]);
            token.approve(address(escrow), type(uint256).max);
        }
    }

    function _deploy(PlainToken token_, PlainToken revenueToken, uint256 floor, uint256 penaltyBps)
        internal
        returns (VoteEscrow)
    {
        bytes memory arguments = abi.encode(owner, token_, revenueToken, floor, penaltyBps);
        return VoteEscrow(deploy("VoteEscrow.sol:VoteEscrow", arguments));
    }

    function _lock(address account, uint256 amount, uint256 weeks_) internal {
        vm.prank(account);
        escrow.lock(amount, weeks_);
    }

    function _increase(address account, uint256 amount) internal {
        vm.prank(account);
        escrow.increase(amount);
    }

    function _extend(address account, uint256 weeks_) internal {
        vm.prank(account);
        escrow.extend(weeks_);
    }

    function _renew(address account, bool on) internal {
        vm.prank(account);
        if (on) escrow.startRenewal();
        else escrow.stopRenewal();
    }

    function _withdraw(address account) internal returns (uint256) {
        vm.prank(account);
        return escrow.withdraw(account);
    }

    function _exit(address account) internal returns (uint256) {
        vm.prank(account);
        return escrow.exitEarly(type(uint256).max, account);
    }

    function _claim(address account) internal returns (uint256) {
        vm.prank(account);
        return escrow.claim(account);
    }

    function _claimPenalties(address account) internal returns (uint256) {
        vm.prank(account);
        return escrow.claimPenalties(account);
    }

    function _delegate(address account, address delegatee) internal {
        vm.prank(account);
        escrow.delegate(delegatee);
    }

    /// @dev Revenue of the running week.
    function _earn(uint256 amount) internal {
        dollar.mint(address(escrow), amount);
        escrow.notify();
    }

    /// @dev Goes to the exact start of the week that is `count` weeks ahead.
    function _nextWeek(uint256 count) internal {
        vm.warp((time() / WEEK + count) * WEEK);
    }

    function _allowExits(uint256 bps) internal {
        vm.prank(owner);
        escrow.setExitPenalty(bps);
    }

    function _refused(address account, bytes memory reason) internal {
        vm.expectRevert(reason);
        vm.prank(account);
    }

    /// @dev What is paid is rounded down once for each state of a lock that it is for.
    function _assertPaid(uint256 amount, uint256 exact, string memory what) internal pure {
        assertLe(amount, exact, what);
        assertLe(exact, amount + 2, what);
    }

    function _amountOf(address account) internal view returns (uint256) {
        return escrow.lockOf(account).amount;
    }

    function _error(bytes4 selector, address account, uint256 value) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, account, value);
    }

    function _nothingLocked(address account) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IVoteEscrow.NothingLocked.selector, account);
    }
}
