// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPlatformGovernor} from "../../../src/interfaces/IPlatformGovernor.sol";
import {GovernanceBase} from "../../GovernanceBase.t.sol";

contract PlatformGovernorDeployTest is GovernanceBase {
    function test_starts_with_what_it_was_given() public view {
        assertEq(governor.votingDelay(), VOTING_DELAY, "delay");
        assertEq(governor.votingPeriod(), VOTING_PERIOD, "period");
        assertEq(governor.proposalThreshold(), THRESHOLD, "threshold");
        assertEq(governor.quorumNumerator(), QUORUM_BPS, "quorum");
        assertEq(governor.quorumFloor(), FLOOR, "floor");
        assertEq(governor.lateQuorumVoteExtension(), EXTENSION, "extension");
        assertEq(governor.guardian(), guardian, "guardian");
        assertEq(governor.GUARDIAN_UNTIL(), time() + GUARDIAN_TERM, "term");
        assertEq(governor.timelock(), address(timelock), "timelock");
        assertEq(address(governor.PLATFORM_TOKEN()), address(token), "platform token");
    }

    function test_counts_by_the_clock_of_the_escrow() public view {
        assertEq(governor.clock(), time(), "clock");
        assertEq(keccak256(bytes(governor.CLOCK_MODE())), keccak256(bytes(escrow.CLOCK_MODE())), "mode");
        assertEq(address(governor.token()), address(escrow), "votes");
    }

    function test_reverts_whenAParameterIsOutOfBounds() public {
        IPlatformGovernor.Parameters memory given = _parameters();
        given.votingDelay = 1 hours - 1;
        _refuse(given, _outOfBounds("votingDelay", 1 hours - 1, 1 hours, 14 days));
        given.votingDelay = 14 days + 1;
        _refuse(given, _outOfBounds("votingDelay", 14 days + 1, 1 hours, 14 days));

        given = _parameters();
        given.votingPeriod = 1 days - 1;
        _refuse(given, _outOfBounds("votingPeriod", 1 days - 1, 1 days, 28 days));
        given.votingPeriod = 28 days + 1;
        _refuse(given, _outOfBounds("votingPeriod", 28 days + 1, 1 days, 28 days));

        given = _parameters();
        given.proposalThreshold = 0;
        _refuse(given, _outOfBounds("proposalThreshold", 0, 1, 4 * FUNDS / 100));
        given.proposalThreshold = 4 * FUNDS / 100 + 1;
        _refuse(given, _outOfBounds("proposalThreshold", 4 * FUNDS / 100 + 1, 1, 4 * FUNDS / 100));

        given = _parameters();
        given.quorumBps = 99;
        _refuse(given, _outOfBounds("quorumBps", 99, 100, 5_000));
        given.quorumBps = 5_001;
        _refuse(given, _outOfBounds("quorumBps", 5_001, 100, 5_000));

        given = _parameters();
        given.quorumFloor = 4 * FUNDS / 1_000 - 1;
        _refuse(given, _outOfBounds("quorumFloor", 4 * FUNDS / 1_000 - 1, 4 * FUNDS / 1_000, 4 * FUNDS / 10));
        given.quorumFloor = 4 * FUNDS / 10 + 1;
        _refuse(given, _outOfBounds("quorumFloor", 4 * FUNDS / 10 + 1, 4 * FUNDS / 1_000, 4 * FUNDS / 10));

        given = _parameters();
        given.guardianUntil = uint48(time() + 730 days + 1);
        _refuse(given, _outOfBounds("guardianUntil", time() + 730 days + 1, 0, time() + 730 days));
    }

    function _refuse(IPlatformGovernor.Parameters memory given, bytes memory reason) private {
        vm.expectRevert(reason);
        this.deployGovernor(given);
    }

    /// @dev A call that `expectRevert` can see whole.
    function deployGovernor(IPlatformGovernor.Parameters memory given) external {
        _deployGovernor(given);
    }
}
