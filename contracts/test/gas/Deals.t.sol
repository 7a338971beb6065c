// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AllowList} from "../../src/staking/AllowList.sol";
import {DealsBase} from "../DealsBase.t.sol";

/// @notice What each verb of a deal room costs, as a separate transaction: accounts hold both tokens already, allowances are
///         unlimited, others subscribed to the same window before.
contract DealsGas is DealsBase {
    function setUp() public override {
        super.setUp();
        address[3] memory accounts = [alice, bob, carol];
        for (uint256 i = 0; i < 3; ++i) {
            sale.mint(accounts[i], 1);
        }
        _openAll();
        _subscribe(alice, 80_000 * USD);
    }

    function test_create() public {
        vm.warp(start);
        vm.prank(issuer);
        room.create(_terms(), bytes32(uint256(1)));
        vm.snapshotGasLastCall("deals", "deal_create");
    }

    function test_subscribe() public {
        _subscribe(bob, 1_000 * USD);
        vm.snapshotGasLastCall("deals", "deal_subscribe");
        _subscribe(bob, 1_000 * USD);
        vm.snapshotGasLastCall("deals", "deal_subscribe_more");
    }

    function test_allow() public {
        AllowList list = AllowList(deploy("AllowList.sol:AllowList", abi.encode(room)));
        address[] memory accounts = new address[](10);
        for (uint256 i = 0; i < 10; ++i) {
            accounts[i] = vm.addr(i + 1);
        }
        vm.prank(issuer);
        list.setAccounts(deal, accounts, true);
        vm.snapshotGasLastCall("deals", "deal_allow_10");
    }

    function test_claim() public {
        _subscribe(bob, 50_000 * USD);
        _afterDays(100);
        _claimTokens(alice);
        _claimTokens(bob);
        vm.snapshotGasLastCall("deals", "deal_claim_first");
        _afterDays(101);
        _claimTokens(bob);
        vm.snapshotGasLastCall("deals", "deal_claim");
    }

    function test_refund() public {
        _subscribe(bob, 50_000 * USD);
        _afterDays(100);
        _refund(alice);
        _refund(bob);
        vm.snapshotGasLastCall("deals", "deal_refund_first");
    }

    function test_proceeds() public {
        _subscribe(bob, 50_000 * USD);
        dollar.mint(issuer, 1);
        _afterDays(100);
        _takeProceeds();
        vm.snapshotGasLastCall("deals", "deal_take_proceeds");
    }
}
