// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";

/// @notice Calls somewhere when it receives credits.
contract ReenteringBuyer is ERC1155Holder {
    address public target;
    bytes public data;
    bool public succeeded;
    bytes public answer;

    function aim(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function onERC1155Received(address operator, address from, uint256 id, uint256 value, bytes memory extra)
        public
        override
        returns (bytes4)
    {
        (succeeded, answer) = target.call(data);
        return super.onERC1155Received(operator, from, id, value, extra);
    }
}
