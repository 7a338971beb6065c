// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IExchange} from "../../../src/interfaces/IExchange.sol";
import {MarketBase} from "../../MarketBase.t.sol";

contract ExchangeBuyTest is MarketBase {
    function test_a_collectible_for_native_coin() public {
        assertEq(_buy(_listing(_collectible())), PRICE, "price");
        assertEq(collection.ownerOf(1), buyer, "item");
        _checkPaid(maker.balance, artist.balance, _fees(address(0)), buyer.balance);
    }

    function test_a_collectible_for_a_token() public {
        _buy(_forDollars(_collectible()));
        assertEq(collection.ownerOf(1), buyer, "item");
        _checkDollars();
    }

    function test_passes() public {
        _buy(_forDollars(_passes(300)));
        assertEq(passes.balanceOf(buyer, PASS), 300, "bought");
        assertEq(passes.balanceOf(maker, PASS), 700, "kept");
        _checkDollars();
    }

    function test_shares_pay_no_royalty_and_accrued_income_stays_with_the_maker() public {
        _earn(shares, 1_000e6);
        uint256 due = shares.pending(maker, address(money));
        _buy(_forDollars(_shares(1_000e6)));
        assertEq(shares.balanceOf(buyer), 1_000e6, "shares");
        assertEq(dollar.balanceOf(maker), PRICE - FEE, "no royalty");
        assertEq(shares.pending(maker, address(money)), due, "what accrued before is the maker's");
        assertEq(shares.pending(buyer, address(money)), 0, "and none of it the buyer's");
    }

    function test_a_bundle_pays_each_royalty_on_its_items_price() public {
        IExchange.Listing memory listing = _bundle(_collectible(), _shares(1_000e6));
        assertEq(_buy(listing), 2 * PRICE, "price");
        assertEq(collection.ownerOf(1), buyer, "collectible");
        assertEq(shares.balanceOf(buyer), 1_000e6, "shares");
        assertEq(dollar.balanceOf(artist), ROYALTY, "royalty of the one");
        assertEq(_fees(address(dollar)), 2 * FEE, "fee on all");
        assertEq(dollar.balanceOf(maker), 2 * PRICE - ROYALTY - 2 * FEE, "rest");
    }

    function test_items_go_to_whom_the_buyer_names() public {
        IExchange.Listing memory listing = _forDollars(_collectible());
        bytes memory signature = _signed(listing);
        vm.prank(buyer);
        exchange.buy(listing, signature, 0, PRICE, carol);
        assertEq(collection.ownerOf(1), carol, "carol");
    }

    function test_emits_sold() public {
        IExchange.Listing memory listing = _forDollars(_collectible());
        listing.nonce = 77;
        vm.expectEmit(address(exchange));
        emit IExchange.Sold(exchange.hashOf(listing), maker, address(collection), buyer, 77, 0, PRICE, ROYALTY, FEE);
        _buy(listing);
    }

    /// @dev The digest made by hand, as a wallet makes it.
    function test_the_hash_is_eip_712() public view {
        IExchange.Listing memory listing = _bundle(_collectible(), _passes(3));
        bytes32 itemType = keccak256("Item(uint8 kind,address token,uint256 id,uint128 amount,uint128 price)");
        bytes32[2] memory items;
        for (uint256 i = 0; i < 2; ++i) {
            IExchange.Item memory item = i == 0 ? listing.item : listing.more[0];
            items[i] = keccak256(abi.encode(itemType, uint8(item.kind), item.token, item.id, item.amount, item.price));
        }
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Usufruct Exchange"),
                keccak256("1"),
                block.chainid,
                address(exchange)
            )
        );
        bytes memory listingType =
            "Listing(address maker,address currency,uint64 expiry,uint16 maxDeductionBps,bool divisible,uint256 nonce,Item item,Item[] more)Item(uint8 kind,address token,uint256 id,uint128 amount,uint128 price)";
        bytes memory fields = abi.encode(
            keccak256(listingType),
            listing.maker,
            listing.currency,
            listing.expiry,
            listing.maxDeductionBps,
            listing.divisible,
            listing.nonce,
            items[0],
            keccak256(abi.encode(items[1]))
        );
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", domain, keccak256(fields)));
        assertEq(exchange.hashOf(listing), digest, "digest");
    }

    function test_reverts_whenPriceIsAboveMax() public {
        IExchange.Listing memory listing = _listing(_collectible());
        bytes memory signature = _signed(listing);
        vm.prank(buyer);
        vm.expectRevert(abi.encodeWithSelector(IExchange.PriceAboveMax.selector, PRICE, PRICE - 1));
        exchange.buy{value: PRICE}(listing, signature, 0, PRICE - 1, buyer);
    }

    function test_reverts_whenValueIsNotThePrice() public {
        IExchange.Listing memory native_ = _listing(_collectible());
        IExchange.Listing memory forDollars = _forDollars(_collectible());
        bytes memory signature = _signed(native_);
        bytes memory other = _signed(forDollars);
        vm.startPrank(buyer);
        vm.expectRevert(abi.encodeWithSelector(IExchange.WrongValue.selector, PRICE + 1, PRICE));
        exchange.buy{value: PRICE + 1}(native_, signature, 0, PRICE, buyer);
        vm.expectRevert(abi.encodeWithSelector(IExchange.WrongValue.selector, PRICE - 1, PRICE));
        exchange.buy{value: PRICE - 1}(native_, signature, 0, PRICE, buyer);
        vm.expectRevert(abi.encodeWithSelector(IExchange.WrongValue.selector, 1, 0));
        exchange.buy{value: 1}(forDollars, other, 0, PRICE, buyer);
        vm.stopPrank();
    }

    function test_reverts_whenExpired() public {
        IExchange.Listing memory listing = _listing(_collectible());
        vm.warp(listing.expiry);
        _refused(listing, abi.encodeWithSelector(IExchange.ListingExpired.selector, listing.expiry));
        vm.warp(listing.expiry - 1);
        _buy(listing);
    }

    function test_reverts_whenCurrencyIsNotListed() public {
        IExchange.Listing memory listing = _forDollars(_collectible());
        listing.currency = address(passes);
        _refused(listing, abi.encodeWithSelector(IExchange.CurrencyNotAllowed.selector, address(passes)));
    }

    function test_reverts_whenItIsASelfTrade() public {
        IExchange.Listing memory listing = _listing(_collectible());
        bytes memory signature = _signed(listing);
        vm.deal(maker, PRICE);
        vm.prank(maker);
        vm.expectRevert(abi.encodeWithSelector(IExchange.SelfTrade.selector, maker));
        exchange.buy{value: PRICE}(listing, signature, 0, PRICE, buyer);
        vm.prank(buyer);
        vm.expectRevert(abi.encodeWithSelector(IExchange.SelfTrade.selector, maker));
        exchange.buy{value: PRICE}(listing, signature, 0, PRICE, maker);
    }

    function test_reverts_whenItemsWouldBeLost() public {
        IExchange.Listing memory listing = _listing(_collectible());
        bytes memory signature = _signed(listing);
        address[2] memory lost = [address(0), address(exchange)];
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(buyer);
            vm.expectRevert(abi.encodeWithSelector(IExchange.InvalidRecipient.selector, lost[i]));
            exchange.buy{value: PRICE}(listing, signature, 0, PRICE, lost[i]);
        }
    }

    function test_reverts_whenItemsAreTooMany_orInvalid() public {
        IExchange.Listing memory listing = _listing(_collectible());
        listing.more = new IExchange.Item[](20);
        _refused(listing, abi.encodeWithSelector(IExchange.TooManyItems.selector, 21));
        IExchange.Item[] memory invalid = new IExchange.Item[](4);
        (invalid[0], invalid[1], invalid[2], invalid[3]) = (_collectible(), _passes(0), _shares(1), _shares(1));
        invalid[0].amount = 2;
        invalid[2].price = 0;
        invalid[3].id = 1;
        for (uint256 i = 0; i < invalid.length; ++i) {
            listing = _listing(invalid[i]);
            _refused(listing, abi.encodeWithSelector(IExchange.InvalidItem.selector, 0));
        }
    }

    function test_reverts_whenAnAssetIsTwiceInABundle() public {
        IExchange.Listing memory listing = _bundle(_collectible(), _collectible());
        _refused(listing, abi.encodeWithSelector(IExchange.ItemsNotAscending.selector, 1));
        listing = _bundle(_shares(1), _shares(2));
        _refused(listing, abi.encodeWithSelector(IExchange.ItemsNotAscending.selector, 1));
    }

    function test_reverts_whenBundleIsNotInOrder() public {
        IExchange.Listing memory listing = _bundle(_collectible(), _passes(1));
        (listing.item, listing.more[0]) = (listing.more[0], listing.item);
        _refused(listing, abi.encodeWithSelector(IExchange.ItemsNotAscending.selector, 1));
    }

    /// @dev Whatever price, royalty and fee: every unit that the buyer paid is found with one of the four.
    function test_money_is_conserved(uint128 price, uint16 royaltyBps, uint16 feeBps, bool inDollars) public {
        price = uint128(bound(price, 1, type(uint128).max));
        royaltyBps = uint16(bound(royaltyBps, 0, 9_500));
        feeBps = uint16(bound(feeBps, 0, 500));
        collection.setRoyalty(artist, royaltyBps);
        vm.prank(owner);
        exchange.setFee(market, feeBps);
        IExchange.Listing memory listing = _listing(_collectible());
        listing.maxDeductionBps = 10_000;
        listing.item.price = price;
        vm.deal(buyer, price);
        vm.prank(buyer);
        dollar.approve(address(exchange), price);
        if (inDollars) listing.currency = address(dollar);
        dollar.mint(buyer, price);
        uint256 before = inDollars ? dollar.balanceOf(buyer) : buyer.balance;
        _buy(listing);
        uint256 royalty = inDollars ? dollar.balanceOf(artist) : artist.balance;
        uint256 fee = _fees(listing.currency);
        uint256 rest = inDollars ? dollar.balanceOf(maker) : maker.balance;
        uint256 left = inDollars ? dollar.balanceOf(buyer) : buyer.balance;
        assertEq(before - left, price, "the buyer paid the price");
        assertEq(royalty + fee + rest, price, "and every unit of it arrived");
        assertEq(royalty, uint256(price) * royaltyBps / 10_000, "royalty rounded down");
        assertEq(fee, uint256(price) * feeBps / 10_000, "fee rounded down");
        assertEq(exchange.release(listing.currency), fee, "released");
        assertEq(inDollars ? dollar.balanceOf(market) : market.balance, fee, "to the sink");
        assertEq(_fees(address(0)) + _fees(address(dollar)), 0, "nothing stays");
    }

    function _checkDollars() private view {
        _checkPaid(dollar.balanceOf(maker), dollar.balanceOf(artist), _fees(address(dollar)), dollar.balanceOf(buyer));
    }

    function _checkPaid(uint256 maker_, uint256 artist_, uint256 market_, uint256 buyer_) private pure {
        assertEq(maker_, REST, "maker");
        assertEq(artist_, ROYALTY, "royalty");
        assertEq(market_, FEE, "fee");
        assertEq(buyer_, FUNDS - PRICE, "buyer");
    }
}
