// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC2981} from "@openzeppelin/contracts/token/common/ERC2981.sol";

/// @notice Passes with a royalty. Anyone may mint.
contract PlainPass is ERC1155, ERC2981 {
    constructor(address receiver, uint96 bps) ERC1155("") {
        if (receiver != address(0)) _setDefaultRoyalty(receiver, bps);
    }

    function mint(address to, uint256 id, uint256 amount) external {
        _mint(to, id, amount, "");
    }

    function supportsInterface(bytes4 id) public view override(ERC1155, ERC2981) returns (bool) {
        return super.supportsInterface(id);
    }
}
