// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IExchange} from "../../../src/interfaces/IExchange.sol";
import {TwoStepOwner} from "../../../src/lib/TwoStepOwner.sol";
import {PassId} from "../../../src/types/PassId.sol";
import {MarketBase} from "../../MarketBase.t.sol";
import {BlacklistToken} from "../../mocks/BlacklistToken.sol";
import {FeeToken} from "../../mocks/FeeToken.sol";
import {FailingPayee} from "../../mocks/FailingPayee.sol";

/// @notice Who gets what part of a price: royalties, the fee, the maker.
contract ExchangeRoyaltiesTest is MarketBase {
    function test_a_titles_royalty_is_its_shareholders_income_at_once() public {
        _buyTitle(address(dollar));
        assertEq(registry.ownerOf(_title()), buyer, "title");
        assertEq(dollar.balanceOf(address(shares)), ROYALTY, "royalty");
        uint256 income = ROYALTY - ROYALTY * FEE_BPS / 10_000; // the shares pay the protocol fee on what they earn
        assertEq(shares.revenue(address(dollar)).gross, ROYALTY, "accrued");
        assertEq(
            shares.pending(maker, address(dollar)),
            income / 2 - 1,
            "rounded down: half of the shares, half of the income"
        );
    }

    function test_a_titles_royalty_in_native_coin_is_wrapped_and_accrued() public {
        _buyTitle(address(0));
        assertEq(shares.revenue(address(native)).gross, ROYALTY, "accrued");
        assertEq(address(shares).balance, 0, "wrapped");
    }

    function test_pass_credits_pay_the_royalty_of_their_asset() public {
        PassId plan = _plan();
        _buy(maker, plan, 1);
        vm.prank(maker);
        pass.setApprovalForAll(address(exchange), true);
        _buy(_forDollars(_item(IExchange.ItemKind.ERC1155, address(pass), PassId.unwrap(plan), 1_000)));
        assertEq(pass.balanceOf(buyer, PassId.unwrap(plan)), 1_000, "credits");
        assertEq(shares.revenue(address(dollar)).gross, ROYALTY, "accrued");
    }

    function test_a_receiver_without_a_way_to_take_native_coin_gets_the_wrapped_coin() public {
        address receiver = address(new FailingPayee(FailingPayee.Failure.Revert));
        collection.setRoyalty(receiver, ROYALTY_BPS);
        _buy(_listing(_collectible()));
        assertEq(native.balanceOf(receiver), ROYALTY, "wrapped");
    }

    function test_a_collection_without_royalties_pays_none() public {
        collection.setRoyalty(artist, 0);
        _buy(_forDollars(_collectible()));
        assertEq(dollar.balanceOf(maker), PRICE - FEE, "all but the fee");
    }

    function test_no_royalty_is_left_in_the_exchange() public {
        collection.setRoyalty(address(exchange), ROYALTY_BPS);
        _buy(_forDollars(_collectible()));
        assertEq(_fees(address(dollar)), FEE, "only the fee");
        assertEq(dollar.balanceOf(maker), PRICE - FEE, "it stays the maker's");
    }

    /// @dev The limit: a maker who lists the collectible with id 1 as one unit of an ERC-20 pays no royalty: ERC-721 moves it by
    ///      the same call. Of other ids nothing arrives that counts as the amount, so they are not sold like that.
    function test_limit_the_collectible_with_id_1_sold_as_an_erc20_pays_no_royalty() public {
        _buy(_forDollars(_item(IExchange.ItemKind.ERC20, address(collection), 0, 1)));
        assertEq(collection.ownerOf(1), buyer, "sold");
        assertEq(dollar.balanceOf(artist), 0, "no royalty");
        _refused(
            _withNonce(_forDollars(_item(IExchange.ItemKind.ERC20, address(collection), 0, 1000)), 1),
            abi.encodeWithSelector(IExchange.WrongAmountReceived.selector, address(collection), 1, 1000)
        );
    }

    function test_reverts_whenRoyaltyWasRaisedAboveWhatTheMakerAllowed() public {
        collection.setRoyalty(artist, ROYALTY_BPS + 1);
        uint256 royalty = uint256(PRICE) * (ROYALTY_BPS + 1) / 10_000;
        bytes memory reason = abi.encodeWithSelector(IExchange.DeductionsTooHigh.selector, royalty + FEE, ROYALTY + FEE);
        _refused(_listing(_collectible()), reason);
        _refused(_forDollars(_collectible()), reason);
    }

    function test_reverts_whenFeeWasRaisedAboveWhatTheMakerAllowed() public {
        vm.prank(owner);
        exchange.setFee(market, FEE_BPS + 1);
        uint256 fee = uint256(PRICE) * (FEE_BPS + 1) / 10_000;
        _refused(
            _listing(_collectible()),
            abi.encodeWithSelector(IExchange.DeductionsTooHigh.selector, ROYALTY + fee, ROYALTY + FEE)
        );
    }

    function test_reverts_whenRoyaltiesAndFeeExceedThePrice() public {
        collection.setRoyalty(artist, 9_800);
        IExchange.Listing memory listing = _listing(_collectible());
        listing.maxDeductionBps = type(uint16).max;
        uint256 royalty = uint256(PRICE) * 9_800 / 10_000;
        _refused(listing, abi.encodeWithSelector(IExchange.DeductionsTooHigh.selector, royalty + FEE, PRICE));
    }

    function test_reverts_whenThePaymentTokenKeepsAFee() public {
        FeeToken token = new FeeToken();
        _list(address(token));
        token.mint(buyer, PRICE);
        vm.prank(buyer);
        token.approve(address(exchange), PRICE);
        token.setCharging(true);
        IExchange.Listing memory listing = _forDollars(_collectible());
        listing.currency = address(token);
        _refused(
            listing,
            abi.encodeWithSelector(IExchange.WrongAmountReceived.selector, address(token), REST - REST / 100, REST)
        );
    }

    function test_reverts_whenTheBuyerCannotPay() public {
        vm.prank(buyer);
        dollar.approve(address(exchange), ROYALTY - 1);
        _refused(
            _forDollars(_collectible()),
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(exchange), ROYALTY - 1, ROYALTY
            )
        );
    }

    function test_anyone_releases_fees_to_the_sink_and_one_that_cannot_be_paid_stops_no_sale() public {
        BlacklistToken token = new BlacklistToken();
        _list(address(token));
        token.mint(buyer, PRICE);
        vm.prank(buyer);
        token.approve(address(exchange), PRICE);
        token.blacklist(market, true);
        IExchange.Listing memory listing = _forDollars(_collectible());
        listing.currency = address(token);
        _buy(listing);
        vm.expectRevert(abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, market));
        exchange.release(address(token));
        vm.prank(owner);
        exchange.setFee(carol, FEE_BPS);
        vm.prank(stranger);
        assertEq(exchange.release(address(token)), FEE, "released");
        assertEq(token.balanceOf(carol), FEE, "to the new sink");
        assertEq(exchange.release(address(token)), 0, "once");
    }

    function test_quote_says_what_a_purchase_costs() public view {
        (uint256 price, uint256 royalties, uint256 fee) = exchange.quote(_listing(_collectible()), 0);
        assertEq(price, PRICE, "price");
        assertEq(royalties, ROYALTY, "royalties");
        assertEq(fee, FEE, "fee");
    }

    function test_the_owner_sets_the_fee_within_its_bound() public {
        vm.startPrank(owner);
        exchange.setFee(carol, 500);
        vm.expectRevert(abi.encodeWithSelector(IExchange.InvalidFee.selector, carol, 501));
        exchange.setFee(carol, 501);
        vm.expectRevert(abi.encodeWithSelector(IExchange.InvalidFee.selector, address(0), 0));
        exchange.setFee(address(0), 0);
        vm.expectRevert(TwoStepOwner.OwnershipNotRenounceable.selector);
        exchange.renounceOwnership();
        vm.stopPrank();
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger));
        exchange.setFee(stranger, 1);
        (address sink_, uint16 bps) = exchange.protocolFee();
        assertEq(sink_, carol, "sink");
        assertEq(bps, 500, "fee");
    }

    function _buyTitle(address currency) private {
        vm.prank(alice);
        registry.transferFrom(alice, maker, _title());
        IExchange.Listing memory listing = _listing(_item(IExchange.ItemKind.ERC721, address(registry), _title(), 1));
        listing.currency = currency;
        _buy(listing);
    }

    function _withNonce(IExchange.Listing memory listing, uint256 nonce)
        private
        pure
        returns (IExchange.Listing memory)
    {
        listing.nonce = nonce;
        return listing;
    }
}
