// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestDollar} from "../src/devnet/TestDollar.sol";
import {IExchange} from "../src/interfaces/IExchange.sol";
import {Exchange} from "../src/market/Exchange.sol";
import {AssetsBase} from "./AssetsBase.t.sol";
import {PlainPass} from "./mocks/PlainPass.sol";
import {RoyaltyCollection} from "./mocks/RoyaltyCollection.sol";

/// @notice An exchange with a fee of 2.5 %, things to sell (a collectible with a royalty of 5 %, a pass, shares), a maker
///         and a buyer with keys, who have approved and can pay.
abstract contract MarketBase is AssetsBase {
    uint256 internal constant MAKER_KEY = 0xA11CE;
    uint256 internal constant BUYER_KEY = 0xB0B;
    uint128 internal constant PRICE = 1e9;
    uint16 internal constant ROYALTY_BPS = 500;
    uint256 internal constant ROYALTY = 5e7;
    uint256 internal constant FEE = 2.5e7;
    uint256 internal constant REST = PRICE - ROYALTY - FEE;
    uint256 internal constant FUNDS = 100e9;
    uint256 internal constant PASS = 7;

    address internal maker = vm.addr(MAKER_KEY);
    address internal buyer = vm.addr(BUYER_KEY);
    address internal artist = actor("artist");
    address internal market = actor("market's fee sink");
    address internal stranger = actor("stranger");

    Exchange internal exchange;
    TestDollar internal dollar;
    RoyaltyCollection internal collection;
    PlainPass internal passes;

    function setUp() public virtual override {
        super.setUp();
        dollar = TestDollar(deploy("TestDollar.sol:TestDollar", ""));
        _list(address(dollar));
        exchange = Exchange(
            deploy("Exchange.sol:Exchange", abi.encode(owner, address(registry), address(native), market, FEE_BPS))
        );
        collection = new RoyaltyCollection(artist, ROYALTY_BPS);
        passes = new PlainPass(artist, ROYALTY_BPS);
        collection.mint(maker, 1);
        collection.mint(maker, 1000);
        passes.mint(maker, PASS, 1_000);
        _give(shares, maker, SUPPLY / 2);
        _approveAll(maker);
        vm.deal(buyer, FUNDS);
        dollar.mint(buyer, FUNDS);
        vm.prank(buyer);
        dollar.approve(address(exchange), FUNDS);
    }

    function _approveAll(address account) internal {
        vm.startPrank(account);
        collection.setApprovalForAll(address(exchange), true);
        passes.setApprovalForAll(address(exchange), true);
        shares.approve(address(exchange), SUPPLY);
        registry.setApprovalForAll(address(exchange), true);
        vm.stopPrank();
    }

    // -- listings ------------------------------------------------------------------------------------------------------

    function _item(IExchange.ItemKind kind, address token, uint256 id_, uint128 amount)
        internal
        pure
        returns (IExchange.Item memory)
    {
        return IExchange.Item({kind: kind, token: token, id: id_, amount: amount, price: PRICE});
    }

    function _collectible() internal view returns (IExchange.Item memory) {
        return _item(IExchange.ItemKind.ERC721, address(collection), 1, 1);
    }

    function _passes(uint128 amount) internal view returns (IExchange.Item memory) {
        return _item(IExchange.ItemKind.ERC1155, address(passes), PASS, amount);
    }

    function _shares(uint128 amount) internal view returns (IExchange.Item memory) {
        return _item(IExchange.ItemKind.ERC20, address(shares), 0, amount);
    }

    /// @dev One item for native coin; it allows the royalty and the fee there are.
    function _listing(IExchange.Item memory item) internal view returns (IExchange.Listing memory listing) {
        listing.maker = maker;
        listing.expiry = uint64(time() + 1 days);
        listing.maxDeductionBps = ROYALTY_BPS + FEE_BPS;
        listing.item = item;
    }

    function _forDollars(IExchange.Item memory item) internal view returns (IExchange.Listing memory listing) {
        listing = _listing(item);
        listing.currency = address(dollar);
    }

    /// @dev Two items, put in order.
    function _bundle(IExchange.Item memory one, IExchange.Item memory other)
        internal
        view
        returns (IExchange.Listing memory listing)
    {
        listing = _forDollars(one);
        listing.more = new IExchange.Item[](1);
        (listing.item, listing.more[0]) = one.token < other.token ? (one, other) : (other, one);
    }

    // -- signatures ----------------------------------------------------------------------------------------------------

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _signed(IExchange.Listing memory listing) internal view returns (bytes memory) {
        return _sign(MAKER_KEY, exchange.hashOf(listing));
    }

    /// @dev The fees that wait in both currencies.
    function _fees(address currency) internal view returns (uint256) {
        return currency == address(0) ? address(exchange).balance : dollar.balanceOf(address(exchange));
    }

    // -- purchases -----------------------------------------------------------------------------------------------------

    function _buy(IExchange.Listing memory listing) internal returns (uint256) {
        return _buy(listing, 0);
    }

    function _buy(IExchange.Listing memory listing, uint256 amount) internal returns (uint256) {
        (uint256 price,,) = exchange.quote(listing, amount);
        bytes memory signature = _signed(listing);
        uint256 value = listing.currency == address(0) ? price : 0;
        vm.prank(buyer);
        return exchange.buy{value: value}(listing, signature, amount, price, buyer);
    }

    /// @dev A purchase of the whole listing fails for just this reason; the buyer pays `value` of native coin.
    function _refused(IExchange.Listing memory listing, bytes memory reason) internal {
        bytes memory signature = _signed(listing);
        uint256 value = listing.currency == address(0) ? PRICE : 0;
        vm.prank(buyer);
        vm.expectRevert(reason);
        exchange.buy{value: value}(listing, signature, 0, type(uint256).max, buyer);
    }
}
