// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IShares} from "../../../src/interfaces/IShares.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";
import {BlacklistToken} from "../../mocks/BlacklistToken.sol";
import {ReenteringToken} from "../../mocks/ReenteringToken.sol";

contract CollectTest is AssetsBase {
    function setUp() public override {
        super.setUp();
        _setFee(0);
        _give(shares, bob, SUPPLY / 4);
    }

    function test_pays_in_proportion() public {
        _earn(shares, 1_000_000);
        vm.expectEmit(address(shares));
        emit IShares.Collected(id, address(money), bob, bob, 249_999, 249_999);
        assertEq(_collect(shares, bob), 249_999, "a quarter, rounded down");
        assertEq(_collect(shares, alice), 749_999, "three quarters, rounded down");
        assertEq(money.balanceOf(bob), 249_999, "received");
        assertEq(_collect(shares, bob), 0, "nothing twice");
    }

    /// @dev The accumulator is rounded down and keeps the remainder, so the missing unit comes with the next arrival.
    function test_the_remainder_is_not_lost() public {
        _earn(shares, 1_000_000);
        _earn(shares, 1_000_000);
        assertEq(_collect(shares, bob), 499_999, "short of one unit in all, not one an arrival");
    }

    function test_leaves_fractions_to_grow() public {
        for (uint256 i; i < 8; ++i) {
            _earn(shares, 1);
            _collect(shares, bob);
        }
        assertLe(1, money.balanceOf(bob), "a collect of nothing takes no fraction away");
    }

    function test_pays_to_whom_the_holder_names() public {
        _earn(shares, 1_000_000);
        vm.prank(bob);
        assertEq(shares.collect(address(money), carol), 249_999, "amount");
        assertEq(money.balanceOf(carol), 249_999, "carol has it");
    }

    function test_accrues_and_collects_in_one_go() public {
        money.mint(address(shares), 1_000_000);
        vm.prank(bob);
        assertEq(shares.accrueAndCollect(address(money), bob), 249_999, "amount");
    }

    function test_does_not_accrue_by_itself() public {
        money.mint(address(shares), 1_000_000);
        assertEq(_collect(shares, bob), 0, "not accrued");
        assertEq(shares.pending(bob, address(money)), 249_999, "but pending");
    }

    function test_a_stranger_gets_nothing() public {
        _earn(shares, 1_000_000);
        assertEq(_collect(shares, carol), 0, "no shares, no income");
    }

    function test_a_blacklisted_holder_redirects_and_delays_nobody() public {
        BlacklistToken token = new BlacklistToken();
        _list(address(token));
        token.mint(address(shares), 1_000_000);
        shares.accrue(address(token));
        token.blacklist(bob, true);
        vm.expectRevert(abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, bob));
        vm.prank(bob);
        shares.collect(address(token));
        vm.prank(bob);
        assertEq(shares.collect(address(token), carol), 249_999, "redirected");
        vm.prank(alice);
        assertEq(shares.collect(address(token)), 749_999, "the others are not concerned");
    }

    /// @dev In the middle of a payment the books run ahead of the balance: every way in is locked, and so is `pending`.
    function test_nothing_can_be_done_from_inside_a_payment() public {
        ReenteringToken token = new ReenteringToken();
        _list(address(token));
        bytes[8] memory attempts = [
            abi.encodeWithSignature("accrue(address)", token),
            abi.encodeWithSignature("collect(address)", token),
            abi.encodeWithSignature("collect(address,address)", token, carol),
            abi.encodeWithSignature("accrueAndCollect(address,address)", token, carol),
            abi.encodeWithSignature("collectRoyalty(address)", token),
            abi.encodeWithSignature("release(address)", token),
            abi.encodeWithSignature("wrap()"),
            abi.encodeWithSignature("pending(address,address)", alice, token)
        ];
        for (uint256 i; i < attempts.length; ++i) {
            token.mint(address(shares), 1_000_000);
            shares.accrue(address(token));
            token.aim(address(shares), attempts[i]);
            uint256 paid = shares.revenue(address(token)).paidOut;
            vm.prank(bob);
            uint256 amount = shares.collect(address(token));
            assertTrue(!token.succeeded(), "refused");
            assertEq(
                bytes32(token.answer()),
                bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
                "by the lock"
            );
            assertEq(shares.revenue(address(token)).paidOut, paid + amount, "paid once");
        }
        assertEq(shares.accrue(address(token)), 0, "and nothing was taken for new");
    }

    /// @dev A transfer from inside a payment is allowed and harmless: the income being paid is booked already.
    function test_shares_may_move_from_inside_a_payment() public {
        ReenteringToken token = new ReenteringToken();
        _list(address(token));
        token.mint(address(shares), 1_000_000);
        shares.accrue(address(token));
        vm.prank(bob);
        shares.approve(address(token), SUPPLY);
        token.aim(address(shares), abi.encodeCall(shares.transferFrom, (bob, carol, SUPPLY / 4)));
        vm.prank(bob);
        assertEq(shares.collect(address(token)), 249_999, "bob");
        assertTrue(token.succeeded(), "moved");
        vm.prank(carol);
        assertEq(shares.collect(address(token)), 0, "not paid again");
        vm.prank(alice);
        assertEq(shares.collect(address(token)), 749_999, "alice");
    }
}
