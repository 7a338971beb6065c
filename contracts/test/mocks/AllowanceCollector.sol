// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IDepositCollector} from "../../src/interfaces/IDepositCollector.sol";

/// @notice Collects from an allowance: for tokens and payers without signatures. Checks no caller, so for tests only.
contract AllowanceCollector is IDepositCollector {
    using SafeERC20 for IERC20;

    function collect(address payer, address token, uint256 amount, bytes32, bytes calldata) external {
        IERC20(token).safeTransferFrom(payer, msg.sender, amount);
    }
}
