// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

contract SetMeterTest is AssetsBase {
    function test_names_the_meter_at_once() public {
        skip(5);
        vm.expectEmit(address(registry));
        emit IAssetRegistry.MeterSet(id, carol);
        vm.prank(alice);
        registry.setMeter(id, carol);
        (address named, uint40 since) = registry.meterOf(id);
        assertEq(named, carol, "meter");
        assertEq(since, time(), "since");
    }

    function test_naming_the_same_meter_again_changes_nothing() public {
        skip(5);
        vm.recordLogs();
        vm.prank(alice);
        registry.setMeter(id, meter);
        assertEq(vm.getRecordedLogs().length, 0, "no event");
        (address named, uint40 since) = registry.meterOf(id);
        assertEq(named, meter, "meter");
        assertEq(since, time() - 5, "since");
    }

    function test_reverts_whenCallerIsNotTheTitleHolder() public {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, bob, _title()));
        vm.prank(bob);
        registry.setMeter(id, bob);
    }
}
