// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PlainToken} from "./PlainToken.sol";

/// @notice Moves nothing and answers false, without a revert.
contract FalseToken is PlainToken {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}
