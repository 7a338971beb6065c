// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IExchange} from "../../../src/interfaces/IExchange.sol";
import {MarketBase} from "../../MarketBase.t.sol";
import {ContractWallet} from "../../mocks/ContractWallet.sol";
import {WalletFactory} from "../../mocks/WalletFactory.sol";

/// @notice Makers with a key, with a contract, and with a contract that is yet to be deployed.
contract ExchangeMakersTest is MarketBase {
    bytes32 private constant ERC6492_SUFFIX = 0x6492649264926492649264926492649264926492649264926492649264926492;

    function test_a_contract_signs_by_its_own_rule() public {
        IExchange.Listing memory listing = _listingOf(address(new ContractWallet(maker)));
        _approveAll(listing.maker);
        _buyWith(listing, _signed(listing));
        assertEq(collection.ownerOf(2), buyer, "sold");
        assertEq(listing.maker.balance, 0, "a wallet that takes no native coin");
        assertEq(native.balanceOf(listing.maker), REST, "is paid in the wrapped coin");
    }

    function test_reverts_whenAContractsOwnerChanged() public {
        ContractWallet wallet = new ContractWallet(maker);
        IExchange.Listing memory listing = _listingOf(address(wallet));
        wallet.setOwner(carol);
        _refused(listing, abi.encodeWithSelector(IExchange.InvalidSignature.selector, address(wallet)));
    }

    function test_an_account_that_does_not_exist_yet_is_deployed() public {
        WalletFactory factory = new WalletFactory();
        IExchange.Listing memory listing = _listingOf(factory.predict(maker));
        _approveAll(listing.maker);
        assertEq(listing.maker.code.length, 0, "not deployed");
        _buyWith(listing, _counterfactual(listing, address(factory), abi.encodeCall(factory.create, (maker))));
        assertEq(collection.ownerOf(2), buyer, "sold");
        assertTrue(listing.maker.code.length != 0, "deployed");
    }

    function test_the_same_signature_is_good_after_someone_deployed_the_account() public {
        WalletFactory factory = new WalletFactory();
        IExchange.Listing memory listing = _listingOf(factory.predict(maker));
        _approveAll(listing.maker);
        bytes memory signature = _counterfactual(listing, address(factory), abi.encodeCall(factory.create, (maker)));
        factory.create(maker);
        assertEq(exchange.check(listing, signature), 1, "good");
        _buyWith(listing, signature);
    }

    function test_reverts_whenTheFactoryMakesNothing() public {
        WalletFactory factory = new WalletFactory();
        IExchange.Listing memory listing = _listingOf(factory.predict(maker));
        bytes memory signature = _counterfactual(listing, address(factory), "no such function");
        bytes memory reason = abi.encodeWithSelector(IExchange.InvalidSignature.selector, listing.maker);
        vm.deal(buyer, PRICE);
        vm.prank(buyer);
        vm.expectRevert(reason);
        exchange.buy{value: PRICE}(listing, signature, 0, PRICE, buyer);
    }

    function test_reverts_whenAnotherKeySigned() public {
        IExchange.Listing memory listing = _listing(_collectible());
        bytes memory signature = _sign(BUYER_KEY, exchange.hashOf(listing));
        bytes memory reason = abi.encodeWithSelector(IExchange.InvalidSignature.selector, maker);
        vm.startPrank(buyer);
        vm.expectRevert(reason);
        exchange.buy{value: PRICE}(listing, signature, 0, PRICE, buyer);
        vm.expectRevert(reason);
        exchange.buy{value: PRICE}(listing, "", 0, PRICE, buyer);
        vm.stopPrank();
    }

    function _listingOf(address account) private returns (IExchange.Listing memory listing) {
        collection.mint(account, 2);
        listing = _listing(_item(IExchange.ItemKind.ERC721, address(collection), 2, 1));
        listing.maker = account;
    }

    function _counterfactual(IExchange.Listing memory listing, address factory, bytes memory data)
        private
        view
        returns (bytes memory)
    {
        return bytes.concat(abi.encode(factory, data, _signed(listing)), ERC6492_SUFFIX);
    }

    function _buyWith(IExchange.Listing memory listing, bytes memory signature) private {
        vm.prank(buyer);
        exchange.buy{value: PRICE}(listing, signature, 0, PRICE, buyer);
    }
}
