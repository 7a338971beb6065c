// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IExchange} from "../../src/interfaces/IExchange.sol";
import {MarketBase} from "../MarketBase.t.sol";
import {PlainToken} from "../mocks/PlainToken.sol";
import {RoyaltyCollection} from "../mocks/RoyaltyCollection.sol";

/// @notice What a purchase costs, as a separate transaction: everyone paid holds a balance, a royalty of 5 % is paid where the
///         item has one, a fee of 2.5 % is kept for `release`, and the buyer holds one of the kind already.
/// @dev `bench/peers/gas/test/Seaport.t.sol` measures Seaport 1.6 on the same work; it pays the fee out in each sale. So what
///      that payment costs is measured, too: `bench/gas.py` adds it for the comparison.
///      Of sales for an ERC-20 the first fee in that token is measured; later ones are 17,100 cheaper.
contract MarketGas is MarketBase {
    PlainToken private _token;

    function setUp() public override {
        super.setUp();
        _token = new PlainToken();
        _token.mint(maker, 1_000);
        _token.mint(buyer, 1);
        collection.mint(buyer, 100);
        passes.mint(buyer, PASS, 1);
        vm.prank(maker);
        _token.approve(address(exchange), type(uint256).max);
        address[3] memory paid = [maker, artist, market];
        for (uint256 i = 0; i < paid.length; ++i) {
            vm.deal(paid[i], 1);
            dollar.mint(paid[i], 1);
        }
    }

    function test_buy_721() public {
        _measured(_listing(_collectible()), 0, "exchange_buy_721_eth");
    }

    /// @dev A maker's listings share a word of 256 nonces: only the first sale of the word writes to an empty slot.
    function test_buy_721_next_nonce() public {
        _buy(_listing(_collectible()));
        collection.mint(maker, 2);
        IExchange.Listing memory listing = _listing(_item(IExchange.ItemKind.ERC721, address(collection), 2, 1));
        listing.nonce = 1;
        _measured(listing, 0, "exchange_buy_721_eth_next");
    }

    function test_fee_payment() public {
        uint256 gas_ = new Payer().pay{value: FEE}(payable(market));
        vm.snapshotValue("market", "exchange_fee_payment_eth", gas_);
    }

    function test_buy_721_for_a_token() public {
        _measured(_forDollars(_collectible()), 0, "exchange_buy_721_erc20");
    }

    function test_buy_1155() public {
        _measured(_listing(_passes(10)), 0, "exchange_buy_1155");
    }

    function test_buy_20() public {
        _measured(_listing(_item(IExchange.ItemKind.ERC20, address(_token), 0, 10)), 0, "exchange_buy_20");
    }

    function test_buy_parts() public {
        IExchange.Listing memory listing = _listing(_item(IExchange.ItemKind.ERC20, address(_token), 0, 10));
        listing.divisible = true;
        _measured(listing, 3, "exchange_buy_20_first_part");
        _measured(listing, 3, "exchange_buy_20_next_part");
    }

    function test_buy_shares() public {
        _measured(_forDollars(_shares(1_000e6)), 0, "exchange_buy_shares_erc20");
    }

    function test_buy_title() public {
        vm.prank(alice);
        registry.transferFrom(alice, maker, _title());
        IExchange.Item memory title = _item(IExchange.ItemKind.ERC721, address(registry), _title(), 1);
        _measured(_forDollars(title), 0, "exchange_buy_title_royalty_accrued");
    }

    function test_release() public {
        _buy(_listing(_collectible()));
        exchange.release(address(0));
        vm.snapshotGasLastCall("market", "exchange_release_eth");
    }

    function test_cancel() public {
        vm.prank(maker);
        exchange.cancel(0, 1);
        vm.snapshotGasLastCall("market", "exchange_cancel");
    }

    function _measured(IExchange.Listing memory listing, uint256 amount, string memory name) private {
        _buy(listing, amount);
        vm.snapshotGasLastCall("market", name);
    }
}

/// @notice Says what it costs a contract to pay native coin to an account that it has not touched before.
contract Payer {
    error NotPaid();

    function pay(address payable to) external payable returns (uint256 used) {
        used = gasleft();
        bool paid;
        assembly ("memory-safe") {
            paid := call(gas(), to, callvalue(), 0, 0, 0, 0)
        }
        used -= gasleft();
        require(paid, NotPaid());
    }
}
