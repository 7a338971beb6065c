// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Shares} from "../../../src/assets/Shares.sol";
import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {IShares} from "../../../src/interfaces/IShares.sol";
import {AssetId} from "../../../src/types/AssetId.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";
import {BlacklistToken} from "../../mocks/BlacklistToken.sol";
import {FakeShares} from "../../mocks/FakeShares.sol";
import {ReenteringToken} from "../../mocks/ReenteringToken.sol";

contract CollectFromTest is AssetsBase {
    Shares private _child;

    function setUp() public override {
        super.setUp();
        (, _child) = _registerChild("child", 2_000);
    }

    function test_royalty_arrives_free_of_fee() public {
        money.mint(address(_child), 1_000_000);
        vm.expectEmit(address(_child));
        emit IShares.RoyaltyCollected(_child.assetId(), address(money), address(shares), 200_000, 200_000);
        assertEq(_collectFrom(), 200_000, "received");
        IShares.Revenue memory revenue = shares.revenue(address(money));
        assertEq(revenue.gross, 200_000, "revenue of the parent");
        assertEq(revenue.feeCredited, 0, "the child has paid the fee");
        assertEq(_child.revenue(address(money)).feeCredited, 25_000, "on gross");
        assertEq(_child.royaltyPaid(address(shares), address(money)), 200_000, "counted");
        assertEq(_collectFrom(), 0, "nothing twice");
    }

    function test_only_what_came_from_the_child_is_free_of_fee() public {
        money.mint(address(_child), 1_000_000);
        money.mint(address(shares), 400_000);
        _collectFrom();
        assertEq(shares.revenue(address(money)).gross, 600_000, "both noticed");
        assertEq(shares.revenue(address(money)).feeCredited, 10_000, "fee on the 400,000");
    }

    function test_grandparents_get_theirs() public {
        IAssetRegistry.Registration memory registration = _registration("grandchild");
        registration.parents = new IShares.Parent[](1);
        registration.parents[0] = IShares.Parent(address(_child), 5_000);
        (, Shares grandchild) = _register(alice, registration);
        money.mint(address(grandchild), 1_000_000);
        _child.collectFrom(address(grandchild), address(money));
        assertEq(_collectFrom(), 100_000, "a fifth of a half");
        assertEq(_child.revenue(address(money)).feeCredited, 0, "one fee in the whole chain");
    }

    function test_income_of_shares_held_in_the_child_is_collected_too() public {
        _give(_child, address(shares), SUPPLY / 2);
        _earn(_child, 1_000_000);
        uint256 income = 775_000 / 2 - 1; // half of what is left after fee and royalty, rounded down twice
        assertLe(income, _collectFrom() - 200_000, "royalty and income");
        assertEq(shares.revenue(address(money)).feeCredited, 0, "free of fee");
    }

    /// @dev Royalties round down, each arrival against the running total, so that no split of a sum changes them.
    function test_royalties_follow_the_total(uint96[10] memory arrivals) public {
        uint256 gross;
        uint256 received;
        for (uint256 i; i < arrivals.length; ++i) {
            gross += arrivals[i];
            money.mint(address(_child), arrivals[i]);
            received += _collectFrom();
            assertEq(received, gross * 2_000 / 10_000, "total");
        }
    }

    function test_a_blacklisted_parent_delays_nobody() public {
        BlacklistToken token = new BlacklistToken();
        _list(address(token));
        token.mint(address(_child), 1_000_000);
        token.blacklist(address(shares), true);
        vm.expectRevert(abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, address(shares)));
        shares.collectFrom(address(_child), address(token));
        _child.accrue(address(token));
        vm.prank(alice);
        assertEq(_child.collect(address(token)), 774_999, "the child's holder");
        assertEq(_child.release(address(token)), 25_000, "the protocol");
        token.blacklist(address(shares), false);
        assertEq(shares.collectFrom(address(_child), address(token)), 200_000, "the parent, when it can");
    }

    /// @dev Money given to the parent while the child pays must not pass for the child's.
    function test_a_gift_from_inside_the_payment_pays_the_fee() public {
        ReenteringToken token = new ReenteringToken();
        _list(address(token));
        token.mint(address(_child), 1_000_000);
        token.aim(address(token), abi.encodeCall(token.mint, (address(shares), 400_000)));
        assertEq(shares.collectFrom(address(_child), address(token)), 200_000, "the child's");
        assertEq(shares.revenue(address(token)).feeCredited, 10_000, "fee on the gift");
    }

    function test_a_stranger_is_due_no_royalty() public {
        _earn(_child, 1_000_000);
        vm.prank(bob);
        assertEq(_child.collectRoyalty(address(money)), 0, "nothing");
        (, Shares other) = _register(alice, _registration("other"));
        assertEq(other.collectFrom(address(_child), address(money)), 0, "nor to an unrelated asset");
    }

    function test_reverts_whenChildIsFake() public {
        FakeShares fake = new FakeShares();
        money.mint(address(fake), 1_000_000);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.NotShares.selector, address(fake)));
        shares.collectFrom(address(fake), address(money));
    }

    function test_reverts_whenChildIsTheAssetItself() public {
        vm.expectRevert(abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        shares.collectFrom(address(shares), address(money));
    }

    function _collectFrom() private returns (uint256) {
        return shares.collectFrom(address(_child), address(money));
    }
}
