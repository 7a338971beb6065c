// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IExchange} from "../../src/interfaces/IExchange.sol";
import {Exchange} from "../../src/market/Exchange.sol";
import {AccountDeployer} from "../../src/lib/AccountDeployer.sol";
import {MarketBase} from "../MarketBase.t.sol";
import {Reenterer} from "../mocks/Reenterer.sol";
import {ReenteringToken} from "../mocks/ReenteringToken.sol";

/// @notice What a thief tries who wants items without paying, money without items, or what others have approved.
contract ExchangeThiefTest is MarketBase {
    bytes32 private constant ERC6492_SUFFIX = 0x6492649264926492649264926492649264926492649264926492649264926492;

    function test_a_listing_cannot_be_replayed_on_another_chain() public {
        IExchange.Listing memory listing = _listing(_collectible());
        bytes memory signature = _signed(listing);
        vm.chainId(block.chainid + 1);
        _stealFails(exchange, listing, signature);
    }

    function test_a_listing_cannot_be_replayed_on_another_exchange() public {
        IExchange.Listing memory listing = _listing(_collectible());
        Exchange other = Exchange(
            deploy("Exchange.sol:Exchange", abi.encode(owner, address(registry), address(native), market, FEE_BPS))
        );
        vm.prank(maker);
        collection.setApprovalForAll(address(other), true);
        _stealFails(other, listing, _signed(listing));
    }

    function test_no_term_of_a_signed_listing_can_be_changed() public {
        bytes memory signature = _signed(_listing(_collectible()));
        for (uint256 field = 0; field < 8; ++field) {
            IExchange.Listing memory listing = _listing(_collectible());
            if (field == 0) listing.currency = address(dollar);
            else if (field == 1) listing.expiry += 1;
            else if (field == 2) listing.maxDeductionBps += 1;
            else if (field == 3) listing.nonce = 1;
            else if (field == 4) listing.item.price -= 1;
            else if (field == 5) listing.item.id = 2;
            else if (field == 6) listing.item.token = address(registry);
            else (listing.item, listing.divisible) = (_passes(1), true);
            bytes memory reason = abi.encodeWithSelector(IExchange.InvalidSignature.selector, maker);
            uint256 value = listing.currency == address(0) ? listing.item.price : 0;
            vm.prank(buyer);
            vm.expectRevert(reason);
            exchange.buy{value: value}(listing, signature, 0, type(uint256).max, buyer);
        }
    }

    function test_a_price_cannot_be_switched_under_the_buyer() public {
        IExchange.Listing memory dear = _listing(_collectible());
        dear.item.price = 2 * PRICE; // what a server shows last is not what the buyer has agreed to
        bytes memory signature = _signed(dear);
        vm.prank(buyer);
        vm.expectRevert(abi.encodeWithSelector(IExchange.PriceAboveMax.selector, 2 * PRICE, PRICE));
        exchange.buy{value: 2 * PRICE}(dear, signature, 0, PRICE, buyer);
    }

    /// @dev The call that an ERC-6492 signature asks for is the thief's to choose: what makers approved to the exchange, say.
    function test_a_factory_call_cannot_move_what_makers_approved() public {
        IExchange.Listing memory listing = _listing(_collectible());
        listing.maker = stranger;
        bytes[3] memory calls = [
            abi.encodeCall(IERC721.transferFrom, (maker, stranger, 1)),
            abi.encodeCall(IERC20.transferFrom, (maker, stranger, 1)),
            abi.encodeCall(IERC20.transferFrom, (buyer, stranger, 1))
        ];
        address[3] memory targets = [address(collection), address(shares), address(dollar)];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory signature = bytes.concat(abi.encode(targets[i], calls[i], bytes("")), ERC6492_SUFFIX);
            vm.prank(buyer);
            vm.expectRevert(abi.encodeWithSelector(IExchange.InvalidSignature.selector, stranger));
            exchange.buy{value: PRICE}(listing, signature, 0, PRICE, buyer);
        }
        AccountDeployer deployer = new AccountDeployer(); // the same holds for whoever calls it directly
        for (uint256 i = 0; i < 3; ++i) {
            deployer.deploy(targets[i], calls[i]);
        }
        assertEq(collection.ownerOf(1), maker, "the collectible is still there");
        assertEq(shares.balanceOf(stranger) + dollar.balanceOf(stranger), 0, "and the rest");
    }

    function test_a_paid_maker_cannot_reenter() public {
        Reenterer thief = new Reenterer();
        vm.prank(maker);
        collection.setApprovalForAll(address(thief), true);
        collection.setRoyalty(address(thief), ROYALTY_BPS);
        IExchange.Listing memory second = _secondListing();
        _aim(thief, second);
        _buy(_listing(_collectible())); // the thief is paid a royalty
        _checkLocked(thief);
    }

    function test_a_recipients_callback_cannot_reenter() public {
        Reenterer thief = new Reenterer();
        _aim(thief, _secondListing());
        IExchange.Listing memory listing = _forDollars(_passes(10));
        bytes memory signature = _signed(listing);
        vm.prank(buyer);
        exchange.buy(listing, signature, 0, PRICE, address(thief));
        _checkLocked(thief);
        assertEq(passes.balanceOf(address(thief), PASS), 10, "bought once");
    }

    function test_a_currency_with_hooks_cannot_reenter() public {
        ReenteringToken token = new ReenteringToken();
        _list(address(token));
        token.mint(buyer, PRICE);
        vm.prank(buyer);
        token.approve(address(exchange), PRICE);
        IExchange.Listing memory second = _secondListing();
        token.aim(
            address(exchange), abi.encodeCall(exchange.buy, (second, _signed(second), 0, type(uint256).max, stranger))
        );
        IExchange.Listing memory listing = _forDollars(_collectible());
        listing.currency = address(token);
        _buy(listing);
        assertTrue(!token.succeeded(), "failed");
        assertEq(
            bytes32(bytes4(token.answer())),
            bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
            "locked"
        );
    }

    /// @dev A buyer chooses the gas. Whatever they choose, royalty and fee are paid, or nothing happens.
    function test_no_royalty_is_saved_by_giving_too_little_gas() public {
        IExchange.Listing memory listing = _listing(_collectible());
        bytes memory signature = _signed(listing);
        uint256 successes;
        for (uint256 gas_ = 60_000; gas_ < 500_000; gas_ += 1_000) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(buyer);
            (bool bought,) = address(exchange).call{value: PRICE, gas: gas_}(
                abi.encodeCall(exchange.buy, (listing, signature, 0, PRICE, buyer))
            );
            if (bought) {
                ++successes;
                assertEq(artist.balance + native.balanceOf(artist), ROYALTY, "royalty");
                assertEq(_fees(address(0)), FEE, "fee");
                assertEq(maker.balance + native.balanceOf(maker), REST, "maker");
            }
            vm.revertToState(snapshot);
        }
        assertLe(100, successes, "bought with enough");
    }

    function test_a_strangers_purchase_never_spends_a_buyers_allowance() public {
        IExchange.Listing memory listing = _forDollars(_collectible());
        bytes memory signature = _signed(listing);
        vm.prank(stranger);
        vm.expectRevert(); // the stranger has no allowance; that of the recipient is none of theirs
        exchange.buy(listing, signature, 0, PRICE, buyer);
        assertEq(dollar.balanceOf(buyer), FUNDS, "untouched");
    }

    function test_the_exchange_itself_is_no_maker() public {
        dollar.mint(address(exchange), 5);
        IExchange.Listing memory listing = _listing(_item(IExchange.ItemKind.ERC20, address(dollar), 0, 5));
        listing.maker = address(exchange);
        _refused(listing, abi.encodeWithSelector(IExchange.InvalidSignature.selector, address(exchange)));
        listing.maker = address(0);
        _refused(listing, abi.encodeWithSelector(IExchange.InvalidSignature.selector, address(0)));
    }

    /// @dev Two billion atomic shares for one unit of money, bought in a hundred parts, cost a hundred units.
    function test_slicing_makes_nothing_cheaper() public {
        IExchange.Listing memory listing = _forDollars(_shares(2_000e6));
        listing.divisible = true;
        listing.item.price = 1;
        for (uint256 i = 0; i < 100; ++i) {
            assertEq(_buy(listing, 20e6), 1, "rounded up");
        }
    }

    /// @dev Fees wait in the exchange; no listing, call or recipient brings them anywhere but to the sink.
    function test_waiting_fees_are_the_sinks_only() public {
        Reenterer thief = new Reenterer();
        thief.aim(address(exchange), abi.encodeCall(exchange.release, (address(0))));
        collection.setRoyalty(address(thief), ROYALTY_BPS);
        _buy(_listing(_collectible()));
        _checkReentrant(thief);
        assertEq(_fees(address(0)), FEE, "still there");
        vm.prank(stranger);
        exchange.release(address(0));
        assertEq(market.balance, FEE, "the sink's");
    }

    /// @dev The owner of the exchange has one power, and it moves no one's funds.
    function test_the_owner_moves_nothing() public {
        vm.startPrank(owner);
        exchange.setFee(owner, 500);
        vm.expectRevert();
        collection.transferFrom(maker, owner, 1);
        vm.stopPrank();
        IExchange.Listing memory listing = _listing(_collectible());
        vm.deal(owner, PRICE);
        bytes memory signature = _sign(BUYER_KEY, exchange.hashOf(listing));
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IExchange.InvalidSignature.selector, maker));
        exchange.buy{value: PRICE}(listing, signature, 0, PRICE, owner);
    }

    function _secondListing() private returns (IExchange.Listing memory listing) {
        collection.mint(maker, 2);
        listing = _forDollars(_item(IExchange.ItemKind.ERC721, address(collection), 2, 1));
        listing.nonce = 2;
    }

    function _aim(Reenterer thief, IExchange.Listing memory listing) private {
        dollar.mint(address(thief), PRICE);
        vm.prank(address(thief));
        dollar.approve(address(exchange), PRICE);
        thief.aim(
            address(exchange), abi.encodeCall(exchange.buy, (listing, _signed(listing), 0, PRICE, address(thief)))
        );
    }

    function _checkLocked(Reenterer thief) private view {
        _checkReentrant(thief);
        assertEq(collection.ownerOf(2), maker, "the second item is still there");
    }

    function _checkReentrant(Reenterer thief) private view {
        assertTrue(thief.called() && !thief.succeeded(), "tried, and failed");
        assertEq(
            bytes32(bytes4(thief.answer())),
            bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
            "locked"
        );
    }

    function _stealFails(Exchange where, IExchange.Listing memory listing, bytes memory signature) private {
        vm.prank(buyer);
        vm.expectRevert(abi.encodeWithSelector(IExchange.InvalidSignature.selector, maker));
        where.buy{value: PRICE}(listing, signature, 0, PRICE, buyer);
    }
}
