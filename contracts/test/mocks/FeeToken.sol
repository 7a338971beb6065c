// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PlainToken} from "./PlainToken.sol";

/// @notice Keeps a hundredth of every transfer once `charging` is switched on: what a listed token may turn into.
contract FeeToken is PlainToken {
    bool public charging;

    function setCharging(bool on) external {
        charging = on;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (charging && from != address(0) && to != address(0)) super._update(to, address(0), amount / 100);
    }
}
