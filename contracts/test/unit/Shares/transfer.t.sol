// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Shares} from "../../../src/assets/Shares.sol";
import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {IShares} from "../../../src/interfaces/IShares.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";
import {AllowListPolicy} from "../../mocks/AllowListPolicy.sol";

contract TransferTest is AssetsBase {
    function setUp() public override {
        super.setUp();
        _setFee(0);
    }

    function test_accrued_income_stays_with_the_giver() public {
        _earn(shares, 1_000_000);
        _give(shares, bob, SUPPLY);
        assertEq(_collect(shares, alice), 999_999, "alice");
        assertEq(_collect(shares, bob), 0, "bob");
    }

    function test_income_not_accrued_goes_with_the_shares() public {
        money.mint(address(shares), 1_000_000);
        _give(shares, bob, SUPPLY);
        shares.accrue(address(money));
        assertEq(_collect(shares, alice), 0, "alice");
        assertEq(_collect(shares, bob), 999_999, "bob");
    }

    function test_settles_both_sides_before_balances_move() public {
        _give(shares, bob, SUPPLY / 2);
        _earn(shares, 1_000_000);
        _give(shares, bob, SUPPLY / 2);
        assertEq(_collect(shares, alice), 499_999, "alice, on what she had");
        assertEq(_collect(shares, bob), 499_999, "bob, on what he had");
    }

    function test_a_newcomer_gets_nothing_of_the_past_in_any_token() public {
        vm.deal(address(shares), 1 ether);
        shares.wrap();
        _earn(shares, 1_000_000);
        _give(shares, bob, SUPPLY / 2);
        assertEq(shares.pending(bob, address(money)), 0, "money");
        assertEq(shares.pending(bob, address(native)), 0, "native");
    }

    function test_to_oneself_changes_nothing() public {
        _earn(shares, 1_000_000);
        _give(shares, alice, SUPPLY);
        _give(shares, alice, SUPPLY);
        assertEq(shares.balanceOf(alice), SUPPLY, "balance");
        assertEq(_collect(shares, alice), 999_999, "income once");
    }

    function test_a_round_trip_gains_nothing() public {
        _earn(shares, 1_000_000);
        for (uint256 i; i < 5; ++i) {
            _give(shares, bob, SUPPLY);
            vm.prank(bob);
            shares.transfer(alice, SUPPLY);
        }
        assertEq(_collect(shares, alice) + _collect(shares, bob), 999_999, "once");
    }

    function test_of_nothing_is_allowed() public {
        _earn(shares, 1_000_000);
        vm.prank(carol);
        shares.transfer(bob, 0);
        assertEq(shares.pending(alice, address(money)), 999_999, "no balance is touched");
    }

    function test_by_allowance_settles_too() public {
        vm.prank(alice);
        shares.approve(carol, SUPPLY);
        _earn(shares, 1_000_000);
        vm.prank(carol);
        shares.transferFrom(alice, bob, SUPPLY);
        assertEq(_collect(shares, alice), 999_999, "alice");
    }

    function test_a_policy_restricts_who_holds_but_never_who_collects() public {
        AllowListPolicy policy = new AllowListPolicy();
        IAssetRegistry.Registration memory registration = _registration("restricted");
        registration.transferPolicy = address(policy);
        (, Shares restricted) = _register(alice, registration);
        assertEq(restricted.balanceOf(alice), SUPPLY, "the registrant holds, listed or not");

        vm.expectRevert(
            abi.encodeWithSelector(IShares.TransferRefused.selector, address(policy), alice, bob, uint256(1e6))
        );
        _give(restricted, bob, 1e6);

        policy.list(bob, true);
        _give(restricted, bob, SUPPLY / 2);
        policy.list(bob, false);
        _earn(restricted, 1_000_000);
        assertEq(_collect(restricted, bob), 499_999, "delisted, but paid");
    }

    function test_reverts_whenSentToTheSharesThemselves() public {
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(shares)));
        _give(shares, address(shares), 1);
    }

    function test_reverts_whenBalanceIsTooSmall() public {
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, bob, uint256(0), uint256(1))
        );
        vm.prank(bob);
        shares.transfer(alice, 1);
    }
}
