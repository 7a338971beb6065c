// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";

import {IDepositCollector} from "../../src/interfaces/IDepositCollector.sol";

/// @notice Calls the settlement back with its collector data, in the hope that one transfer counts twice.
contract ReentrantCollector is IDepositCollector {
    function collect(address, address, uint256, bytes32, bytes calldata collectorData) external {
        Address.functionCall(msg.sender, collectorData);
    }
}
