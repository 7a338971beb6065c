// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IDepositCollector} from "../interfaces/IDepositCollector.sol";
import {IERC3009Bytes} from "../interfaces/IERC3009Bytes.sol";
import {IERC3009DepositCollector} from "../interfaces/IERC3009DepositCollector.sol";

/// @title ERC3009DepositCollector
/// @notice Funds a channel by a payer's EIP-3009 signature; how and why is described in `IERC3009DepositCollector`.
contract ERC3009DepositCollector is IERC3009DepositCollector {
    using SafeERC20 for IERC20;

    string public constant VERSION = "1.0.0";

    /// @inheritdoc IERC3009DepositCollector
    address public immutable x402BatchSettlement;

    /// @param settlement The settlement contract this collector serves, for good.
    constructor(address settlement) {
        require(settlement != address(0), InvalidX402BatchSettlementAddress());
        x402BatchSettlement = settlement;
    }

    /// @inheritdoc IDepositCollector
    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata collectorData)
        external
    {
        require(msg.sender == x402BatchSettlement, OnlyX402BatchSettlement());
        (uint256 validAfter, uint256 validBefore, uint256 salt, bytes memory signature) =
            abi.decode(collectorData, (uint256, uint256, uint256, bytes));

        IERC3009Bytes(token)
            .receiveWithAuthorization(
                payer, address(this), amount, validAfter, validBefore, keccak256(abi.encode(channelId, salt)), signature
            );
        IERC20(token).safeTransfer(msg.sender, amount);
    }
}
