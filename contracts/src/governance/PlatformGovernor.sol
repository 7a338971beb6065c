// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {
    GovernorVotesQuorumFraction
} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import {IPlatformGovernor} from "../interfaces/IPlatformGovernor.sol";
import {IVoteEscrow} from "../interfaces/IVoteEscrow.sol";

/// @title PlatformGovernor
/// @notice OpenZeppelin's governor on Staking Scores; `IPlatformGovernor` says what it adds.
contract PlatformGovernor is
    IPlatformGovernor,
    GovernorVotes,
    GovernorSettings,
    GovernorCountingSimple,
    GovernorVotesQuorumFraction,
    GovernorPreventLateQuorum,
    GovernorTimelockControl
{
    using Checkpoints for Checkpoints.Trace208;

    /// @inheritdoc IPlatformGovernor
    string public constant VERSION = "1.0.0";

    /// @inheritdoc IPlatformGovernor
    uint256 public constant GRACE_PERIOD = 14 days;

    uint256 private constant BPS = 10_000;
    uint256 private constant MAX_GUARDIAN_TERM = 2 * 365 days;

    /// @inheritdoc IPlatformGovernor
    uint48 public immutable GUARDIAN_UNTIL;

    /// @inheritdoc IPlatformGovernor
    address public guardian;
    Checkpoints.Trace208 private _quorumFloors; // by the time that each was set

    /// @param escrow Gives the votes.
    /// @param timelock_ Executes proposals and holds the treasury.
    /// @param parameters What the governor starts with.
    constructor(IVoteEscrow escrow, TimelockController timelock_, Parameters memory parameters)
        Governor("Usufruct PlatformGovernor")
        GovernorVotes(escrow)
        GovernorSettings(parameters.votingDelay, parameters.votingPeriod, parameters.proposalThreshold)
        GovernorVotesQuorumFraction(parameters.quorumBps)
        GovernorPreventLateQuorum(parameters.lateQuorumExtension)
        GovernorTimelockControl(timelock_)
    {
        _setQuorumFloor(parameters.quorumFloor);
        _checkBounds("guardianUntil", parameters.guardianUntil, 0, block.timestamp + MAX_GUARDIAN_TERM);
        GUARDIAN_UNTIL = parameters.guardianUntil;
        _setGuardian(parameters.guardian);
    }

    /// @notice Opens a proposal, once the total score has passed the floor.
    function propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description
    ) public override returns (uint256) {
        uint256 total = token().getPastTotalSupply(clock() - 1);
        require(total > quorumFloor(), ProposalsNotOpen(total, quorumFloor()));
        return super.propose(targets, values, calldatas, description);
    }

    /// @inheritdoc IPlatformGovernor
    function setQuorumFloor(uint256 quorumFloor_) external onlyGovernance {
        _setQuorumFloor(quorumFloor_);
    }

    /// @inheritdoc IPlatformGovernor
    function setGuardian(address guardian_) external onlyGovernance {
        _setGuardian(guardian_);
    }

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @notice Where a proposal stands. One that passed expires when it is not queued, or not executed, within the grace period.
    function state(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (ProposalState current)
    {
        current = super.state(proposalId);
        bool late = current == ProposalState.Succeeded && clock() > proposalDeadline(proposalId) + GRACE_PERIOD
            || current == ProposalState.Queued && clock() > proposalEta(proposalId) + GRACE_PERIOD;
        if (late) return ProposalState.Expired;
    }

    /// @notice The votes that a proposal with this snapshot needs: a part of the total score, and the floor at least.
    function quorum(uint256 timepoint) public view override(Governor, GovernorVotesQuorumFraction) returns (uint256) {
        return Math.max(super.quorum(timepoint), quorumFloor(timepoint));
    }

    /// @notice What `quorumNumerator` is in parts of: hundredths of a per cent.
    function quorumDenominator() public pure override returns (uint256) {
        return BPS;
    }

    /// @inheritdoc IPlatformGovernor
    function quorumFloor() public view returns (uint256) {
        return _quorumFloors.latest();
    }

    /// @inheritdoc IPlatformGovernor
    function quorumFloor(uint256 timepoint) public view returns (uint256) {
        return _optimisticUpperLookupRecent(_quorumFloors, timepoint);
    }

    /// @inheritdoc IPlatformGovernor
    function PLATFORM_TOKEN() public view returns (IERC20) {
        return IVoteEscrow(address(token())).TOKEN();
    }

    // -- parameters ----------------------------------------------------------------------------------------------------

    function _setVotingDelay(uint48 seconds_) internal override {
        _checkBounds("votingDelay", seconds_, 1 hours, 14 days);
        super._setVotingDelay(seconds_);
    }

    function _setVotingPeriod(uint32 seconds_) internal override {
        _checkBounds("votingPeriod", seconds_, 1 days, 28 days);
        super._setVotingPeriod(seconds_);
    }

    function _setProposalThreshold(uint256 score) internal override {
        _checkBounds("proposalThreshold", score, 1, PLATFORM_TOKEN().totalSupply() / 100);
        super._setProposalThreshold(score);
    }

    function _updateQuorumNumerator(uint256 bps) internal override {
        _checkBounds("quorumBps", bps, 100, 5_000);
        super._updateQuorumNumerator(bps);
    }

    function _setQuorumFloor(uint256 score) private {
        uint256 supply = PLATFORM_TOKEN().totalSupply();
        _checkBounds("quorumFloor", score, supply / 1_000, supply / 10);
        // slither-disable-next-line unused-return
        _quorumFloors.push(clock(), SafeCast.toUint208(score));
        emit QuorumFloorSet(score);
    }

    function _setGuardian(address guardian_) private {
        guardian = guardian_;
        emit GuardianSet(guardian_);
    }

    function _checkBounds(string memory parameter, uint256 value, uint256 least, uint256 most) private pure {
        require(value >= least && value <= most, ParameterOutOfBounds(parameter, value, least, most));
    }

    function _validateCancel(uint256 proposalId, address caller) internal view override returns (bool) {
        bool guarded = caller == guardian && block.timestamp < GUARDIAN_UNTIL;
        return guarded || super._validateCancel(proposalId, caller);
    }

    // -- what the compiler asks to be chosen between bases ---------------------------------------------------------------

    /// @inheritdoc Governor
    function proposalDeadline(uint256 proposalId)
        public
        view
        override(Governor, GovernorPreventLateQuorum)
        returns (uint256)
    {
        return super.proposalDeadline(proposalId);
    }

    /// @inheritdoc Governor
    function proposalNeedsQueuing(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (bool)
    {
        return super.proposalNeedsQueuing(proposalId);
    }

    /// @inheritdoc Governor
    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    function _tallyUpdated(uint256 proposalId) internal override(Governor, GovernorPreventLateQuorum) {
        super._tallyUpdated(proposalId);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }
}
