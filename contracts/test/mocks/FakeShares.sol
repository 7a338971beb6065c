// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice Pretends to be a child that owes royalties, to carry money past the protocol fee.
contract FakeShares {
    function accrue(address) external pure returns (uint256) {
        return 0;
    }

    function collect(address) external pure returns (uint256) {
        return 0;
    }

    function collectRoyalty(address token) external returns (uint256 amount) {
        amount = IERC20(token).balanceOf(address(this));
        IERC20(token).transfer(msg.sender, amount);
    }
}
