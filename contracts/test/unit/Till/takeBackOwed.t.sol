// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {ITill} from "../../../src/interfaces/ITill.sol";
import {TillBase} from "./TillBase.t.sol";

contract TillTakeBackOwedTest is TillBase {
    function setUp() public override {
        super.setUp();
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1_000);
        vm.prank(owner);
        till.setDailyCap(address(0), address(dollar), 100);
        _claimAndSplit(config, 1_000, _splits(treasury, 1_000));
    }

    function test_what_was_attributed_wrongly_is_split_again() public {
        vm.expectEmit(address(till));
        emit ITill.OwedTakenBack(treasury, address(dollar), 850, 50);
        vm.prank(owner);
        till.takeBackOwed(treasury, address(dollar), 850);
        assertEq(till.owed(treasury, address(dollar)), 50, "owed");
        assertEq(till.totalOwed(address(dollar)), 50, "total owed");
        _assertUnsplit(address(dollar), 0, 850);

        skip(1 days);
        vm.prank(claimKey);
        till.split(address(dollar), _splits(address(shares), 90), address(shares));
        assertEq(dollar.balanceOf(address(shares)), 100, "up to the cap");
        assertEq(till.owed(address(shares), address(dollar)), 750, "and the rest later");
    }

    function test_reverts_whenLessIsOwed() public {
        vm.expectRevert(
            abi.encodeWithSelector(ITill.NotOwed.selector, treasury, address(dollar), uint256(901), uint256(900))
        );
        vm.prank(owner);
        till.takeBackOwed(treasury, address(dollar), 901);
    }

    function test_reverts_whenCallerIsNotTheOwner() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, claimKey));
        vm.prank(claimKey);
        till.takeBackOwed(treasury, address(dollar), 1);
    }
}
