// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAirdrop} from "../../../src/interfaces/IAirdrop.sol";
import {AirdropBase} from "../../AirdropBase.t.sol";

contract AirdropSweepTest is AirdropBase {
    function test_anyone_sends_the_remainder_to_the_treasury_from_the_deadline_on() public {
        _claim(10);
        uint256 left = SUPPLY / 2 - _amountOf(10);
        vm.warp(airdrop.deadline());
        vm.expectEmit(address(airdrop));
        emit IAirdrop.Swept(treasury, left);
        vm.prank(stranger);
        airdrop.sweep();
        assertEq(token.balanceOf(treasury), SUPPLY / 2 + left, "treasury");
        assertEq(token.balanceOf(address(airdrop)), 0, "empty");
    }

    function test_what_arrives_after_the_sweep_can_be_swept_too() public {
        vm.warp(airdrop.deadline());
        airdrop.sweep();
        vm.prank(treasury);
        require(token.transfer(address(airdrop), 5));
        airdrop.sweep();
        assertEq(token.balanceOf(treasury), SUPPLY, "treasury");
    }

    function test_reverts_beforeTheDeadline() public {
        vm.warp(airdrop.deadline() - 1);
        vm.expectRevert(abi.encodeWithSelector(IAirdrop.ClaimsRunning.selector, airdrop.deadline()));
        vm.prank(treasury);
        airdrop.sweep();
    }
}
