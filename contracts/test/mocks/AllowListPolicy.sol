// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITransferPolicy} from "../../src/interfaces/ITransferPolicy.sol";

/// @notice Lets only accounts on its list receive shares.
contract AllowListPolicy is ITransferPolicy {
    mapping(address account => bool) public listed;

    function list(address account, bool on) external {
        listed[account] = on;
    }

    function canHold(address, address account) public view returns (bool) {
        return listed[account];
    }

    function canTransfer(address shares, address, address to, uint256) external view returns (bool) {
        return canHold(shares, to);
    }
}
