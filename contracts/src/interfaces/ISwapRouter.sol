// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ISwapRouter
/// @notice What is used of a market's router: two functions of Uniswap v2's, which most routers of its kind offer. Another kind
///         takes a contract between that speaks these.
interface ISwapRouter {
    /// @notice Sells an exact amount of the first token of `path` for the last.
    /// @param amountIn Atomic units, by the caller's allowance.
    /// @param amountOutMin The least to get.
    /// @param path Tokens, from the one sold to the one bought.
    /// @param to Who gets what was bought.
    /// @param deadline The last second in which it may happen, Unix seconds.
    /// @return amounts One for each token of the path.
    function swapExactTokensForTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external returns (uint256[] memory amounts);

    /// @notice What `swapExactTokensForTokens` would give now.
    /// @param amountIn Atomic units.
    /// @param path As for the swap.
    /// @return amounts One for each token of the path.
    function getAmountsOut(uint256 amountIn, address[] calldata path) external view returns (uint256[] memory amounts);
}
