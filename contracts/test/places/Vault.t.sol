// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {SharesVault} from "../mocks/SharesVault.sol";
import {WrapBase} from "../unit/WrappedShares/WrapBase.t.sol";

/// @notice Wrapped shares in OpenZeppelin's ERC-4626 vault as it is: bob deposits before income comes in, carol after it.
contract VaultTest is WrapBase {
    uint256 private constant INCOME = 30_000e6;
    uint256 private constant EARNED = 4_500e6; // of 15 %

    SharesVault private _vault;

    function setUp() public override {
        super.setUp();
        _vault = new SharesVault(wrapped);
    }

    function test_each_depositor_takes_out_what_theirs_have_earned() public {
        _deposit(bob);
        _earn(shares, INCOME);
        _collect(shares, carol);
        money.mint(carol, 1);
        uint256 before = money.balanceOf(carol);
        _deposit(carol); // to wrap, she pays what bob's have earned
        assertEq(before - money.balanceOf(carol), EARNED, "paid in");
        _earn(shares, INCOME);
        assertEq(_redeem(bob), 2 * EARNED - 1, "bob's, of both");
        assertEq(_redeem(carol), 2 * EARNED - 1, "carol's, of the second, and what she paid in");
        assertEq(wrapped.totalSupply(), 0, "none is left in the vault");
        assertLe(wrapped.returnExcess(address(money)), 3, "rounding");
    }

    /// @dev A first depositor's gift makes the vault's own shares dear, as in any vault; OpenZeppelin's virtual shares bound
    ///      what that costs the second: no more than the thief gave away.
    function test_a_first_depositors_gift_costs_the_thief_more_than_the_second_depositor() public {
        _wrap(carol, PART);
        vm.startPrank(carol);
        wrapped.approve(address(_vault), 1);
        _vault.deposit(1, carol);
        wrapped.transfer(address(_vault), PART / 2);
        vm.stopPrank();
        _deposit(bob);
        _earn(shares, INCOME);
        uint256 back = _redeem(bob);
        assertLe(EARNED * 3 / 4, back, "bob loses a part");
        vm.startPrank(carol);
        uint256 stolen = _vault.redeem(_vault.balanceOf(carol), carol, carol);
        vm.stopPrank();
        assertLe(stolen, PART / 2, "and carol gets no more than she gave");
    }

    function _deposit(address account) private {
        _wrap(account, shares.balanceOf(account));
        vm.startPrank(account);
        IERC20(wrapped).approve(address(_vault), PART);
        _vault.deposit(wrapped.balanceOf(account), account);
        vm.stopPrank();
    }

    function _redeem(address account) private returns (uint256) {
        uint256 deposited = _vault.balanceOf(account);
        vm.prank(account);
        uint256 out = _vault.redeem(deposited, account, account);
        return _unwrap(account, out);
    }
}
