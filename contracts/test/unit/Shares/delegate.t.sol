// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Votes} from "@openzeppelin/contracts/governance/utils/Votes.sol";

import {AssetsBase} from "../../AssetsBase.t.sol";

contract DelegateTest is AssetsBase {
    function test_votes_follow_shares_by_time() public {
        vm.prank(alice);
        shares.delegate(alice);
        skip(10);
        _give(shares, bob, SUPPLY / 4);
        vm.prank(bob);
        shares.delegate(carol);
        uint256 moved = time();
        skip(10);
        assertEq(shares.getPastVotes(alice, moved - 1), SUPPLY, "before");
        assertEq(shares.getPastVotes(alice, moved), SUPPLY - SUPPLY / 4, "after");
        assertEq(shares.getPastVotes(carol, moved), SUPPLY / 4, "delegate");
        assertEq(shares.getPastTotalSupply(moved), SUPPLY, "total");
    }

    function test_counts_in_seconds() public view {
        assertEq(shares.clock(), time(), "clock");
        assertEq(keccak256(bytes(shares.CLOCK_MODE())), keccak256("mode=timestamp"), "mode");
    }

    function test_reverts_whenAskedAboutNow() public {
        uint48 present = uint48(time());
        bytes memory reason = abi.encodeWithSelector(Votes.ERC5805FutureLookup.selector, uint256(present), present);
        vm.expectRevert(reason);
        shares.getPastTotalSupply(present);
        vm.expectRevert(reason);
        shares.getPastVotes(alice, present);
    }
}
