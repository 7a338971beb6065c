// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Shares} from "../../../src/assets/Shares.sol";
import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {IShares} from "../../../src/interfaces/IShares.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";
import {Base} from "../../Base.t.sol";
import {PlainToken} from "../../mocks/PlainToken.sol";
import {ReenteringToken} from "../../mocks/ReenteringToken.sol";

contract SwapUnlistedTest is AssetsBase {
    PlainToken private _lost;

    function setUp() public override {
        super.setUp();
        _lost = new PlainToken();
        _lost.mint(address(shares), 500);
        money.mint(owner, 1_000);
        vm.prank(owner);
        money.approve(address(shares), 1_000);
    }

    function test_a_lost_token_becomes_revenue() public {
        vm.expectEmit(address(shares));
        emit IShares.UnlistedSwapped(id, address(_lost), address(money), 500, 1_000);
        vm.prank(owner);
        shares.swapUnlisted(address(_lost), 500, address(money), 1_000);
        assertEq(_lost.balanceOf(owner), 500, "taken out");
        assertEq(shares.accrue(address(money)), 1_000, "accrues like any other income");
    }

    function test_reverts_whenCallerIsNotTheRegistrysOwner() public {
        vm.expectRevert(abi.encodeWithSelector(IShares.NotRegistryOwner.selector, alice));
        vm.prank(alice);
        shares.swapUnlisted(address(_lost), 500, address(money), 1_000);
    }

    function test_reverts_whenTokenOutIsRevenue() public {
        _earn(shares, 1_000);
        vm.expectRevert(abi.encodeWithSelector(IShares.RevenueTokenListed.selector, address(money)));
        vm.prank(owner);
        shares.swapUnlisted(address(money), 1_000, address(money), 1);
    }

    function test_reverts_whenTokenInIsNot() public {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.NotRevenueToken.selector, address(_lost)));
        vm.prank(owner);
        shares.swapUnlisted(address(_lost), 500, address(_lost), 500);
    }

    function test_reverts_whenNothingIsPaid() public {
        vm.expectRevert(abi.encodeWithSelector(IShares.NothingPaid.selector, address(money)));
        vm.prank(owner);
        shares.swapUnlisted(address(_lost), 500, address(money), 0);
    }

    /// @dev Shares of a child that a parent's Shares hold earn for the parent's holders, and stay.
    function test_reverts_whenTokenOutIsShares() public {
        (, Shares child) = _registerChild("child", 1_000);
        _give(child, address(shares), SUPPLY / 2);
        vm.expectRevert(abi.encodeWithSelector(IShares.SharesStay.selector, address(child)));
        vm.prank(owner);
        shares.swapUnlisted(address(child), SUPPLY / 2, address(money), 1);
    }

    function test_reverts_whenTokenOutIsWrappedNative() public {
        vm.expectRevert(abi.encodeWithSelector(IShares.RevenueTokenListed.selector, address(native)));
        vm.prank(owner);
        shares.swapUnlisted(address(native), 0, address(money), 1);
    }

    /// @dev On some chains (Celo, Moonbeam) an ERC-20 moves the native coin itself.
    function test_reverts_whenTokenOutMovesTheNativeCoin() public {
        NativeErc20 coin = new NativeErc20();
        vm.deal(address(shares), 5 ether);
        vm.expectRevert(abi.encodeWithSelector(IShares.NativeCoinStays.selector, address(coin)));
        vm.prank(owner);
        shares.swapUnlisted(address(coin), 5 ether, address(money), 1);
    }

    function test_the_token_taken_out_cannot_reenter() public {
        ReenteringToken token = new ReenteringToken();
        token.mint(address(shares), 500);
        token.aim(address(shares), abi.encodeWithSignature("accrue(address)", money));
        vm.prank(owner);
        shares.swapUnlisted(address(token), 500, address(money), 1_000);
        assertTrue(!token.succeeded(), "refused");
        assertEq(
            bytes32(token.answer()),
            bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
            "by the lock"
        );
    }
}

/// @dev An ERC-20 face of the native coin.
contract NativeErc20 is Base {
    function transfer(address to, uint256 amount) external returns (bool) {
        vm.deal(msg.sender, msg.sender.balance - amount);
        vm.deal(to, to.balance + amount);
        return true;
    }
}
