// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";

/// @notice Calls somewhere whenever it is paid or receives an item, and remembers what came of it.
contract Reenterer is ERC1155Holder {
    address public target;
    bytes public data;
    bool public called;
    bool public succeeded;
    bytes public answer;

    receive() external payable {
        _call();
    }

    function aim(address target_, bytes calldata data_) external {
        (target, data) = (target_, data_);
    }

    function onERC1155Received(address operator, address from, uint256 id, uint256 value, bytes memory extra)
        public
        override
        returns (bytes4)
    {
        _call();
        return super.onERC1155Received(operator, from, id, value, extra);
    }

    function _call() private {
        if (target == address(0)) return;
        called = true;
        (succeeded, answer) = target.call{gas: 60_000}(data);
    }
}
