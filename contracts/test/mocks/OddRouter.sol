// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ISwapRouter} from "../../src/interfaces/ISwapRouter.sol";

/// @notice A router that takes and gives what it is set to, says what it likes, and may call somewhere in between.
contract OddRouter is ISwapRouter {
    uint256 public takenBps = 10_000;
    uint256 public given;
    address public target;
    bytes public data;
    bool public succeeded;
    bytes public answer;

    function set(uint256 takenBps_, uint256 given_) external {
        (takenBps, given) = (takenBps_, given_);
    }

    function aim(address target_, bytes calldata data_) external {
        (target, data) = (target_, data_);
    }

    function swapExactTokensForTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256
    ) external returns (uint256[] memory amounts) {
        if (target != address(0)) (succeeded, answer) = target.call(data);
        IERC20(path[0]).transferFrom(msg.sender, address(this), amountIn * takenBps / 10_000);
        IERC20(path[path.length - 1]).transfer(to, given);
        amounts = new uint256[](2);
        amounts[1] = amountOutMin; // whatever it gave
    }

    /// @notice Takes later what a caller may have left approved.
    function pull(IERC20 token, address from, uint256 amount) external {
        token.transferFrom(from, address(this), amount);
    }

    function getAmountsOut(uint256, address[] calldata path) external view returns (uint256[] memory amounts) {
        amounts = new uint256[](path.length);
        amounts[path.length - 1] = given;
    }
}
