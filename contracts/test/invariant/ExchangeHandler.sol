// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IExchange} from "../../src/interfaces/IExchange.sol";
import {Exchange} from "../../src/market/Exchange.sol";
import {TestDollar} from "../../src/devnet/TestDollar.sol";
import {Base} from "../Base.t.sol";
import {PlainPass} from "../mocks/PlainPass.sol";
import {RoyaltyCollection} from "../mocks/RoyaltyCollection.sol";

/// @notice Traders who list, buy from each other, resell, and cancel, with arguments folded into what is possible.
contract ExchangeHandler is Base {
    uint256 public constant TRADERS = 4;
    uint256 public constant COLLECTIBLES = 6;
    uint256 public constant PASSES = 10_000;
    uint256 public constant MONEY = 1e24; // each trader's, of both currencies

    Exchange private immutable _exchange;
    TestDollar private immutable _dollar;
    RoyaltyCollection private immutable _collection;
    PlainPass private immutable _passes;
    IERC20 private immutable _shares;
    address private immutable _owner;
    address private immutable _market;

    /// @notice What was paid in each currency, and what of it went to royalties and fee, by the events' own numbers.
    mapping(address currency => uint256) public paid;
    mapping(address currency => uint256) public royalties;
    mapping(address currency => uint256) public fees;
    mapping(address currency => uint256) public released;
    mapping(address trader => mapping(address currency => int256)) public balanceChange;
    uint256 private _nonce;

    constructor(
        Exchange exchange,
        TestDollar dollar,
        RoyaltyCollection collection,
        PlainPass passes,
        IERC20 shares,
        address owner,
        address market
    ) {
        (_exchange, _dollar, _collection, _passes, _shares) = (exchange, dollar, collection, passes, shares);
        (_owner, _market) = (owner, market);
    }

    function trader(uint256 i) public pure returns (address) {
        return vm.addr(0xBEEF + i);
    }

    function prepare(uint256 i) external {
        address account = trader(i);
        vm.deal(account, MONEY);
        _dollar.mint(account, MONEY);
        vm.startPrank(account);
        _dollar.approve(address(_exchange), type(uint256).max);
        _shares.approve(address(_exchange), type(uint256).max);
        _collection.setApprovalForAll(address(_exchange), true);
        _passes.setApprovalForAll(address(_exchange), true);
        vm.stopPrank();
    }

    function sellCollectible(uint256 buyer, uint256 id, uint256 price, bool inDollars) external {
        id = bound(id, 1, COLLECTIBLES);
        IExchange.Listing memory listing = _listing(_collection.ownerOf(id), inDollars);
        listing.item =
            IExchange.Item(IExchange.ItemKind.ERC721, address(_collection), id, 1, uint128(bound(price, 1, 1e20)));
        _sell(listing, _other(buyer, listing.maker), 0);
    }

    function sellParts(uint256 maker, uint256 buyer, uint256 amount, uint256 part, uint256 price, bool ofShares)
        external
    {
        IExchange.Listing memory listing = _listing(trader(bound(maker, 0, TRADERS - 1)), ofShares);
        uint256 held = ofShares ? _shares.balanceOf(listing.maker) : _passes.balanceOf(listing.maker, 7);
        if (held == 0) return;
        amount = bound(amount, 1, held);
        listing.divisible = true;
        listing.item = IExchange.Item(
            ofShares ? IExchange.ItemKind.ERC20 : IExchange.ItemKind.ERC1155,
            ofShares ? address(_shares) : address(_passes),
            ofShares ? 0 : 7,
            uint128(amount),
            uint128(bound(price, 1, 1e20))
        );
        part = bound(part, 1, amount);
        _sell(listing, _other(buyer, listing.maker), part);
        if (part < amount) _sell(listing, _other(buyer, listing.maker), amount - part);
        assertEq(_exchange.soldOf(listing.maker, listing.nonce), amount, "all of it, and no more");
    }

    function setFee(uint16 bps) external {
        vm.prank(_owner);
        _exchange.setFee(_market, uint16(bound(bps, 0, 500)));
    }

    function release(bool inDollars) external {
        address currency = inDollars ? address(_dollar) : address(0);
        released[currency] += _exchange.release(currency);
    }

    function setRoyalty(uint96 bps) external {
        _collection.setRoyalty(actor("artist"), uint96(bound(bps, 0, 9_500)));
    }

    function _listing(address maker, bool inDollars) private returns (IExchange.Listing memory listing) {
        listing.maker = maker;
        listing.currency = inDollars ? address(_dollar) : address(0);
        listing.expiry = uint64(time() + 1);
        listing.maxDeductionBps = 10_000;
        listing.nonce = ++_nonce;
    }

    function _other(uint256 seed, address maker) private pure returns (address) {
        uint256 i = bound(seed, 0, TRADERS - 1);
        return trader(i) == maker ? trader((i + 1) % TRADERS) : trader(i);
    }

    function _sell(IExchange.Listing memory listing, address buyer, uint256 amount) private {
        (uint256 price, uint256 royalty, uint256 fee) = _exchange.quote(listing, amount);
        bytes memory signature = _signed(listing);
        vm.prank(buyer);
        _exchange.buy{value: listing.currency == address(0) ? price : 0}(listing, signature, amount, price, buyer);
        paid[listing.currency] += price;
        royalties[listing.currency] += royalty;
        fees[listing.currency] += fee;
        balanceChange[buyer][listing.currency] -= int256(price);
        balanceChange[listing.maker][listing.currency] += int256(price - royalty - fee);
    }

    function _signed(IExchange.Listing memory listing) private view returns (bytes memory) {
        for (uint256 i = 0; i < TRADERS; ++i) {
            if (trader(i) != listing.maker) continue;
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(0xBEEF + i, _exchange.hashOf(listing));
            return abi.encodePacked(r, s, v);
        }
        revert("no trader");
    }
}
