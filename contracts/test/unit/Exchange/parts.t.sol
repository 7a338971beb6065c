// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IExchange} from "../../../src/interfaces/IExchange.sol";
import {MarketBase} from "../../MarketBase.t.sol";

contract ExchangePartsTest is MarketBase {
    function test_parts_of_shares_and_of_passes_until_all_is_sold() public {
        IExchange.Listing memory listing = _divisible(_passes(10));
        _buy(listing, 4);
        assertEq(exchange.soldOf(maker, 0), 4, "sold");
        _buy(listing, 6);
        assertEq(passes.balanceOf(buyer, PASS), 10, "all");
        _fails(listing, 1, abi.encodeWithSelector(IExchange.NotEnoughLeft.selector, 1, 0));
        listing = _divisible(_shares(10));
        listing.nonce = 1;
        _buy(listing, 3);
        assertEq(shares.balanceOf(buyer), 3, "part");
        _fails(listing, 8, abi.encodeWithSelector(IExchange.NotEnoughLeft.selector, 8, 7));
    }

    function test_zero_is_all_that_was_listed() public {
        IExchange.Listing memory listing = _divisible(_passes(10));
        assertEq(_buy(listing, 0), PRICE, "price");
        assertEq(passes.balanceOf(buyer, PASS), 10, "all");
    }

    function test_listings_of_one_nonce_never_sell_more_than_the_larger() public {
        IExchange.Listing memory listing = _divisible(_passes(10));
        _buy(listing, 8);
        listing.item.price = PRICE / 2; // signed anew at a lower price
        _buy(listing, 2);
        _fails(listing, 1, abi.encodeWithSelector(IExchange.NotEnoughLeft.selector, 1, 0));
        listing.item.amount = 5;
        _fails(listing, 1, abi.encodeWithSelector(IExchange.NotEnoughLeft.selector, 1, 0));
    }

    /// @dev However a buyer slices, the maker never gets less than for the whole, and a part is never free.
    function test_rounding_is_never_the_makers_loss(uint256 seed, uint128 price, uint128 amount) public {
        amount = uint128(bound(amount, 1, SUPPLY / 2));
        price = uint128(bound(price, 1, FUNDS / 4));
        vm.prank(owner);
        exchange.setFee(market, 0);
        IExchange.Listing memory listing = _divisible(_shares(amount));
        listing.item.price = price;
        uint256 left = amount;
        for (uint256 i = 0; i < 5 && left != 0; ++i) {
            uint256 part = i == 4 ? left : bound(uint256(keccak256(abi.encode(seed, i))), 1, left);
            uint256 paid = _buy(listing, part);
            assertLe(1, paid, "no part is free");
            assertLe(part * price, paid * amount, "not below the price per unit");
            assertLe((paid - 1) * amount + 1, part * price, "rounded by less than a unit");
            left -= part;
        }
        assertLe(price, dollar.balanceOf(maker), "at least the price of the whole");
        assertEq(shares.balanceOf(buyer), amount, "all of it");
    }

    function test_the_largest_numbers_do_not_overflow(uint128 amount, uint128 price, uint128 part) public view {
        amount = uint128(bound(amount, 1, type(uint128).max));
        IExchange.Listing memory listing = _divisible(_passes(amount));
        listing.item.price = uint128(bound(price, 1, type(uint128).max));
        (uint256 cost,,) = exchange.quote(listing, bound(part, 1, amount));
        assertLe(cost, listing.item.price, "at most the whole");
    }

    function test_reverts_whenAPartOfAnIndivisibleListingIsAsked() public {
        IExchange.Listing memory listing = _forDollars(_passes(10));
        _fails(listing, 4, abi.encodeWithSelector(IExchange.NotDivisible.selector));
        _fails(listing, 10, abi.encodeWithSelector(IExchange.NotDivisible.selector));
    }

    function test_reverts_whenACollectibleOrABundleIsDivisible() public {
        IExchange.Listing memory listing = _divisible(_collectible());
        _fails(listing, 0, abi.encodeWithSelector(IExchange.NotDivisible.selector));
        listing = _bundle(_passes(1), _shares(1));
        listing.divisible = true;
        _fails(listing, 0, abi.encodeWithSelector(IExchange.NotDivisible.selector));
    }

    function test_reverts_whenMoreThanListedIsAsked() public {
        _fails(_divisible(_passes(10)), 11, abi.encodeWithSelector(IExchange.NotEnoughLeft.selector, 11, 10));
    }

    function _divisible(IExchange.Item memory item) private view returns (IExchange.Listing memory listing) {
        listing = _forDollars(item);
        listing.divisible = true;
    }

    function _fails(IExchange.Listing memory listing, uint256 amount, bytes memory reason) private {
        bytes memory signature = _signed(listing);
        vm.prank(buyer);
        vm.expectRevert(reason);
        exchange.buy(listing, signature, amount, type(uint256).max, buyer);
    }
}
