// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shares} from "../../src/assets/Shares.sol";
import {IAssetRegistry} from "../../src/interfaces/IAssetRegistry.sol";
import {TwoStepOwner} from "../../src/lib/TwoStepOwner.sol";
import {AssetsBase} from "../AssetsBase.t.sol";
import {BlacklistToken} from "../mocks/BlacklistToken.sol";

/// @notice What holders of shares are safe from, and the documented limits (`test_limit_...`).
contract ShareHoldersTest is AssetsBase {
    function test_the_registry_cannot_be_given_up() public {
        vm.expectRevert(TwoStepOwner.OwnershipNotRenounceable.selector);
        vm.prank(owner);
        registry.renounceOwnership();
        assertEq(registry.owner(), owner, "an owner answers for it");
    }

    function test_a_strangers_transfers_of_nothing_cost_a_holder_a_256th_of_a_unit_each() public {
        _setFee(0);
        _give(shares, bob, SUPPLY / 200); // 0.5 %
        _give(shares, carol, SUPPLY / 200);
        for (uint256 i; i < 100; ++i) {
            _earn(shares, 199); // each brings 0.995 units for either
            vm.prank(owner); // a stranger
            shares.transferFrom(bob, sink, 0);
        }
        assertLe(99, _collect(shares, bob), "settled a hundred times: 99.5 less at most 100/256");
        assertEq(_collect(shares, carol), 99, "left alone");
    }

    function test_limit_a_blacklisted_parents_royalty_waits_until_the_token_relents() public {
        BlacklistToken token = new BlacklistToken();
        _list(address(token));
        (, Shares child) = _registerChild("child", 5_000);
        token.mint(address(child), 1_000);
        child.accrue(address(token));
        token.blacklist(address(shares), true);
        vm.expectRevert(abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, address(shares)));
        shares.collectFrom(address(child), address(token));
        assertEq(child.pendingRoyalty(address(shares), address(token)), 500, "waits");
        token.blacklist(address(shares), false);
        assertEq(shares.collectFrom(address(child), address(token)), 500, "once it can be paid");
    }

    function test_limit_the_list_of_revenue_tokens_can_be_filled_for_good() public {
        _list(address(new BlacklistToken()));
        _list(address(new BlacklistToken()));
        BlacklistToken next = new BlacklistToken();
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.TooManyRevenueTokens.selector, uint256(4)));
        vm.prank(owner);
        registry.listRevenueToken(address(next));
    }

    function test_limit_shares_borrowed_for_one_transaction_take_income_that_nobody_accrued() public {
        _setFee(0);
        Pot pot = new Pot(); // a lending market that lends for one transaction, filled by bob, who earns on what he lent, he thinks
        _give(shares, bob, SUPPLY / 2);
        vm.prank(bob);
        shares.transfer(address(pot), SUPPLY / 2);
        money.mint(address(shares), 1_000e6); // x402 `exact`: it lies there unnoticed
        Borrower thief = new Borrower();
        pot.flash(shares, thief, address(money));
        assertEq(money.balanceOf(address(thief)), 500e6 - 1, "the lenders' half");
        assertEq(shares.balanceOf(address(pot)), SUPPLY / 2, "all back");
    }

    function test_limit_accrues_below_ten_units_bear_no_fee() public {
        _setFee(1_000);
        for (uint256 i; i < 100; ++i) {
            _earn(shares, 9);
        }
        assertEq(shares.revenue(address(money)).feeCredited, 0, "900 units, no fee");
    }

    function test_limit_past_supply_is_all_shares_before_there_were_any() public view {
        assertEq(shares.getPastTotalSupply(1), SUPPLY, "in January 1970");
    }
}

/// @dev A lending market that lends for one transaction.
contract Pot {
    function flash(Shares shares, Borrower borrower, address token) external {
        uint256 all = shares.balanceOf(address(this));
        shares.transfer(address(borrower), all);
        borrower.use(shares, token);
        require(shares.balanceOf(address(this)) == all, "not paid back");
    }
}

contract Borrower {
    function use(Shares shares, address token) external {
        shares.accrueAndCollect(token, address(this));
        shares.transfer(msg.sender, shares.balanceOf(address(this)));
    }
}
