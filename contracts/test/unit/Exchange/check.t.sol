// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IExchange} from "../../../src/interfaces/IExchange.sol";
import {AllowListPolicy} from "../../mocks/AllowListPolicy.sol";
import {FailingPayee} from "../../mocks/FailingPayee.sol";
import {FalseToken} from "../../mocks/FalseToken.sol";
import {FeeToken} from "../../mocks/FeeToken.sol";
import {PhantomToken} from "../../mocks/PhantomToken.sol";
import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {IShares} from "../../../src/interfaces/IShares.sol";
import {Shares} from "../../../src/assets/Shares.sol";
import {MarketBase} from "../../MarketBase.t.sol";

/// @notice A listing that cannot be delivered says why, to a buyer and to `check`, and costs no money.
contract ExchangeCheckTest is MarketBase {
    function test_what_is_left_to_sell() public {
        IExchange.Listing memory listing = _forDollars(_passes(10));
        assertEq(exchange.check(listing, _signed(listing)), 1, "indivisible");
        listing.divisible = true;
        _buy(listing, 4);
        assertEq(exchange.check(listing, _signed(listing)), 6, "left");
        _buy(listing, 6);
        bytes memory signature = _signed(listing);
        vm.expectRevert(abi.encodeWithSelector(IExchange.NotEnoughLeft.selector, 1, 0));
        exchange.check(listing, signature);
    }

    function test_the_maker_parted_with_the_item() public {
        vm.startPrank(maker);
        collection.transferFrom(maker, carol, 1);
        passes.safeTransferFrom(maker, carol, PASS, 991, "");
        shares.transfer(carol, SUPPLY / 2 - 9);
        vm.stopPrank();
        _fails(_collectible(), IExchange.ItemNotOwned.selector);
        _fails(_passes(10), IExchange.ItemNotOwned.selector);
        _fails(_shares(10), IExchange.ItemNotOwned.selector);
    }

    function test_the_maker_withdrew_the_approval() public {
        vm.startPrank(maker);
        collection.setApprovalForAll(address(exchange), false);
        passes.setApprovalForAll(address(exchange), false);
        shares.approve(address(exchange), 9);
        vm.stopPrank();
        _fails(_collectible(), IExchange.ItemNotApproved.selector);
        _fails(_passes(10), IExchange.ItemNotApproved.selector);
        _fails(_shares(10), IExchange.ItemNotApproved.selector);
    }

    function test_an_approval_of_the_one_collectible_is_enough() public {
        vm.startPrank(maker);
        collection.setApprovalForAll(address(exchange), false);
        collection.approve(address(exchange), 1);
        vm.stopPrank();
        IExchange.Listing memory listing = _listing(_collectible());
        exchange.check(listing, _signed(listing));
        _buy(listing);
    }

    function test_a_transfer_policy_refuses_the_buyer() public {
        AllowListPolicy policy = new AllowListPolicy();
        IAssetRegistry.Registration memory registration = _registration("restricted");
        registration.transferPolicy = address(policy);
        (, Shares restricted) = _register(maker, registration);
        vm.prank(maker);
        restricted.approve(address(exchange), SUPPLY);
        IExchange.Listing memory listing = _forDollars(_item(IExchange.ItemKind.ERC20, address(restricted), 0, 10));
        bytes memory reason =
            abi.encodeWithSelector(IShares.TransferRefused.selector, address(policy), maker, buyer, 10);
        bytes memory refused =
            abi.encodeWithSelector(IExchange.ItemRefused.selector, address(restricted), 0, maker, buyer, reason);
        _refused(listing, refused);
        exchange.check(listing, _signed(listing)); // which knows no buyer
        policy.list(buyer, true);
        _buy(listing);
    }

    function test_a_recipient_that_takes_no_passes() public {
        IExchange.Listing memory listing = _forDollars(_passes(10));
        bytes memory signature = _signed(listing);
        address payee = address(new FailingPayee(FailingPayee.Failure.Revert));
        bytes memory reason = abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, payee);
        vm.prank(buyer);
        vm.expectRevert(
            abi.encodeWithSelector(IExchange.ItemRefused.selector, address(passes), PASS, maker, payee, reason)
        );
        exchange.buy(listing, signature, 0, PRICE, payee);
    }

    function test_a_token_that_answers_false() public {
        FalseToken token = new FalseToken();
        token.mint(maker, 10);
        vm.prank(maker);
        token.approve(address(exchange), 10);
        IExchange.Item memory item = _item(IExchange.ItemKind.ERC20, address(token), 0, 10);
        bytes memory refused =
            abi.encodeWithSelector(IExchange.ItemRefused.selector, address(token), 0, maker, buyer, abi.encode(false));
        _refused(_listing(item), refused);
    }

    function test_a_token_that_keeps_a_fee() public {
        FeeToken token = new FeeToken();
        token.mint(maker, 1_000);
        token.setCharging(true);
        vm.prank(maker);
        token.approve(address(exchange), 1_000);
        IExchange.Item memory item = _item(IExchange.ItemKind.ERC20, address(token), 0, 1_000);
        _refused(
            _listing(item), abi.encodeWithSelector(IExchange.WrongAmountReceived.selector, address(token), 990, 1_000)
        );
    }

    function test_no_contract_and_one_that_answers_to_everything() public {
        address phantom = address(new PhantomToken());
        IExchange.ItemKind[3] memory kinds =
            [IExchange.ItemKind.ERC20, IExchange.ItemKind.ERC721, IExchange.ItemKind.ERC1155];
        for (uint256 i = 0; i < kinds.length; ++i) {
            IExchange.Listing memory listing = _listing(_item(kinds[i], stranger, 0, 1));
            _refused(listing, abi.encodeWithSelector(IExchange.NotAContract.selector, stranger));
            listing = _listing(_item(kinds[i], phantom, 0, 1));
            bytes memory signature = _signed(listing);
            vm.prank(buyer);
            vm.expectRevert();
            exchange.buy{value: PRICE}(listing, signature, 0, PRICE, buyer);
        }
    }

    /// @dev transferFrom of an ERC-20 and of an ERC-721 are the same function.
    function test_a_token_of_another_kind_than_it_is_listed_as() public {
        _refused(
            _listing(_item(IExchange.ItemKind.ERC721, address(shares), 5, 1)),
            abi.encodeWithSelector(IExchange.ItemNotDelivered.selector, address(shares), 5)
        );
        collection.mint(maker, 5);
        _refused(
            _listing(_item(IExchange.ItemKind.ERC20, address(collection), 0, 5)),
            abi.encodeWithSelector(IExchange.WrongAmountReceived.selector, address(collection), 1, 5)
        );
    }

    /// @dev The buyer fails for this reason, and so does `check`.
    function _fails(IExchange.Item memory item, bytes4 error) private {
        IExchange.Listing memory listing = _forDollars(item);
        bytes memory reason = abi.encodeWithSelector(error, item.token, item.id, maker, item.amount);
        uint256 before = dollar.balanceOf(buyer);
        _refused(listing, reason);
        assertEq(dollar.balanceOf(buyer), before, "no money was taken");
        bytes memory signature = _signed(listing);
        vm.expectRevert(reason);
        exchange.check(listing, signature);
    }
}
