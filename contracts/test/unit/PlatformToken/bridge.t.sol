// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC7802} from "@openzeppelin/contracts/interfaces/draft-IERC7802.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";

import {IPlatformToken} from "../../../src/interfaces/IPlatformToken.sol";
import {AirdropBase} from "../../AirdropBase.t.sol";

contract PlatformTokenBridgeTest is AirdropBase {
    address private _bridge;

    function setUp() public override {
        super.setUp();
        _bridge = actor("bridge");
    }

    function test_no_address_is_the_bridge_after_deployment(address caller) public {
        vm.assume(caller != address(0));
        _reverts(caller);
        vm.prank(caller);
        token.crosschainMint(caller, 1);
        _reverts(caller);
        vm.prank(caller);
        token.crosschainBurn(treasury, 1);
    }

    function test_only_the_owner_names_the_bridge() public {
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", stranger));
        vm.prank(stranger);
        token.setTokenBridge(stranger);
        vm.expectEmit(address(token));
        emit IPlatformToken.TokenBridgeSet(_bridge);
        _name(_bridge);
        assertEq(token.tokenBridge(), _bridge, "named");
        _name(address(0));
        _reverts(_bridge);
        vm.prank(_bridge);
        token.crosschainMint(_bridge, 0);
    }

    function test_what_was_burned_can_be_minted_again(uint256 amount, uint256 back) public {
        amount = bound(amount, 0, SUPPLY / 2);
        back = bound(back, 0, amount);
        _name(_bridge);
        _burn(amount);
        assertEq(token.totalSupply(), SUPPLY - amount, "left");
        vm.expectEmit(address(token));
        emit IERC7802.CrosschainMint(stranger, back, _bridge);
        vm.prank(_bridge);
        token.crosschainMint(stranger, back);
        assertEq(token.balanceOf(stranger), back, "returned");
    }

    function test_reverts_whenABridgeMintsMoreThanWasBurned() public {
        _name(_bridge);
        _burn(10);
        vm.expectRevert(abi.encodeWithSelector(ERC20Capped.ERC20ExceededCap.selector, SUPPLY + 1, SUPPLY));
        vm.prank(_bridge);
        token.crosschainMint(_bridge, 11);
    }

    function test_reverts_whenABridgeBurnsWhatNoHolderApproved() public {
        _name(_bridge);
        vm.prank(treasury);
        token.approve(_bridge, 9);
        vm.expectRevert(abi.encodeWithSignature("ERC20InsufficientAllowance(address,uint256,uint256)", _bridge, 9, 10));
        vm.prank(_bridge);
        token.crosschainBurn(treasury, 10);
    }

    function test_a_bridge_cannot_burn_the_airdrop_or_its_reserve() public {
        _name(_bridge);
        address[2] memory kept = [address(airdrop), address(token)];
        for (uint256 i = 0; i < kept.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSignature("ERC20InsufficientAllowance(address,uint256,uint256)", _bridge, 0, 1)
            );
            vm.prank(_bridge);
            token.crosschainBurn(kept[i], 1);
        }
    }

    function test_says_that_it_is_bridgeable() public view {
        assertTrue(token.supportsInterface(type(IERC7802).interfaceId), "ERC-7802");
        assertTrue(!token.supportsInterface(0xffffffff), "not all");
    }

    function _name(address bridge) private {
        vm.prank(owner);
        token.setTokenBridge(bridge);
    }

    function _burn(uint256 amount) private {
        vm.prank(treasury);
        token.approve(_bridge, amount);
        vm.expectEmit(address(token));
        emit IERC7802.CrosschainBurn(treasury, amount, _bridge);
        vm.prank(_bridge);
        token.crosschainBurn(treasury, amount);
    }

    function _reverts(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IPlatformToken.NotTheTokenBridge.selector, caller));
    }
}
