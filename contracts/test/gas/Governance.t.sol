// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {GovernanceBase} from "../GovernanceBase.t.sol";

/// @notice What each verb of the governor costs, as a separate transaction: one call, everyone votes with their own lock.
contract GovernanceGas is GovernanceBase {
    function setUp() public override {
        super.setUp();
        _stakeAll();
    }

    function test_propose() public {
        Proposal memory payment = _payment();
        _propose(alice, payment);
        vm.snapshotGasLastCall("governance", "governor_propose");
    }

    function test_cast_vote() public {
        uint256 id = _propose(alice, _payment());
        _untilVoting(id);
        _vote(carol, id, FOR);
        vm.snapshotGasLastCall("governance", "governor_cast_vote_first");
        _vote(bob, id, FOR);
        vm.snapshotGasLastCall("governance", "governor_cast_vote_again");
    }

    function test_queue_and_execute() public {
        Proposal memory payment = _payment();
        _passed(payment);
        _queue(payment);
        vm.snapshotGasLastCall("governance", "governor_queue");
        skip(TIMELOCK_DELAY);
        _execute(payment);
        vm.snapshotGasLastCall("governance", "governor_execute");
    }

    function test_cancel() public {
        Proposal memory payment = _payment();
        _queued(payment);
        _cancel(guardian, payment);
        vm.snapshotGasLastCall("governance", "governor_cancel_queued");
    }
}
