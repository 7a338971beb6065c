// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice What a singleton calls on whom it lent its tokens to.
interface ITaker {
    function taken(IERC20 token, uint256 amount) external;
}

/// @notice Holds the tokens of all pools, and lends them within a transaction without a fee, as Uniswap v4's manager does.
contract Singleton {
    error NotSettled(uint256 missing);

    function take(IERC20 token, uint256 amount) external {
        uint256 before = token.balanceOf(address(this));
        token.transfer(msg.sender, amount);
        ITaker(msg.sender).taken(token, amount);
        uint256 balance = token.balanceOf(address(this));
        require(balance >= before, NotSettled(before - balance));
    }
}
