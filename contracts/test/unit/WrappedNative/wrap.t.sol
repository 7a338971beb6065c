// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WrappedNative} from "../../../src/devnet/WrappedNative.sol";
import {Base} from "../../Base.t.sol";

contract WrappedNativeWrapTest is Base {
    WrappedNative private wrapped;
    address private user;

    function setUp() public {
        wrapped = new WrappedNative();
        user = actor("user");
    }

    function test_wrapsAndUnwrapsOneToOne(uint96 amount, uint96 back) public {
        vm.deal(user, amount);
        back = uint96(bound(back, 0, amount));
        vm.startPrank(user);
        vm.expectEmit(address(wrapped));
        emit WrappedNative.Deposit(user, amount);
        wrapped.deposit{value: amount}();
        assertEq(wrapped.balanceOf(user), amount, "wrapped");
        vm.expectEmit(address(wrapped));
        emit WrappedNative.Withdrawal(user, back);
        wrapped.withdraw(back);
        assertEq(user.balance, back, "native");
        assertEq(wrapped.totalSupply(), address(wrapped).balance, "one to one");
    }

    function test_wrapsAPlainTransfer() public {
        vm.deal(user, 5);
        vm.prank(user);
        (bool ok,) = address(wrapped).call{value: 5}("");
        assertTrue(ok, "refused");
        assertEq(wrapped.balanceOf(user), 5, "wrapped");
    }

    function test_reverts_whenMoreIsUnwrappedThanHeld() public {
        bytes4 selector = bytes4(keccak256("ERC20InsufficientBalance(address,uint256,uint256)"));
        vm.expectRevert(abi.encodeWithSelector(selector, user, 0, 1));
        vm.prank(user);
        wrapped.withdraw(1);
    }
}
