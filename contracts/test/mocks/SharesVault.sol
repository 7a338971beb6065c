// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";

/// @notice A stock vault that has never heard of income.
contract SharesVault is ERC4626 {
    constructor(IERC20 shares) ERC20("Vault", "VAULT") ERC4626(shares) {}
}
