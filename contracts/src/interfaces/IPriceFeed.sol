// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IPriceFeed
/// @notice What is read of a price feed: the two views of Chainlink's AggregatorV3Interface, which others offer, too.
interface IPriceFeed {
    /// @notice The newest price.
    /// @return roundId Of the price.
    /// @return answer The price, x 10^decimals.
    /// @return startedAt When its round began, Unix seconds.
    /// @return updatedAt When it was reported, Unix seconds.
    /// @return answeredInRound Not used any more.
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);

    /// @notice Digits of a price after the point.
    function decimals() external view returns (uint8);
}
