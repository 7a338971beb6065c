// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

contract RetireTest is AssetsBase {
    function test_takes_effect_after_seven_days() public {
        uint40 retiresAt = uint40(time() + 7 days);
        vm.expectEmit(address(registry));
        emit IAssetRegistry.RetirementAnnounced(id, retiresAt);
        _retire();
        assertEq(registry.asset(id).retiresAt, retiresAt, "when");
        vm.warp(retiresAt - 1);
        assertTrue(!registry.isRetired(id), "in service");
        vm.warp(retiresAt);
        assertTrue(registry.isRetired(id), "retired");
    }

    function test_can_be_called_off_in_time_and_announced_again() public {
        _retire();
        skip(7 days - 1);
        vm.expectEmit(address(registry));
        emit IAssetRegistry.RetirementCancelled(id);
        _cancel();
        skip(1 days);
        assertTrue(!registry.isRetired(id), "in service");
        _retire();
        assertEq(registry.asset(id).retiresAt, time() + 7 days, "a fresh notice");
    }

    function test_money_keeps_moving() public {
        _retire();
        skip(7 days);
        _earn(shares, 1_000_000);
        assertEq(_collect(shares, alice), 974_999, "income less fee and the accumulator's fraction");
        assertEq(shares.release(address(money)), 25_000, "fee");
        _give(shares, bob, 1e6);
    }

    function test_reverts_whenAnnouncedAlready() public {
        _retire();
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.RetirementPending.selector, id, uint40(time() + 7 days)));
        _retire();
    }

    function test_reverts_whenCalledOffTooLate() public {
        _retire();
        skip(7 days);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.NoRetirementPending.selector, id));
        _cancel();
    }

    function test_reverts_whenNothingIsAnnounced() public {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.NoRetirementPending.selector, id));
        _cancel();
    }

    function test_reverts_whenCallerIsNotTheTitleHolder() public {
        bytes memory reason = abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, bob, _title());
        vm.expectRevert(reason);
        vm.prank(bob);
        registry.retire(id);
        _retire();
        vm.expectRevert(reason);
        vm.prank(bob);
        registry.cancelRetirement(id);
    }

    function _retire() private {
        vm.prank(alice);
        registry.retire(id);
    }

    function _cancel() private {
        vm.prank(alice);
        registry.cancelRetirement(id);
    }
}
