// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shares} from "../../../src/assets/Shares.sol";
import {IShares} from "../../../src/interfaces/IShares.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

contract InitializeTest is AssetsBase {
    function test_reverts_whenCallerIsNotTheRegistry() public {
        vm.expectRevert(abi.encodeWithSelector(IShares.NotRegistry.selector, bob));
        vm.prank(bob);
        shares.initialize("Mine", "MINE", bob);
    }

    function test_reverts_whenDoneTwice() public {
        vm.expectRevert(abi.encodeWithSelector(IShares.AlreadyInitialized.selector));
        vm.prank(address(registry));
        shares.initialize("Mine", "MINE", bob);
    }

    function test_reverts_whenCalledOnTheImplementation() public {
        Shares implementation = Shares(payable(registry.SHARES_IMPLEMENTATION()));
        vm.expectRevert(abi.encodeWithSelector(IShares.AlreadyInitialized.selector));
        vm.prank(address(registry));
        implementation.initialize("Mine", "MINE", bob);
        assertEq(implementation.balanceOf(bob), 0, "nothing minted");
    }

    function test_gives_each_clone_a_name_of_its_own_and_one_signing_domain() public view {
        assertEq(keccak256(bytes(shares.name())), keccak256("First shares"), "name");
        (, string memory name, string memory version, uint256 chain, address verifier,,) = shares.eip712Domain();
        assertEq(keccak256(bytes(name)), keccak256("Usufruct Shares"), "domain name");
        assertEq(keccak256(bytes(version)), keccak256("1"), "domain version");
        assertEq(chain, block.chainid, "chain");
        assertEq(verifier, address(shares), "the clone, not the implementation");
    }
}
