// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ISwapRouter} from "../interfaces/ISwapRouter.sol";

/// @title TestMarket
/// @notice A market for development chains: it trades any two tokens that it holds; x times y stays, less a fee of 0.3 %.
/// @dev Pool and router in one, with its balances as reserves: a plain transfer fills it, and nothing takes out again what no
///      trade takes.
contract TestMarket is ISwapRouter {
    using SafeERC20 for IERC20;

    string public constant VERSION = "1.0.0";
    uint256 private constant KEPT = 997;
    uint256 private constant WHOLE = 1_000;

    error InvalidPath(address[] path);
    error TooLittle(uint256 amount, uint256 least);
    error TooLate(uint256 deadline);

    /// @inheritdoc ISwapRouter
    function swapExactTokensForTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external returns (uint256[] memory amounts) {
        require(block.timestamp <= deadline, TooLate(deadline));
        amounts = getAmountsOut(amountIn, path);
        require(amounts[1] >= amountOutMin, TooLittle(amounts[1], amountOutMin));
        IERC20(path[0]).safeTransferFrom(msg.sender, address(this), amountIn);
        IERC20(path[1]).safeTransfer(to, amounts[1]);
    }

    /// @inheritdoc ISwapRouter
    function getAmountsOut(uint256 amountIn, address[] calldata path) public view returns (uint256[] memory amounts) {
        require(path.length == 2 && path[0] != path[1], InvalidPath(path));
        uint256 kept = amountIn * KEPT;
        uint256 reserve = IERC20(path[0]).balanceOf(address(this)) * WHOLE;
        amounts = new uint256[](2);
        amounts[0] = amountIn;
        amounts[1] = Math.mulDiv(kept, IERC20(path[1]).balanceOf(address(this)), Math.max(reserve + kept, 1));
    }
}
