// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestMarket} from "../../src/devnet/TestMarket.sol";
import {TestPriceFeed} from "../../src/devnet/TestPriceFeed.sol";
import {IReinvestor} from "../../src/interfaces/IReinvestor.sol";
import {Reinvestor} from "../../src/staking/Reinvestor.sol";
import {StakingBase} from "../staking/StakingBase.t.sol";

/// @notice What each verb of the vote escrow costs, as a separate transaction: twenty stakers before, the week rolled, everyone
///         votes for themselves, accounts hold both tokens already, allowances are unlimited.
contract StakingGas is StakingBase {
    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < 20; ++i) {
            address staker = address(uint160(0x57a6e0 + i));
            token.mint(staker, FUNDS);
            vm.prank(staker);
            token.approve(address(escrow), type(uint256).max);
            _lock(staker, 1_000 * ONE + i, 33 + i);
        }
        dollar.mint(alice, 1);
        dollar.mint(address(escrow), 1);
        escrow.notify();
        _nextWeek(1);
        escrow.roll(1);
    }

    function test_lock_create() public {
        _lock(alice, 100 * ONE, 20);
        vm.snapshotGasLastCall("staking", "lock_create");
    }

    function test_lock_create_where_locks_end_already() public {
        _lock(alice, 100 * ONE, 40);
        vm.snapshotGasLastCall("staking", "lock_create_week_exists");
    }

    function test_lock_increase() public {
        _staked(20, 2);
        _increase(alice, 100 * ONE);
        vm.snapshotGasLastCall("staking", "lock_increase");
        _increase(alice, 100 * ONE);
        vm.snapshotGasLastCall("staking", "lock_increase_same_week");
    }

    function test_lock_extend() public {
        _staked(20, 2);
        _extend(alice, 30);
        vm.snapshotGasLastCall("staking", "lock_extend");
    }

    function test_lock_extend_to_a_week_of_its_own() public {
        _staked(10, 2);
        _extend(alice, 25);
        vm.snapshotGasLastCall("staking", "lock_extend_week_new");
    }

    function test_lock_renewal() public {
        _staked(20, 2);
        _renew(alice, true);
        vm.snapshotGasLastCall("staking", "lock_renewal_start");
    }

    function test_lock_withdraw() public {
        _staked(1, 2);
        _withdraw(alice);
        vm.snapshotGasLastCall("staking", "lock_withdraw");
    }

    function test_lock_exit() public {
        _allowExits(5_000);
        _staked(20, 2);
        _exit(alice);
        vm.snapshotGasLastCall("staking", "lock_exit_first_ever");
    }

    function test_revenue_claim() public {
        _claimAfter(1, "revenue_claim_1");
    }

    function test_revenue_claim_10() public {
        _claimAfter(10, "revenue_claim_10");
    }

    function test_revenue_claim_50() public {
        _claimAfter(50, "revenue_claim_50");
    }

    /// @dev At a market with one pool, into a lock that has not changed this week.
    function test_revenue_reinvest() public {
        _staked(52, 3);
        address reinvestor = deploy("Reinvestor.sol:Reinvestor", abi.encode(owner, escrow));
        address market = deploy("TestMarket.sol:TestMarket", "");
        TestPriceFeed feed = TestPriceFeed(deploy("TestPriceFeed.sol:TestPriceFeed", ""));
        feed.post(1e8);
        dollar.mint(market, FUNDS);
        token.mint(market, FUNDS);
        address[] memory path = new address[](2);
        (path[0], path[1]) = (address(dollar), address(token));
        vm.startPrank(owner);
        escrow.setLocker(reinvestor, true);
        Reinvestor(reinvestor).setVenue(IReinvestor.Venue(TestMarket(market), feed, 1 hours, 200, path));
        vm.stopPrank();
        uint256 deadline = time();
        vm.prank(alice);
        escrow.reinvest(reinvestor, 1, deadline);
        vm.snapshotGasLastCall("staking", "revenue_reinvest");
    }

    function test_revenue_notify_and_roll() public {
        dollar.mint(address(escrow), 1_000_000);
        _nextWeek(1);
        escrow.roll(1);
        vm.snapshotGasLastCall("staking", "revenue_roll_1");
        escrow.notify();
        vm.snapshotGasLastCall("staking", "revenue_notify");
    }

    function test_delegate() public {
        _staked(20, 2);
        _delegate(alice, bob);
        vm.snapshotGasLastCall("staking", "votes_delegate_first");
    }

    /// @dev Locks for alice and lets weeks pass, each rolled and with revenue.
    function _staked(uint256 weeks_, uint256 pass) private {
        _lock(alice, 100 * ONE, weeks_);
        for (uint256 i = 0; i < pass; ++i) {
            _nextWeek(1);
            _earn(1_000_000);
        }
    }

    function _claimAfter(uint256 weeks_, string memory name) private {
        _staked(52, weeks_ + 1);
        _claim(alice);
        vm.snapshotGasLastCall("staking", name);
    }
}
