// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PlainToken} from "./PlainToken.sol";

/// @notice A token with 18 decimals, as platform tokens have.
contract CoinToken is PlainToken {
    function decimals() public pure override returns (uint8) {
        return 18;
    }
}
