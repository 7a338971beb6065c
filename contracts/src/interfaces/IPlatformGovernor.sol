// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title IPlatformGovernor
/// @notice What the platform's governor adds to OpenZeppelin's `IGovernor`. Votes are Staking Scores of the VoteEscrow.
///
/// A proposal's life. `propose` opens it, for an account whose votes reach the threshold, once the total score has passed the
/// floor. After the voting delay its snapshot is taken: votes are the scores at the start of the snapshot's week. Voting lasts
/// the voting period, longer if the quorum is reached late. A proposal with a quorum and more votes for it than against it is
/// queued in the timelock (`queue`), waits the timelock's delay, and is executed (`execute`). Anyone may queue and execute; each
/// has the grace period for it, then the proposal expires: no old decision can be carried out when it no longer fits.
///
/// `cancel` ends a proposal: its proposer may before voting starts; the guardian may at any time until it expires.
///
/// Always true: the quorum is at least the floor; only the timelock changes a parameter, and only within its bounds; the
/// guardian can stop proposals and do nothing else, and its power ends at a date that cannot be moved.
interface IPlatformGovernor {
    /// @notice What a governor starts with.
    /// @param votingDelay Seconds from proposal to snapshot, 1 hour to 14 days.
    /// @param votingPeriod Seconds that voting lasts, 1 to 28 days.
    /// @param proposalThreshold Score that a proposer needs: above 0, at most 1 % of the platform token's supply.
    /// @param quorumBps Part of the total score that a quorum is, hundredths of a per cent: 100 to 5000.
    /// @param quorumFloor The least quorum, and the total score that must be passed before proposals open: 0.1 to 10 % of the
    ///        platform token's supply.
    /// @param lateQuorumExtension Seconds that voting goes on at least after the quorum is reached; at most the voting period.
    /// @param guardian May cancel proposals; zero: there is none.
    /// @param guardianUntil When the guardian expires, Unix seconds; at most two years after deployment.
    struct Parameters {
        uint48 votingDelay;
        uint32 votingPeriod;
        uint256 proposalThreshold;
        uint256 quorumBps;
        uint256 quorumFloor;
        uint48 lateQuorumExtension;
        address guardian;
        uint48 guardianUntil;
    }

    /// @notice The least quorum was set, atomic units of score. It counts for proposals whose snapshot is later.
    event QuorumFloorSet(uint256 quorumFloor);

    /// @notice The guardian was named; zero: there is none.
    event GuardianSet(address indexed guardian);

    /// @notice A parameter is not within its bounds.
    error ParameterOutOfBounds(string parameter, uint256 value, uint256 least, uint256 most);

    /// @notice Proposals open when the total score has passed the floor.
    error ProposalsNotOpen(uint256 totalScore, uint256 quorumFloor);

    /// @notice Sets the least quorum. By proposal only.
    /// @param quorumFloor_ Atomic units of score; 0.1 to 10 % of the platform token's supply.
    function setQuorumFloor(uint256 quorumFloor_) external;

    /// @notice Names another guardian. By proposal only; when the guardian expires does not change.
    /// @param guardian_ May cancel proposals; zero: there is none.
    function setGuardian(address guardian_) external;

    /// @notice The least quorum of proposals with a snapshot from now on, atomic units of score.
    function quorumFloor() external view returns (uint256);

    /// @notice The least quorum of proposals with a snapshot at `timepoint`, Unix seconds.
    function quorumFloor(uint256 timepoint) external view returns (uint256);

    /// @notice The account that may cancel proposals until it expires; zero: there is none.
    function guardian() external view returns (address);

    /// @notice When the guardian expires, Unix seconds.
    function GUARDIAN_UNTIL() external view returns (uint48);

    /// @notice Seconds in which a proposal that passed must be queued, and one whose delay is over must be executed.
    function GRACE_PERIOD() external view returns (uint256);

    /// @notice The platform token, whose supply bounds threshold and floor.
    function PLATFORM_TOKEN() external view returns (IERC20);

    /// @notice The version of this contract, as "major.minor.patch".
    function VERSION() external view returns (string memory);
}
