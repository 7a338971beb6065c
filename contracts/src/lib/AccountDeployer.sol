// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";

/// @title AccountDeployer
/// @notice Makes the call that an ERC-6492 signature asks for before its account exists.
/// @dev Such a call is anyone's choice: any contract, any data. It must come from an account that holds nothing and that
///      no one ever approves, and never from a contract that may move its users' assets.
contract AccountDeployer {
    using LowLevelCall for address;

    /// @notice Calls `factory` with `data`. Whether an account came of it is for the caller to look.
    /// @param factory The account's factory, as its owner signed.
    /// @param data The factory's call data.
    function deploy(address factory, bytes calldata data) external {
        // slither-disable-next-line unused-return (a factory that reverts leaves no account, which the caller notices)
        factory.callNoReturn(data);
    }
}
