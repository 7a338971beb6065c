// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @notice What a Uniswap v2 pair calls on whom it lent its tokens to, within a swap.
interface IFlashBorrower {
    function uniswapV2Call(address sender, uint256 amount0, uint256 amount1, bytes calldata data) external;
}

/// @notice A pool that knows nothing of shares' income: reserves, x times y, 0.3 % fee, skim, sync and flash swaps, as in
///         Uniswap v2.
contract ConstantProductPair is ERC20 {
    IERC20 public immutable token0;
    IERC20 public immutable token1;
    uint256 public reserve0;
    uint256 public reserve1;

    error TooMuchOut(uint256 out0, uint256 out1);
    error ProductFell();

    constructor(IERC20 token0_, IERC20 token1_) ERC20("Pair", "PAIR") {
        token0 = token0_;
        token1 = token1_;
    }

    function mint(address to) external returns (uint256 liquidity) {
        uint256 amount0 = token0.balanceOf(address(this)) - reserve0;
        uint256 amount1 = token1.balanceOf(address(this)) - reserve1;
        liquidity = totalSupply() == 0
            ? Math.sqrt(amount0 * amount1)
            : Math.min(amount0 * totalSupply() / reserve0, amount1 * totalSupply() / reserve1);
        _mint(to, liquidity);
        sync();
    }

    function burn(address to) external returns (uint256 amount0, uint256 amount1) {
        uint256 liquidity = balanceOf(address(this));
        amount0 = liquidity * token0.balanceOf(address(this)) / totalSupply();
        amount1 = liquidity * token1.balanceOf(address(this)) / totalSupply();
        _burn(address(this), liquidity);
        token0.transfer(to, amount0);
        token1.transfer(to, amount1);
        sync();
    }

    function swap(uint256 out0, uint256 out1, address to, bytes calldata data) external {
        require(out0 < reserve0 && out1 < reserve1, TooMuchOut(out0, out1));
        if (out0 != 0) token0.transfer(to, out0);
        if (out1 != 0) token1.transfer(to, out1);
        if (data.length != 0) IFlashBorrower(to).uniswapV2Call(msg.sender, out0, out1, data);
        uint256 balance0 = token0.balanceOf(address(this));
        uint256 balance1 = token1.balanceOf(address(this));
        uint256 in0 = Math.saturatingSub(balance0, reserve0 - out0);
        uint256 in1 = Math.saturatingSub(balance1, reserve1 - out1);
        require(
            (balance0 * 1000 - in0 * 3) * (balance1 * 1000 - in1 * 3) >= reserve0 * reserve1 * 1000 ** 2, ProductFell()
        );
        sync();
    }

    function skim(address to) external {
        token0.transfer(to, token0.balanceOf(address(this)) - reserve0);
        token1.transfer(to, token1.balanceOf(address(this)) - reserve1);
    }

    function sync() public {
        reserve0 = token0.balanceOf(address(this));
        reserve1 = token1.balanceOf(address(this));
    }
}
