// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";

import {IExchange} from "../../../src/interfaces/IExchange.sol";
import {MarketBase} from "../../MarketBase.t.sol";
import {ContractWallet} from "../../mocks/ContractWallet.sol";

/// @notice A buyer sends one transaction (ERC-2612), or none (ERC-3009).
contract ExchangeOneSignatureTest is MarketBase {
    uint256 private constant DEADLINE = 1_800_100_000;

    function test_a_permit_and_the_purchase_in_one_transaction() public {
        _forgetAllowance();
        IExchange.Listing memory listing = _forDollars(_collectible());
        _buyWithPermit(listing, _permit(PRICE));
        assertEq(collection.ownerOf(1), buyer, "item");
        assertEq(dollar.balanceOf(maker), REST, "money");
    }

    function test_a_permit_that_someone_used_first_does_no_harm() public {
        _forgetAllowance();
        IExchange.Permit memory permit = _permit(PRICE);
        dollar.permit(buyer, address(exchange), PRICE, DEADLINE, permit.v, permit.r, permit.s);
        _buyWithPermit(_forDollars(_collectible()), permit);
        assertEq(collection.ownerOf(1), buyer, "item");
    }

    function test_reverts_whenAPermitIsForNativeCoin() public {
        IExchange.Listing memory listing = _listing(_collectible());
        bytes memory signature = _signed(listing);
        IExchange.Permit memory permit = _permit(PRICE);
        vm.prank(buyer);
        vm.expectRevert(abi.encodeWithSelector(IExchange.CurrencyNotAllowed.selector, address(0)));
        exchange.buyWithPermit(listing, signature, 0, PRICE, buyer, permit);
    }

    function test_anyone_sends_what_a_buyer_signed() public {
        _forgetAllowance();
        IExchange.Listing memory listing = _forDollars(_collectible());
        assertEq(_relay(listing, 0, buyer, _authorize(listing, 0, buyer, PRICE)), PRICE, "price");
        assertEq(collection.ownerOf(1), buyer, "item");
        assertEq(dollar.balanceOf(buyer), FUNDS - PRICE, "paid");
        assertEq(dollar.balanceOf(maker), REST, "maker");
        assertEq(dollar.balanceOf(artist), ROYALTY, "royalty");
        assertEq(_fees(address(dollar)), FEE, "the fee, and nothing else, stays for release");
    }

    function test_a_part_for_a_contract_that_buys() public {
        address wallet = address(new ContractWallet(buyer));
        dollar.mint(wallet, PRICE);
        IExchange.Listing memory listing = _forDollars(_passes(10));
        listing.divisible = true;
        IExchange.Authorization memory authorization = _authorizeFrom(wallet, listing, 4, carol, PRICE * 4 / 10);
        _relay(listing, 4, carol, authorization);
        assertEq(passes.balanceOf(carol, PASS), 4, "part");
    }

    function test_reverts_whenARelayerChangesListing_amount_orRecipient() public {
        IExchange.Listing memory listing = _forDollars(_passes(10));
        listing.divisible = true;
        IExchange.Authorization memory authorization = _authorize(listing, 10, buyer, PRICE);
        _relayFails(
            listing, 10, stranger, authorization, abi.encodeWithSelector(ERC3009.ERC3009InvalidSignature.selector)
        );
        _relayFails(listing, 0, buyer, authorization, abi.encodeWithSelector(ERC3009.ERC3009InvalidSignature.selector));
        IExchange.Listing memory other = _forDollars(_collectible());
        _relayFails(other, 0, buyer, authorization, abi.encodeWithSelector(ERC3009.ERC3009InvalidSignature.selector));
        _relay(listing, 10, buyer, authorization);
    }

    function test_reverts_whenTheAuthorizationIsNotForThePrice() public {
        IExchange.Listing memory listing = _forDollars(_collectible());
        IExchange.Authorization memory authorization = _authorize(listing, 0, buyer, PRICE + 1);
        _relayFails(listing, 0, buyer, authorization, abi.encodeWithSelector(ERC3009.ERC3009InvalidSignature.selector));
    }

    function test_reverts_whenTheAuthorizationIsReplayed() public {
        IExchange.Listing memory listing = _forDollars(_passes(10));
        listing.divisible = true;
        IExchange.Authorization memory authorization = _authorize(listing, 5, buyer, PRICE / 2);
        _relay(listing, 5, buyer, authorization);
        bytes32 nonce = exchange.authorizationNonce(exchange.hashOf(listing), 5, buyer, "salt");
        bytes memory reason = abi.encodeWithSelector(ERC3009.ERC3009UsedAuthorization.selector, buyer, nonce);
        _relayFails(listing, 5, buyer, authorization, reason);
    }

    function test_reverts_whenTheMakerWouldBuy() public {
        IExchange.Listing memory listing = _forDollars(_collectible());
        IExchange.Authorization memory authorization = _authorizeFrom(maker, listing, 0, carol, PRICE);
        _relayFails(listing, 0, carol, authorization, abi.encodeWithSelector(IExchange.SelfTrade.selector, maker));
    }

    function _forgetAllowance() private {
        vm.prank(buyer);
        dollar.approve(address(exchange), 0);
    }

    function _permit(uint256 value) private view returns (IExchange.Permit memory permit) {
        bytes32 permitType =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 hash = keccak256(abi.encode(permitType, buyer, address(exchange), value, uint256(0), DEADLINE));
        (permit.v, permit.r, permit.s) = vm.sign(BUYER_KEY, _digest(hash));
        permit.deadline = DEADLINE;
    }

    function _buyWithPermit(IExchange.Listing memory listing, IExchange.Permit memory permit) private {
        bytes memory signature = _signed(listing);
        vm.prank(buyer);
        exchange.buyWithPermit(listing, signature, 0, PRICE, buyer, permit);
    }

    function _authorize(IExchange.Listing memory listing, uint256 amount, address to, uint256 value)
        private
        view
        returns (IExchange.Authorization memory)
    {
        return _authorizeFrom(buyer, listing, amount, to, value);
    }

    function _authorizeFrom(address from, IExchange.Listing memory listing, uint256 amount, address to, uint256 value)
        private
        view
        returns (IExchange.Authorization memory authorization)
    {
        authorization.buyer = from;
        authorization.validBefore = DEADLINE;
        authorization.salt = "salt";
        bytes32 nonce = keccak256(abi.encode(exchange.hashOf(listing), amount, to, authorization.salt));
        bytes32 hash = keccak256(
            abi.encode(
                keccak256(
                    "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
                ),
                from,
                address(exchange),
                value,
                authorization.validAfter,
                authorization.validBefore,
                nonce
            )
        );
        authorization.signature = _sign(BUYER_KEY, _digest(hash));
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        return keccak256(abi.encodePacked("\x19\x01", dollar.DOMAIN_SEPARATOR(), structHash));
    }

    function _relay(
        IExchange.Listing memory listing,
        uint256 amount,
        address to,
        IExchange.Authorization memory authorization
    ) private returns (uint256) {
        bytes memory signature = _signed(listing);
        vm.prank(stranger);
        return exchange.buyWithAuthorization(listing, signature, amount, to, authorization);
    }

    function _relayFails(
        IExchange.Listing memory listing,
        uint256 amount,
        address to,
        IExchange.Authorization memory authorization,
        bytes memory reason
    ) private {
        bytes memory signature = _signed(listing);
        vm.prank(stranger);
        vm.expectRevert(reason);
        exchange.buyWithAuthorization(listing, signature, amount, to, authorization);
    }
}
