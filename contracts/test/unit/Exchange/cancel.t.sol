// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IExchange} from "../../../src/interfaces/IExchange.sol";
import {MarketBase} from "../../MarketBase.t.sol";

contract ExchangeCancelTest is MarketBase {
    function test_a_cancelled_nonce_is_used_and_no_other() public {
        IExchange.Listing memory listing = _listing(_collectible());
        listing.nonce = 3 * 256 + 5;
        vm.expectEmit(address(exchange));
        emit IExchange.NoncesCancelled(maker, 3, 1 << 5);
        vm.prank(maker);
        exchange.cancel(3, 1 << 5);
        assertTrue(exchange.isNonceUsed(maker, listing.nonce), "used");
        assertTrue(!exchange.isNonceUsed(maker, listing.nonce + 1), "the next is not");
        assertTrue(!exchange.isNonceUsed(buyer, listing.nonce), "nor another maker's");
        _refused(listing, abi.encodeWithSelector(IExchange.NonceUsed.selector, maker, listing.nonce));
        listing.nonce++;
        _buy(listing);
    }

    function test_many_at_once() public {
        vm.prank(maker);
        exchange.cancel(0, type(uint256).max);
        assertTrue(exchange.isNonceUsed(maker, 0) && exchange.isNonceUsed(maker, 255), "all of the word");
        assertTrue(!exchange.isNonceUsed(maker, 256), "not the next word");
    }

    function test_many_words_at_once() public {
        uint256[] memory words = new uint256[](2);
        uint256[] memory masks = new uint256[](2);
        (words[0], masks[0], words[1], masks[1]) = (1, 2, 7, type(uint256).max);
        vm.prank(maker);
        exchange.cancel(words, masks);
        assertTrue(exchange.isNonceUsed(maker, 257) && exchange.isNonceUsed(maker, 7 * 256 + 99), "used");
        assertTrue(!exchange.isNonceUsed(maker, 256), "no other");
        vm.expectRevert(abi.encodeWithSelector(IExchange.LengthMismatch.selector, 2, 0));
        exchange.cancel(words, new uint256[](0));
    }

    function test_a_divisible_listing_can_be_cancelled_half_sold() public {
        IExchange.Listing memory listing = _forDollars(_passes(10));
        listing.divisible = true;
        _buy(listing, 4);
        vm.prank(maker);
        exchange.cancel(0, 1);
        _refused(listing, abi.encodeWithSelector(IExchange.NonceUsed.selector, maker, 0));
    }

    function test_a_listing_is_sold_once_even_when_its_item_returns() public {
        IExchange.Listing memory listing = _listing(_collectible());
        _buy(listing);
        vm.prank(buyer);
        collection.transferFrom(buyer, maker, 1);
        _refused(listing, abi.encodeWithSelector(IExchange.NonceUsed.selector, maker, 0));
    }

    function test_limit_a_listing_that_was_neither_sold_nor_cancelled_is_good_again_when_its_item_returns() public {
        IExchange.Listing memory listing = _listing(_collectible());
        vm.prank(maker);
        collection.transferFrom(maker, carol, 1);
        _refused(listing, abi.encodeWithSelector(IExchange.ItemNotOwned.selector, address(collection), 1, maker, 1));
        vm.prank(carol);
        collection.transferFrom(carol, maker, 1);
        _buy(listing);
    }

    function test_of_two_listings_with_one_nonce_one_is_sold() public {
        collection.mint(maker, 2);
        _buy(_listing(_collectible()));
        IExchange.Listing memory other = _listing(_item(IExchange.ItemKind.ERC721, address(collection), 2, 1));
        _refused(other, abi.encodeWithSelector(IExchange.NonceUsed.selector, maker, 0));
    }

    /// @dev The limit: what a divisible listing sold, and the bit that an indivisible one uses, are counted apart. To count
    ///      them together would cost each sale a storage read.
    function test_limit_a_divisible_and_an_indivisible_listing_with_one_nonce_are_both_sold() public {
        IExchange.Listing memory parts = _forDollars(_passes(10));
        parts.divisible = true;
        _buy(parts);
        IExchange.Listing memory whole = _forDollars(_passes(10));
        _buy(whole);
        assertEq(passes.balanceOf(buyer, PASS), 20, "both");
        _refused(parts, abi.encodeWithSelector(IExchange.NonceUsed.selector, maker, 0));
    }
}
