// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PlainToken} from "./PlainToken.sol";

/// @notice Calls somewhere before each transfer, while the payer's books have moved and the balances have not.
contract ReenteringToken is PlainToken {
    address public target;
    bytes public data;
    bool public succeeded;
    bytes public answer;
    bool private _inside;

    function aim(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (target != address(0) && from != address(0) && to != address(0) && !_inside) {
            _inside = true;
            (succeeded, answer) = target.call(data);
            _inside = false;
        }
        super._update(from, to, amount);
    }
}
