// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IPlatformTimelock
/// @notice What the platform's timelock adds to OpenZeppelin's `TimelockController`. It owns what the votes decide about, holds
///         the treasury, and does what the governor asks for, after a delay.
///
/// The appointer, who deploys it, names the governor once (`appoint`) and has no power after that. The governor is then the only
/// proposer, canceller and executor. Only the timelock itself, by proposal, can change a role or the delay.
interface IPlatformTimelock {
    /// @notice The governor was named. It cannot be named again.
    event GovernorAppointed(address indexed governor);

    /// @notice The delay is not within its bounds, seconds.
    error DelayOutOfBounds(uint256 value, uint256 least, uint256 most);

    /// @notice The caller may not name the governor: it is not the appointer, or the governor was named.
    error NotTheAppointer(address caller);

    /// @notice This governor works with another timelock.
    error AnotherTimelock(address governor, address timelock);

    /// @notice Names the governor. The appointer only, once.
    function appoint(address governor) external;

    /// @notice The account that may name the governor; zero once it was named.
    function appointer() external view returns (address);

    /// @notice The least delay, seconds.
    function MIN_DELAY() external view returns (uint256);

    /// @notice The longest delay, seconds.
    function MAX_DELAY() external view returns (uint256);

    /// @notice The version of this contract, as "major.minor.patch".
    function VERSION() external view returns (string memory);
}
