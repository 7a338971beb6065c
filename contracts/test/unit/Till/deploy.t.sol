// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {ITill} from "../../../src/interfaces/ITill.sol";
import {Till} from "../../../src/payments/Till.sol";
import {TillBase} from "./TillBase.t.sol";

contract TillDeployTest is TillBase {
    function test_ownershipMovesInTwoSteps() public {
        vm.prank(owner);
        till.transferOwnership(stranger);
        assertEq(till.owner(), owner, "not yet");
        vm.prank(stranger);
        till.acceptOwnership();
        assertEq(till.owner(), stranger, "accepted");
    }

    function test_reverts_whenBuiltWithoutASettlement() public {
        vm.expectRevert(ITill.InvalidSettlement.selector);
        new Till(owner, IBatchSettlement(address(0)));
    }

    function test_reverts_whenBuiltWithoutAnOwner() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        new Till(address(0), settlement);
    }

    function test_refusesNativeCurrencyAndSurvivesItForced() public {
        vm.deal(stranger, 1 ether);
        vm.prank(stranger);
        (bool ok,) = address(till).call{value: 1}("");
        assertTrue(!ok, "took native currency");
        vm.deal(address(till), 1 ether);
        _claimAndSplit(_tillChannel(address(dollar), 100), 10, _splits(treasury, 10));
        assertEq(dollar.balanceOf(treasury), 10, "treasury");
    }

    function test_version() public view {
        assertEq(keccak256(bytes(till.VERSION())), keccak256("1.0.0"), "version");
        assertEq(address(till.settlement()), address(settlement), "settlement");
    }
}
