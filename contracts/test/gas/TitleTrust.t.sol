// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TrustBase} from "../unit/TitleTrust/TrustBase.t.sol";

/// @notice What each verb of a title trust costs, as a separate transaction.
contract TitleTrustGas is TrustBase {
    function test_decide_about_a_price_card() public {
        Proposal memory pricing = _pricing(2);
        uint256 proposalId = _propose(alice, pricing);
        vm.snapshotGasLastCall("governance", "trust_propose_price_card");
        vm.warp(trust.proposalSnapshot(proposalId) + 1);
        _vote(bob, proposalId, FOR);
        vm.snapshotGasLastCall("governance", "trust_cast_vote_first");
        _vote(carol, proposalId, FOR);
        vm.snapshotGasLastCall("governance", "trust_cast_vote_again");
        vm.warp(trust.proposalDeadline(proposalId) + 1);
        _execute(pricing);
        vm.snapshotGasLastCall("governance", "trust_execute_price_card");
    }
}
