// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetsBase} from "../../AssetsBase.t.sol";

contract WrapTest is AssetsBase {
    function test_native_coin_becomes_revenue() public {
        vm.deal(bob, 3 ether);
        vm.prank(bob);
        (bool ok,) = address(shares).call{value: 2 ether}("");
        assertTrue(ok, "taken");
        assertEq(shares.wrap(), 2 ether, "noticed");
        assertEq(address(shares).balance, 0, "all wrapped");
        assertEq(shares.revenue(address(native)).feeCredited, 0.05 ether, "fee");
        vm.prank(alice);
        uint256 income = shares.collect(address(native));
        assertLe(1.95 ether - 1, income, "the rest is the holder's");
        assertEq(native.balanceOf(alice), income, "as wrapped coin");
    }

    function test_forced_coin_counts_as_well() public {
        vm.deal(address(shares), 1 ether);
        native.deposit{value: 1}();
        native.transfer(address(shares), 1);
        assertEq(shares.wrap(), 1 ether + 1, "both");
    }

    function test_wrapping_nothing_is_nothing() public {
        assertEq(shares.wrap(), 0, "nothing");
    }

    /// @dev A payer with a 2,300 gas stipend does not reach a clone; documented in IShares.
    function test_a_stipend_does_not_suffice() public {
        assertTrue(!payable(address(shares)).send(1), "refused");
        assertEq(address(shares).balance, 0, "nothing lost");
    }

    receive() external payable {}
}
