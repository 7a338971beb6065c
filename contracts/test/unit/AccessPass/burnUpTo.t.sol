// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessPass} from "../../../src/interfaces/IAccessPass.sol";
import {PassId} from "../../../src/types/PassId.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

contract BurnUpToTest is AssetsBase {
    PassId private _id;

    function setUp() public override {
        super.setUp();
        _id = _plan();
        _buyAndActivate(bob, _id, 1);
        _buyAndActivate(carol, _id, 1);
    }

    function test_burns_what_is_missing_to_the_totals_with_one_payment() public {
        assertEq(_burnUpTo(1, 5), 5, "0.9 x 6, rounded down once");
        assertEq(pass.activated(_id, bob, meter), 1_000_000 - 1, "bob");
        assertEq(pass.activated(_id, carol, meter), 1_000_000 - 5, "carol");
        assertEq(shares.revenue(address(money)).gross, 5, "one payment");
        vm.expectEmit(address(pass));
        emit IAccessPass.Burned(id, _id, carol, meter, 10, 1_000_000 - 15);
        assertEq(_burnUpTo(1, 15), 9, "0.9 x 10");
    }

    function test_made_twice_or_late_it_burns_once() public {
        _burnUpTo(600_000, 600_000);
        assertEq(_burnUpTo(600_000, 600_000), 0, "again");
        assertEq(_burnUpTo(100_000, 0), 0, "late");
        assertEq(pass.activated(_id, bob, meter), 400_000, "bob");
        assertEq(pass.activated(_id, carol, meter), 400_000, "carol");
        assertEq(pass.plan(_id).outstanding, 800_000, "outstanding");
    }

    function test_counts_single_burns_and_not_refunds() public {
        vm.prank(meter);
        pass.burn(bob, _id, 300);
        assertEq(_burnUpTo(500, 0), 180, "0.9 x 200");
        skip(30 days);
        vm.prank(bob);
        pass.refundActivated(_id, meter, 999_000, bob);
        (uint256 left, uint256 burned,) = pass.standing(_id, bob, meter);
        assertEq(left, 500, "left");
        assertEq(burned, 500, "burned");
    }

    function test_is_each_meters_own() public {
        _burnUpTo(700, 0);
        vm.prank(alice);
        registry.setMeter(id, carol);
        _buy(bob, _id, 1);
        vm.prank(bob);
        pass.activate(_id, 1_000, carol);
        (uint256 left, uint256 burned,) = pass.standing(_id, bob, carol);
        assertEq(left, 1_000, "left for the new meter");
        assertEq(burned, 0, "burned by the new meter");
    }

    /// @dev Whatever totals come in whatever order, what is burned is the highest of them.
    function test_ends_at_the_highest_total(uint32[8] memory totals) public {
        uint256 highest;
        for (uint256 i; i < totals.length; ++i) {
            uint256 total = bound(totals[i], 0, 1_000_000);
            if (total > highest) highest = total;
            _burnUpTo(total, 0);
            (uint256 left, uint256 burned,) = pass.standing(_id, bob, meter);
            assertEq(burned, highest, "burned");
            assertEq(left, 1_000_000 - highest, "left");
        }
        assertEq(shares.revenue(address(money)).gross, highest * 9 / 10, "its price");
    }

    /// @dev A holder who was faster at retirement does not hold up the burns of the others.
    function test_a_refund_ahead_of_a_batch_leaves_that_holder_out_and_burns_the_others() public {
        vm.prank(alice);
        registry.retire(id);
        skip(7 days);
        vm.prank(bob);
        pass.refundActivated(_id, meter, 700_000, bob);
        vm.expectEmit(address(pass));
        emit IAccessPass.BurnSkipped(id, _id, bob, meter, 400_000, 300_000);
        vm.expectEmit(address(pass));
        emit IAccessPass.Burned(id, _id, carol, meter, 400_000, 600_000);
        assertEq(_burnUpTo(400_000, 400_000), 360_000, "carol's");
        assertEq(pass.activated(_id, bob, meter), 300_000, "nothing of bob's");
        assertEq(_burnUpTo(300_000, 400_000), 270_000, "what bob left, when asked for");
    }

    function test_reverts_whenListsDiffer() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessPass.LengthMismatch.selector, uint256(2), uint256(1)));
        vm.prank(meter);
        pass.burnUpTo(_id, new address[](2), new uint256[](1));
    }

    function _burnUpTo(uint256 ofBob, uint256 ofCarol) private returns (uint256) {
        address[] memory holders = new address[](2);
        uint256[] memory totals = new uint256[](2);
        (holders[0], holders[1]) = (bob, carol);
        (totals[0], totals[1]) = (ofBob, ofCarol);
        vm.prank(meter);
        return pass.burnUpTo(_id, holders, totals);
    }
}
