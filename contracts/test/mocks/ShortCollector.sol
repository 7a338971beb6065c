// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestDollar} from "../../src/devnet/TestDollar.sol";
import {IDepositCollector} from "../../src/interfaces/IDepositCollector.sol";

/// @notice Brings `delivered` atomic units, whatever it was asked for.
contract ShortCollector is IDepositCollector {
    uint256 private immutable delivered;

    constructor(uint256 delivered_) {
        delivered = delivered_;
    }

    function collect(address, address token, uint256, bytes32, bytes calldata) external {
        TestDollar(token).mint(msg.sender, delivered);
    }
}
