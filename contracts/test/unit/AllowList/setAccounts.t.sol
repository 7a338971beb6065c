// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAllowList} from "../../../src/interfaces/IAllowList.sol";
import {IDealRoom} from "../../../src/interfaces/IDealRoom.sol";
import {AllowList} from "../../../src/staking/AllowList.sol";
import {DealId} from "../../../src/types/DealId.sol";
import {DealsBase} from "../../DealsBase.t.sol";

contract AllowListSetAccountsTest is DealsBase {
    AllowList internal list;

    function setUp() public override {
        super.setUp();
        list = AllowList(deploy("AllowList.sol:AllowList", abi.encode(room)));
        IDealRoom.Terms memory terms = _terms();
        terms.policy = list;
        deal = _create(terms);
        _openAll();
    }

    function test_only_listed_accounts_subscribe() public {
        _refused(alice, abi.encodeWithSelector(IDealRoom.RefusedByPolicy.selector, list, alice));
        room.subscribe(deal, USD);

        vm.expectEmit(address(list));
        emit IAllowList.AccountSet(deal, alice, true);
        _set(issuer, alice, true);
        _subscribe(alice, USD);
        assertEq(room.subscriptionOf(deal, alice).paid, USD, "paid");
        _refused(bob, abi.encodeWithSelector(IDealRoom.RefusedByPolicy.selector, list, bob));
        room.subscribe(deal, USD);
    }

    function test_an_account_that_is_removed_keeps_what_it_paid() public {
        _set(issuer, alice, true);
        _subscribe(alice, 30_000 * USD);
        _set(issuer, alice, false);
        _refused(alice, abi.encodeWithSelector(IDealRoom.RefusedByPolicy.selector, list, alice));
        room.subscribe(deal, USD);

        _afterDays(300);
        assertEq(_claimTokens(alice), 300_000 * ONE, "tokens");
    }

    function test_what_is_so_already_is_not_written_again() public {
        _set(issuer, alice, true);
        vm.recordLogs();
        _set(issuer, alice, true);
        _set(issuer, bob, false);
        assertEq(vm.getRecordedLogs().length, 0, "logs");
    }

    function test_a_list_is_of_one_deal() public {
        IDealRoom.Terms memory terms = _terms();
        terms.policy = list;
        for (uint256 level = 1; level <= 10; ++level) {
            terms.levels[level].opensAt = uint40(time());
        }
        sale.mint(dave, FOR_SALE);
        vm.startPrank(dave);
        sale.approve(address(room), FOR_SALE);
        DealId other = room.create(terms, 0);
        vm.stopPrank();

        _set(issuer, alice, true);
        assertTrue(list.canSubscribe(deal, alice), "own");
        assertTrue(!list.canSubscribe(other, alice), "other");
        _refused(issuer, abi.encodeWithSelector(IAllowList.NotTheIssuer.selector, other, issuer));
        list.setAccounts(other, _one(alice), true);
    }

    function test_reverts_whenTheCallerIsNotTheIssuer(address caller, DealId id) public {
        vm.assume(caller != issuer);
        _refused(caller, _is(IAllowList.NotTheIssuer.selector, caller));
        list.setAccounts(deal, _one(alice), true);

        vm.assume(DealId.unwrap(id) != DealId.unwrap(deal));
        _refused(issuer, abi.encodeWithSelector(IAllowList.NotTheIssuer.selector, id, issuer));
        list.setAccounts(id, _one(alice), true);
    }

    function test_reverts_whenTheRoomHasNoCode() public {
        vm.expectRevert(abi.encodeWithSelector(IAllowList.InvalidDealRoom.selector, alice));
        new AllowList(IDealRoom(alice));
    }

    function _set(address caller, address account, bool allowed) private {
        vm.prank(caller);
        list.setAccounts(deal, _one(account), allowed);
    }

    function _one(address account) private pure returns (address[] memory accounts) {
        accounts = new address[](1);
        accounts[0] = account;
    }
}
