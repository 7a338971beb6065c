// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {ITill} from "../../../src/interfaces/ITill.sol";
import {TillBase} from "./TillBase.t.sol";

contract TillSetClaimKeyTest is TillBase {
    function test_ownerRotatesClaimKeys() public {
        address next = actor("next claim key");
        vm.startPrank(owner);
        vm.expectEmit(address(till));
        emit ITill.ClaimKeySet(next, true);
        till.setClaimKey(next, true);
        vm.expectEmit(address(till));
        emit ITill.ClaimKeySet(claimKey, false);
        till.setClaimKey(claimKey, false);
        vm.stopPrank();
        assertTrue(till.claimKeys(next) && !till.claimKeys(claimKey), "keys");
        vm.expectRevert(abi.encodeWithSelector(ITill.NotAClaimKey.selector, claimKey));
        vm.prank(claimKey);
        till.anchorReceipts("root", 1);
        vm.prank(next);
        till.anchorReceipts("root", 1);
    }

    function test_reverts_whenTheClaimKeyIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(ITill.InvalidClaimKey.selector, address(0)));
        vm.prank(owner);
        till.setClaimKey(address(0), true);
    }

    function test_reverts_whenTheCallerIsNotTheOwner() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, claimKey));
        vm.prank(claimKey);
        till.setClaimKey(stranger, true);
    }
}
