// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Answers every call with success and nothing, as a wrapped coin with a fallback does.
contract PhantomToken {
    fallback() external payable {}
    receive() external payable {}
}
