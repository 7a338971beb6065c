// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SharesVault} from "../../mocks/SharesVault.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

/// @notice Shares in OpenZeppelin's ERC-4626 vault, as it comes. See docs/protocol/shares-in-contracts.md.
contract VaultTest is AssetsBase {
    SharesVault private _vault;

    function setUp() public override {
        super.setUp();
        _setFee(0);
        _vault = new SharesVault(shares);
        vm.startPrank(alice);
        shares.approve(address(_vault), SUPPLY);
        _vault.deposit(SUPPLY / 2, alice);
        vm.stopPrank();
    }

    function test_income_waits_for_a_vault_that_never_asks() public {
        _earn(shares, 1_000_000);
        uint256 stranded = shares.pending(address(_vault), address(money));
        assertEq(stranded, 499_999, "half of the income is the vault's");
        uint256 deposited = _vault.balanceOf(alice);
        vm.prank(alice);
        assertEq(_vault.redeem(deposited, alice, alice), SUPPLY / 2, "the shares come out whole");
        assertEq(shares.pending(address(_vault), address(money)), stranded, "the income stays owed to the vault");
        assertEq(_collect(shares, alice), 499_999, "alice has the other half only");
    }

    function test_income_does_not_move_the_price_of_the_vault() public {
        uint256 before = _vault.convertToAssets(1e6);
        _earn(shares, 1_000_000e6);
        assertEq(_vault.convertToAssets(1e6), before, "assets are shares, income is not");
    }
}
