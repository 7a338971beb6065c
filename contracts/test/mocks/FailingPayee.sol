// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A payee whose accrue fails in every way there is.
contract FailingPayee {
    enum Failure {
        Revert,
        RevertHugely,
        ReturnNothing,
        BurnGas
    }

    Failure private immutable failure;

    constructor(Failure failure_) {
        failure = failure_;
    }

    function accrue(address) external view {
        if (failure == Failure.Revert) revert("no");
        if (failure == Failure.RevertHugely) {
            assembly ("memory-safe") {
                revert(0, 200000)
            }
        }
        if (failure == Failure.BurnGas) assert(gasleft() == type(uint256).max);
    }
}
