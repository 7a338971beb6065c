// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC2981} from "@openzeppelin/contracts/token/common/ERC2981.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// @notice Collectibles with a royalty that anyone may change at any time.
contract RoyaltyCollection is ERC721, ERC2981 {
    constructor(address receiver, uint96 bps) ERC721("Collection", "COL") {
        _setDefaultRoyalty(receiver, bps);
    }

    function mint(address to, uint256 id) external {
        _mint(to, id);
    }

    function setRoyalty(address receiver, uint96 bps) external {
        _setDefaultRoyalty(receiver, bps);
    }

    function supportsInterface(bytes4 id) public view override(ERC721, ERC2981) returns (bool) {
        return super.supportsInterface(id);
    }
}
