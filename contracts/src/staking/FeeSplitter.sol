// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IFeeSplitter} from "../interfaces/IFeeSplitter.sol";
import {IShares} from "../interfaces/IShares.sol";
import {IVoteEscrow} from "../interfaces/IVoteEscrow.sol";

/// @title FeeSplitter
/// @notice See IFeeSplitter.
contract FeeSplitter is IFeeSplitter {
    using SafeERC20 for IERC20;

    /// @inheritdoc IFeeSplitter
    string public constant VERSION = "1.0.0";

    /// @inheritdoc IFeeSplitter
    IVoteEscrow public immutable ESCROW;
    /// @inheritdoc IFeeSplitter
    address public immutable TREASURY;
    address private immutable REVENUE_TOKEN;

    /// @param escrow Its stakers get what arrives in its revenue token.
    /// @param treasury Gets everything else.
    constructor(IVoteEscrow escrow, address treasury) {
        require(address(escrow).code.length != 0, InvalidAddress(address(escrow)));
        require(treasury != address(0), InvalidAddress(treasury));
        ESCROW = escrow;
        TREASURY = treasury;
        REVENUE_TOKEN = address(escrow.REVENUE_TOKEN());
    }

    /// @notice Takes native coin, which goes to the treasury.
    receive() external payable {}

    /// @inheritdoc IFeeSplitter
    // A source that calls back sends on what is here already, and nothing is left for the rest of the outer call.
    // slither-disable-next-line reentrancy-events,arbitrary-send-eth
    function forward(address token, address[] calldata sources) external returns (uint256 amount) {
        for (uint256 i; i < sources.length; ++i) {
            // slither-disable-next-line unused-return,calls-loop (the balance counts)
            IShares(sources[i]).release(token);
        }
        address to = sinkOf(token);
        amount = token == address(0) ? address(this).balance : IERC20(token).balanceOf(address(this));
        if (amount != 0) {
            emit Forwarded(token, to, amount);
            if (token == address(0)) {
                (bool taken,) = to.call{value: amount}("");
                require(taken, CoinRefused(to, amount));
            } else {
                IERC20(token).safeTransfer(to, amount);
            }
        }
        // slither-disable-next-line unused-return (it may book more than this call sent)
        if (to == address(ESCROW)) ESCROW.notify();
    }

    /// @inheritdoc IFeeSplitter
    function sinkOf(address token) public view returns (address) {
        return token == REVENUE_TOKEN ? address(ESCROW) : TREASURY;
    }
}
