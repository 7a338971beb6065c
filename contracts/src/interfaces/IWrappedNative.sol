// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The chain's wrapped native coin
/// @notice An ERC-20 that is minted one for one against native coin (WETH9 and its kin).
interface IWrappedNative {
    /// @notice Mints to the caller as much as the native coin sent with the call.
    function deposit() external payable;
}
