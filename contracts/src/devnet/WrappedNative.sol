// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title WrappedNative
/// @notice Native currency as an ERC-20, one to one, for development chains that lack WETH9.
contract WrappedNative is ERC20 {
    string public constant VERSION = "1.0.0";

    /// @notice Native currency came in and was wrapped for `account`.
    event Deposit(address indexed account, uint256 amount);

    /// @notice `account` unwrapped and took native currency out.
    event Withdrawal(address indexed account, uint256 amount);

    constructor() ERC20("Wrapped Native", "WNATIVE") {}

    /// @notice Same as `deposit`.
    receive() external payable {
        deposit();
    }

    /// @notice Wraps the native currency sent along for the caller.
    function deposit() public payable {
        _mint(msg.sender, msg.value);
        emit Deposit(msg.sender, msg.value);
    }

    /// @notice Unwraps for the caller.
    /// @param amount Wei; reverts if the caller holds less.
    function withdraw(uint256 amount) external {
        _burn(msg.sender, amount);
        emit Withdrawal(msg.sender, amount);
        Address.sendValue(payable(msg.sender), amount);
    }
}
