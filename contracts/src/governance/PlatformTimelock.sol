// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";

import {IPlatformTimelock} from "../interfaces/IPlatformTimelock.sol";

/// @title PlatformTimelock
/// @notice OpenZeppelin's timelock without an administrator; `IPlatformTimelock` says what it adds.
contract PlatformTimelock is IPlatformTimelock, TimelockController {
    /// @inheritdoc IPlatformTimelock
    string public constant VERSION = "1.0.0";
    /// @inheritdoc IPlatformTimelock
    uint256 public constant MIN_DELAY = 1 days;
    /// @inheritdoc IPlatformTimelock
    uint256 public constant MAX_DELAY = 30 days;

    /// @inheritdoc IPlatformTimelock
    address public appointer;

    /// @param delay Seconds from `queue` to `execute`, within the bounds.
    /// @param appointer_ Names the governor, once: its address depends on this one.
    constructor(uint256 delay, address appointer_)
        TimelockController(delay, new address[](0), new address[](0), address(0))
    {
        _checkDelay(delay);
        appointer = appointer_;
    }

    /// @inheritdoc IPlatformTimelock
    function appoint(address governor) external {
        require(msg.sender == appointer, NotTheAppointer(msg.sender));
        address its = GovernorTimelockControl(payable(governor)).timelock();
        require(its == address(this), AnotherTimelock(governor, its));
        appointer = address(0);
        emit GovernorAppointed(governor);
        _grantRole(PROPOSER_ROLE, governor);
        _grantRole(CANCELLER_ROLE, governor);
        _grantRole(EXECUTOR_ROLE, governor);
    }

    /// @notice Sets the delay within its bounds. By proposal only.
    function updateDelay(uint256 delay) public override {
        _checkDelay(delay);
        super.updateDelay(delay);
    }

    function _checkDelay(uint256 delay) private pure {
        require(delay >= MIN_DELAY && delay <= MAX_DELAY, DelayOutOfBounds(delay, MIN_DELAY, MAX_DELAY));
    }
}
