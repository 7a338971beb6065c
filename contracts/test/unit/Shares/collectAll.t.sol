// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shares} from "../../../src/assets/Shares.sol";
import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";
import {FakeShares} from "../../mocks/FakeShares.sol";
import {PlainToken} from "../../mocks/PlainToken.sol";

contract CollectAllTest is AssetsBase {
    Shares private _child;
    address[] private _children;

    function setUp() public override {
        super.setUp();
        _setFee(0);
        (, _child) = _registerChild("child", 2_000);
        _children.push(address(_child));
        _give(shares, bob, SUPPLY / 5);
    }

    /// @dev Coin not yet wrapped and a royalty not yet fetched, beside money that accrued and money that did not.
    function test_nothing_is_left_behind() public {
        vm.deal(address(shares), 10 ether);
        money.mint(address(_child), 5_000e6); // 1,000 of royalty
        vm.deal(address(_child), 5 ether); // 1 of royalty
        _earn(shares, 300e6);
        money.mint(address(shares), 200e6);

        vm.prank(bob);
        uint256[] memory amounts = shares.collectAll(_children, carol);
        assertEq(amounts.length, 2, "a number for each revenue token");
        _assertDown(native.balanceOf(carol), 2.2 ether, "a fifth of 11");
        _assertDown(money.balanceOf(carol), 300e6, "a fifth of 1,500");
        assertEq(amounts[0], native.balanceOf(carol), "told");
        assertEq(amounts[1], money.balanceOf(carol), "told");
        assertEq(shares.pending(bob, address(money)), 0, "all of it");
        assertEq(address(shares).balance + address(_child).balance, 0, "wrapped");
    }

    /// @dev Why it exists: the single calls do not bring coin that is not wrapped, nor royalties that are not fetched.
    function test_limit_accrue_and_collect_alone_leave_coin_and_royalties_behind() public {
        vm.deal(address(shares), 10 ether);
        money.mint(address(_child), 5_000e6);
        _child.accrue(address(money));
        vm.startPrank(bob);
        assertEq(shares.accrueAndCollect(address(native), bob), 0, "coin");
        assertEq(shares.accrueAndCollect(address(money), bob), 0, "royalty");
        vm.stopPrank();
        _assertDown(shares.pending(bob, address(native)), 2 ether, "2 of 10");
        assertEq(_child.pendingRoyalty(address(shares), address(money)), 1_000e6, "200 of it are bob's");
    }

    function test_only_the_callers_own_income_is_paid() public {
        _earn(shares, 100e6);
        vm.prank(carol);
        uint256[] memory amounts = shares.collectAll(_children, carol);
        assertEq(amounts[0] + amounts[1], 0, "a stranger's");
        _assertDown(shares.pending(bob, address(money)), 20e6, "untouched");
    }

    function test_anyone_may_accrue_everything() public {
        vm.deal(address(shares), 1 ether);
        money.mint(address(_child), 1_000e6);
        vm.prank(carol);
        shares.accrueAll(_children);
        assertEq(shares.revenue(address(native)).gross, 1 ether, "coin");
        assertEq(shares.revenue(address(money)).gross, 200e6, "royalty");
        assertEq(native.balanceOf(carol) + money.balanceOf(carol), 0, "nothing leaves");
    }

    function test_royalties_of_several_children_are_free_of_fee_and_gifts_are_not() public {
        _setFee(1_000);
        (, Shares second) = _registerChild("second", 1_000);
        _children.push(address(second));
        money.mint(address(_child), 1_000e6);
        money.mint(address(second), 1_000e6);
        money.mint(address(shares), 50e6);
        shares.accrueAll(_children);
        assertEq(shares.revenue(address(money)).gross, 350e6, "200 + 100 + 50");
        assertEq(shares.revenue(address(money)).feeCredited, 5e6, "a tenth of the gift");
    }

    function test_a_child_named_twice_pays_once() public {
        _children.push(address(_child));
        money.mint(address(_child), 1_000e6);
        shares.accrueAll(_children);
        assertEq(shares.revenue(address(money)).gross, 200e6, "once");
    }

    function test_pending_counts_coin_that_nobody_wrapped() public {
        vm.deal(address(shares), 10 ether);
        native.deposit{value: 5 ether}();
        native.transfer(address(shares), 5 ether);
        uint256 foretold = shares.pending(bob, address(native));
        _assertDown(foretold, 3 ether, "a fifth of 15");
        vm.prank(bob);
        assertEq(shares.collectAll(new address[](0), bob)[0], foretold, "as foretold");
    }

    function test_reverts_whenChildIsFake() public {
        _children.push(address(new FakeShares()));
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.NotShares.selector, _children[1]));
        shares.accrueAll(_children);
    }

    /// @dev What all pay together is what each step pays alone, whatever came where.
    function test_pays_what_the_single_steps_pay(uint96 coin, uint96 atChild, uint96 accrued, uint96 arrived) public {
        vm.deal(address(this), uint256(coin) + 1 ether);
        vm.deal(address(shares), coin);
        money.mint(address(_child), atChild);
        _earn(shares, accrued);
        money.mint(address(shares), arrived);
        uint256 state = vm.snapshotState();
        shares.wrap();
        shares.collectFrom(address(_child), address(money));
        vm.startPrank(bob);
        uint256 inCoin = shares.collect(address(native));
        uint256 inMoney = shares.collect(address(money));
        vm.stopPrank();
        vm.revertToState(state);
        vm.prank(bob);
        uint256[] memory amounts = shares.collectAll(_children, bob);
        assertEq(amounts[0], inCoin, "coin");
        assertEq(amounts[1], inMoney, "money");
    }

    /// @dev Rounded down, by one unit at most.
    function _assertDown(uint256 actual, uint256 exact, string memory what) private pure {
        assertLe(actual, exact, what);
        assertLe(exact - 1, actual, what);
    }

    receive() external payable {}
}
