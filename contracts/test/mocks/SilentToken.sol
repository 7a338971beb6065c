// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PlainToken} from "./PlainToken.sol";

/// @notice Refuses to pay accounts on its list by returning false, without a revert.
contract SilentToken is PlainToken {
    mapping(address account => bool) public refused;

    function refuse(address account, bool on) external {
        refused[account] = on;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return !refused[to] && super.transfer(to, amount);
    }
}
