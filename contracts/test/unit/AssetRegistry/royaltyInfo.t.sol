// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetsBase} from "../../AssetsBase.t.sol";

contract RoyaltyInfoTest is AssetsBase {
    function test_pays_resales_of_titles_and_passes_to_the_shares(uint128 price, uint128 planId) public view {
        (address receiver, uint256 amount) = registry.royaltyInfo(_title(), price);
        assertEq(receiver, address(shares), "receiver");
        assertEq(amount, uint256(price) * 500 / 10_000, "amount");
        (receiver, amount) = pass.royaltyInfo(_title() << 128 | planId, price);
        assertEq(receiver, address(shares), "receiver of a pass");
        assertEq(amount, uint256(price) * 500 / 10_000, "amount of a pass");
    }

    function test_speaks_its_standards() public view {
        bytes4[5] memory titles = [bytes4(0x01ffc9a7), 0x80ac58cd, 0x5b5e139f, 0x2a55205a, 0x49064906];
        for (uint256 i; i < titles.length; ++i) {
            assertTrue(registry.supportsInterface(titles[i]), "165, 721, 721 metadata, 2981, 4906");
        }
        bytes4[4] memory passes = [bytes4(0x01ffc9a7), 0xd9b67a26, 0x0e89341c, 0x2a55205a];
        for (uint256 i; i < passes.length; ++i) {
            assertTrue(pass.supportsInterface(passes[i]), "165, 1155, 1155 metadata, 2981");
        }
        assertTrue(!registry.supportsInterface(0xffffffff) && !pass.supportsInterface(0xffffffff), "and no other");
    }

    function test_a_pass_shows_its_assets_metadata() public view {
        assertEq(keccak256(bytes(pass.uri(_title() << 128 | 1))), keccak256("ipfs://first"), "uri");
    }
}
