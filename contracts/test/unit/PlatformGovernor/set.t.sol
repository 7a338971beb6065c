// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {GovernanceBase} from "../../GovernanceBase.t.sol";

contract PlatformGovernorSetTest is GovernanceBase {
    function setUp() public override {
        super.setUp();
        _stakeAll();
    }

    function test_a_decision_sets_every_parameter() public {
        Proposal memory all;
        all.targets = new address[](7);
        all.values = new uint256[](7);
        all.calldatas = _changes();
        all.description = "All parameters";
        for (uint256 i = 0; i < 7; ++i) {
            all.targets[i] = address(governor);
        }
        _decide(all);
        assertEq(governor.votingDelay(), 2 days, "delay");
        assertEq(governor.votingPeriod(), 7 days, "period");
        assertEq(governor.proposalThreshold(), 2_000 * ONE, "threshold");
        assertEq(governor.quorumNumerator(), 2_000, "part");
        assertEq(governor.quorumFloor(), 20_000 * ONE, "floor");
        assertEq(governor.lateQuorumVoteExtension(), 3 days, "extension");
        assertEq(governor.guardian(), address(0), "guardian");
    }

    function test_no_account_sets_a_parameter_alone() public {
        bytes[] memory changes = _changes();
        address[4] memory accounts = [alice, guardian, owner, address(this)];
        for (uint256 i = 0; i < changes.length; ++i) {
            for (uint256 j = 0; j < accounts.length; ++j) {
                vm.prank(accounts[j]);
                (bool done, bytes memory reason) = address(governor).call(changes[i]);
                assertTrue(!done, "refused");
                assertEq(
                    keccak256(reason),
                    keccak256(abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, accounts[j])),
                    "reason"
                );
            }
        }
    }

    function test_reverts_whenADecisionLeavesTheBounds() public {
        _undoable(
            abi.encodeCall(governor.setVotingDelay, (15 days)), _outOfBounds("votingDelay", 15 days, 1 hours, 14 days)
        );
        _undoable(
            abi.encodeCall(governor.setVotingPeriod, (29 days)), _outOfBounds("votingPeriod", 29 days, 1 days, 28 days)
        );
        _undoable(
            abi.encodeCall(governor.setProposalThreshold, (FUNDS)),
            _outOfBounds("proposalThreshold", FUNDS, 1, 4 * FUNDS / 100)
        );
        _undoable(abi.encodeCall(governor.updateQuorumNumerator, (5_001)), _outOfBounds("quorumBps", 5_001, 100, 5_000));
        _undoable(
            abi.encodeCall(governor.setQuorumFloor, (FUNDS)),
            _outOfBounds("quorumFloor", FUNDS, 4 * FUNDS / 1_000, 4 * FUNDS / 10)
        );
    }

    function _undoable(bytes memory change, bytes memory reason) private {
        _extend(alice, 52);
        _extend(bob, 52);
        _nextWeek(1);
        skip(1);
        Proposal memory proposal = _call(address(governor), change, string(change));
        _queued(proposal);
        skip(TIMELOCK_DELAY);
        vm.expectRevert(reason);
        this.executeProposal(proposal);
    }

    /// @dev A call that `expectRevert` sees first.
    function executeProposal(Proposal memory proposal) external {
        _execute(proposal);
    }

    function _changes() private view returns (bytes[] memory changes) {
        changes = new bytes[](7);
        changes[0] = abi.encodeCall(governor.setVotingDelay, (2 days));
        changes[1] = abi.encodeCall(governor.setVotingPeriod, (7 days));
        changes[2] = abi.encodeCall(governor.setProposalThreshold, (2_000 * ONE));
        changes[3] = abi.encodeCall(governor.updateQuorumNumerator, (2_000));
        changes[4] = abi.encodeCall(governor.setQuorumFloor, (20_000 * ONE));
        changes[5] = abi.encodeCall(governor.setLateQuorumVoteExtension, (3 days));
        changes[6] = abi.encodeCall(governor.setGuardian, (address(0)));
    }
}
