// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Uses its turn to accrue for calling `target`; remembers what came of it.
contract ReentrantPayee {
    address private target;
    bytes private data;
    bool public called;
    bool public succeeded;
    bytes public answer;

    function arm(address target_, bytes calldata data_) external {
        (target, data) = (target_, data_);
    }

    function accrue(address) external returns (uint256) {
        called = true;
        (succeeded, answer) = target.call(data);
        return 0;
    }
}
