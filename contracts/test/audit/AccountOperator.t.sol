// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";

import {IEntryPoint} from "../../src/interfaces/IEntryPoint.sol";
import {IPasskeyAccount} from "../../src/interfaces/IPasskeyAccount.sol";
import {AccountsBase} from "../AccountsBase.t.sol";

/// @notice The helpers of an account (operator, relayer, factory, deployer, bundler) have no way into it.
contract AccountOperatorTest is AccountsBase {
    function test_no_helper_moves_funds_or_adds_a_signer(uint256 who, uint256 how, address any) public {
        address[6] memory helpers =
            [relayer, address(factory), address(this), factory.IMPLEMENTATION(), address(verifier), any];
        address helper = helpers[bound(who, 0, 5)];
        vm.assume(helper != ENTRY_POINT_ADDRESS && helper != address(account) && helper != recoveryWallet);
        bytes[] memory signers = _one(_eoa(EOA_KEY));
        bytes[9] memory attempts = [
            _execute(_pay(helper, FUNDS)),
            abi.encodeCall(IPasskeyAccount.addSigners, (signers)),
            _removal(PASSKEY),
            abi.encodeCall(IPasskeyAccount.setRecovery, (helper, DELAY)),
            abi.encodeCall(IPasskeyAccount.startRecovery, (_eoa(EOA_KEY))),
            abi.encodeCall(IPasskeyAccount.finishRecovery, (_eoa(EOA_KEY))),
            abi.encodeCall(IPasskeyAccount.initialize, (signers, helper, DELAY)),
            abi.encodeCall(IPasskeyAccount.announceChange, (_removal(PASSKEY))),
            abi.encodeCall(IPasskeyAccount.vetoRecovery, ())
        ];
        vm.prank(helper);
        (bool done,) = address(account).call(attempts[bound(how, 0, 8)]);
        assertTrue(!done, "refused");
        assertEq(dollar.balanceOf(address(account)), FUNDS, "funds");
        assertEq(account.getSignerCount(), 1, "signers");
    }

    function test_a_relayer_can_only_send_or_not_send_what_was_signed() public {
        vm.deal(address(account), 1 ether);
        PackedUserOperation memory op = _signed(_pay(stranger, 1e6), PASSKEY);
        _succeed(op);
        assertEq(address(account).balance, 1 ether, "no fee was signed, none is taken");
        assertEq(dollar.balanceOf(stranger), 1e6, "what was signed");
    }

    function test_an_owner_whom_the_relayer_ignores_sends_the_operation_from_any_address() public {
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = _signed(_pay(stranger, 1e6), PASSKEY);
        vm.prank(stranger, stranger);
        ENTRY_POINT.handleOps(ops, payable(stranger));
        assertEq(dollar.balanceOf(stranger), 1e6, "paid");
    }

    function test_a_sequence_of_its_own_is_not_held_up_by_other_operations() public {
        PackedUserOperation memory op = _operation(address(account), _pay(stranger, 1e6));
        op.nonce = uint256(uint192(uint256(keccak256("drawn by the wallet")))) << 64;
        _sign(op, PASSKEY);
        _succeed(_signed(_pay(stranger, 1), PASSKEY));
        _succeed(op);
        assertEq(ENTRY_POINT.getNonce(address(account), 0), 1, "its own nonce");
    }

    function test_an_operation_with_too_little_gas_is_not_executed_in_part() public {
        PackedUserOperation memory op = _signed(_pay(stranger, 1e6), PASSKEY);
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = op;
        vm.prank(relayer, relayer);
        vm.expectRevert();
        ENTRY_POINT.handleOps{gas: 1_000_000}(ops, payable(relayer)); // 2,000,000 were signed for the calls
        _succeed(op); // and its nonce is still good
    }

    function test_a_fake_entry_point_is_refused() public {
        PackedUserOperation memory op = _signed(_pay(stranger, 1e6), PASSKEY);
        address fake = actor("fake entry point");
        vm.prank(fake);
        (bool done,) = address(account).call(op.callData);
        assertTrue(!done, "refused");
        assertTrue(fake != address(IEntryPoint(ENTRY_POINT)), "another");
    }
}
