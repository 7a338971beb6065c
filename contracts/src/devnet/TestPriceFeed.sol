// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPriceFeed} from "../interfaces/IPriceFeed.sol";

/// @title TestPriceFeed
/// @notice A price feed for development chains: anyone may post the price.
contract TestPriceFeed is IPriceFeed {
    string public constant VERSION = "1.0.0";
    /// @inheritdoc IPriceFeed
    uint8 public constant decimals = 8; // solhint-disable-line const-name-snakecase

    int256 private _answer;
    uint64 private _updatedAt;
    uint80 private _round;

    /// @notice Posts a price, as of now.
    /// @param answer x 10^8.
    function post(int256 answer) external {
        (_answer, _updatedAt) = (answer, uint64(block.timestamp));
        ++_round;
    }

    /// @inheritdoc IPriceFeed
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return (_round, _answer, _updatedAt, _updatedAt, _round);
    }
}
