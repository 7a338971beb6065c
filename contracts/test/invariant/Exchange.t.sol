// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MarketBase} from "../MarketBase.t.sol";
import {ExchangeHandler} from "./ExchangeHandler.sol";

/// @notice Four traders who sell each other collectibles, passes and shares for two currencies, with royalties and fees that
///         change: every unit of money and every item is found, and each trader has what the prices say.
contract ExchangeInvariant is MarketBase {
    ExchangeHandler private _handler;

    function setUp() public override {
        super.setUp();
        _handler = new ExchangeHandler(exchange, dollar, collection, passes, shares, owner, market);
        for (uint256 i = 0; i < _handler.TRADERS(); ++i) {
            address trader = _handler.trader(i);
            _handler.prepare(i);
            passes.mint(trader, PASS, _handler.PASSES() / 4);
            vm.prank(maker);
            shares.transfer(trader, SUPPLY / 8);
        }
        for (uint256 id = 2; id <= _handler.COLLECTIBLES(); ++id) {
            collection.mint(_handler.trader(id % 4), id);
        }
        address first = _handler.trader(0);
        vm.prank(maker);
        collection.transferFrom(maker, first, 1);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() public view returns (FuzzSelector[] memory selectors) {
        selectors = new FuzzSelector[](1);
        selectors[0].addr = address(_handler);
        selectors[0].selectors = new bytes4[](5);
        selectors[0].selectors[0] = ExchangeHandler.sellCollectible.selector;
        selectors[0].selectors[1] = ExchangeHandler.sellParts.selector;
        selectors[0].selectors[2] = ExchangeHandler.setFee.selector;
        selectors[0].selectors[4] = ExchangeHandler.release.selector;
        selectors[0].selectors[3] = ExchangeHandler.setRoyalty.selector;
    }

    function invariant_only_fees_stay_in_the_exchange() public view {
        address[2] memory currencies = [address(0), address(dollar)];
        for (uint256 i = 0; i < 2; ++i) {
            uint256 waiting = _handler.fees(currencies[i]) - _handler.released(currencies[i]);
            assertEq(_fees(currencies[i]), waiting, "the fees that wait");
        }
        assertEq(shares.balanceOf(address(exchange)) + passes.balanceOf(address(exchange), PASS), 0, "no items");
    }

    function invariant_every_unit_paid_is_found_with_its_payee() public view {
        assertEq(artist.balance, _handler.royalties(address(0)), "royalties");
        assertEq(dollar.balanceOf(artist), _handler.royalties(address(dollar)), "royalties in dollars");
        assertEq(market.balance, _handler.released(address(0)), "fees");
        assertEq(dollar.balanceOf(market), _handler.released(address(dollar)), "fees in dollars");
        for (uint256 i = 0; i < _handler.TRADERS(); ++i) {
            address trader = _handler.trader(i);
            int256 start = int256(_handler.MONEY());
            int256 coin = start + _handler.balanceChange(trader, address(0));
            int256 dollars = start + _handler.balanceChange(trader, address(dollar));
            assertEq(trader.balance, uint256(coin), "coin is what the prices say");
            assertEq(dollar.balanceOf(trader), uint256(dollars), "dollars are what the prices say");
        }
    }

    function invariant_every_item_is_found_with_a_trader() public view {
        uint256 held;
        uint256 credits;
        for (uint256 i = 0; i < _handler.TRADERS(); ++i) {
            held += shares.balanceOf(_handler.trader(i));
            credits += passes.balanceOf(_handler.trader(i), PASS);
        }
        assertEq(held, SUPPLY / 2, "shares");
        assertEq(credits, _handler.PASSES(), "passes");
    }
}
