// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITill} from "../../../src/interfaces/ITill.sol";
import {TillBase} from "./TillBase.t.sol";

contract TillAnchorReceiptsTest is TillBase {
    function test_chainsRoots(bytes32 first, uint64 firstCount, bytes32 second, uint64 secondCount) public {
        vm.startPrank(claimKey);
        till.anchorReceipts(first, firstCount);
        bytes32 previous = till.anchor();
        assertEq(previous, keccak256(abi.encode(bytes32(0), first, firstCount)), "first");
        bytes32 next = keccak256(abi.encode(previous, second, secondCount));
        vm.expectEmit(address(till));
        emit ITill.Anchored(next, previous, second, secondCount);
        till.anchorReceipts(second, secondCount);
        assertEq(till.anchor(), next, "second");
    }

    function test_reverts_whenTheCallerIsNotAClaimKey() public {
        vm.expectRevert(abi.encodeWithSelector(ITill.NotAClaimKey.selector, owner));
        vm.prank(owner);
        till.anchorReceipts("root", 1);
    }
}
