// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Counts how often it was asked to accrue, as Shares would notice what arrived.
contract AccruingPayee {
    mapping(address token => uint256) public accrued;

    function accrue(address token) external returns (uint256) {
        return ++accrued[token];
    }
}
