// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDealPolicy} from "../../src/interfaces/IDealPolicy.sol";
import {DealId} from "../../src/types/DealId.sol";

/// @notice Lets only accounts on its list subscribe; once it is broken, it reverts.
contract DealAllowList is IDealPolicy {
    error Broken();

    bool public broken;
    mapping(DealId deal => mapping(address account => bool)) public listed;

    function list(DealId deal, address account, bool on) external {
        listed[deal][account] = on;
    }

    function breakDown() external {
        broken = true;
    }

    function canSubscribe(DealId deal, address account) external view returns (bool) {
        require(!broken, Broken());
        return listed[deal][account];
    }
}
