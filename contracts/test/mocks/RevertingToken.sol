// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PlainToken} from "./PlainToken.sol";

/// @notice Refuses everything, reads included, once it is broken.
contract RevertingToken is PlainToken {
    error Broken();

    bool public broken;

    function setBroken(bool on) external {
        broken = on;
    }

    function balanceOf(address account) public view override returns (uint256) {
        require(!broken, Broken());
        return super.balanceOf(account);
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!broken, Broken());
        super._update(from, to, amount);
    }
}
