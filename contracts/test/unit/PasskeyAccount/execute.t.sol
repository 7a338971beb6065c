// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {ERC7821} from "@openzeppelin/contracts/account/extensions/draft-ERC7821.sol";
import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Execution} from "@openzeppelin/contracts/interfaces/draft-IERC7579.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IPasskeyAccount} from "../../../src/interfaces/IPasskeyAccount.sol";
import {AccountsBase} from "../../AccountsBase.t.sol";

/// @notice Batches: only a signer's operation makes the account call.
contract ExecuteTest is AccountsBase {
    function test_a_passkey_pays_without_native_coin() public {
        _succeed(_signed(_pay(stranger, 10e6), PASSKEY));
        assertEq(dollar.balanceOf(stranger), 10e6, "paid");
        assertEq(address(account).balance, 0, "the relayer paid for the gas");
        assertEq(ENTRY_POINT.getNonce(address(account), 0), 1, "nonce");
    }

    function test_a_batch_is_all_or_nothing() public {
        Execution[] memory calls = new Execution[](2);
        calls[0] = _pay(stranger, 10e6)[0];
        calls[1] = _pay(stranger, FUNDS)[0];
        bytes memory reason = abi.encodeWithSelector(
            IERC20Errors.ERC20InsufficientBalance.selector, address(account), FUNDS - 10e6, FUNDS
        );
        _fail(_signed(calls, PASSKEY), reason);
        assertEq(dollar.balanceOf(stranger), 0, "nothing was paid");
    }

    function test_an_address_acts_alone_too() public {
        _self(PASSKEY, abi.encodeCall(IPasskeyAccount.addSigners, (_one(_eoa(EOA_KEY)))));
        PackedUserOperation memory op = _operation(address(account), _pay(stranger, 10e6));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(EOA_KEY, ENTRY_POINT.getUserOpHash(op));
        op.signature = _signature(_eoa(EOA_KEY), abi.encodePacked(r, s, v));
        _succeed(op);
        assertEq(dollar.balanceOf(stranger), 10e6, "paid");
    }

    function test_an_operation_creates_its_account() public {
        bytes[] memory signers = _one(_passkey(SECOND_PASSKEY));
        address there = factory.predict(signers, address(0), 0, "salt");
        dollar.mint(there, 10e6);
        PackedUserOperation memory op = _operation(there, _pay(stranger, 10e6));
        op.initCode = abi.encodePacked(factory, abi.encodeCall(factory.create, (signers, address(0), 0, "salt")));
        _sign(op, SECOND_PASSKEY);
        _succeed(op);
        assertEq(dollar.balanceOf(stranger), 10e6, "paid");
    }

    function test_the_account_pays_for_gas_what_was_signed() public {
        vm.deal(address(account), 1 ether);
        PackedUserOperation memory op = _operation(address(account), _pay(stranger, 10e6));
        op.gasFees = bytes32((uint256(1 gwei) << 128) | 1 gwei);
        _sign(op, PASSKEY);
        _succeed(op);
        assertLe(1 ether - 0.004 ether, address(account).balance, "at most gas limits times the fee");
        assertLe(1, relayer.balance, "the relayer was paid");
    }

    function test_receives_tokens_of_all_kinds() public {
        assertTrue(account.onERC721Received(stranger, stranger, 1, "") == account.onERC721Received.selector, "721");
        assertTrue(
            account.onERC1155Received(stranger, stranger, 1, 1, "") == account.onERC1155Received.selector, "1155"
        );
    }

    function test_the_entry_point_is_version_0_9() public view {
        assertEq(address(account.entryPoint()), ENTRY_POINT_ADDRESS, "entryPoint");
    }

    function test_reverts_whenCallerIsNeitherEntryPointNorItself(address caller) public {
        vm.assume(caller != ENTRY_POINT_ADDRESS && caller != address(account));
        bytes memory refusal = abi.encodeWithSelector(Account.AccountUnauthorized.selector, caller);
        vm.prank(caller);
        vm.expectRevert(refusal);
        account.execute(BATCH_MODE, abi.encode(_pay(caller, 1)));
    }

    function test_reverts_whenValidationIsAskedByAnother(address caller) public {
        vm.assume(caller != ENTRY_POINT_ADDRESS);
        PackedUserOperation memory op = _signed(_pay(caller, 1), PASSKEY);
        bytes32 hash = ENTRY_POINT.getUserOpHash(op);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, caller));
        account.validateUserOp(op, hash, 0);
    }

    function test_reverts_whenModeIsAnother() public {
        bytes32 single = 0;
        vm.prank(ENTRY_POINT_ADDRESS);
        vm.expectRevert(ERC7821.UnsupportedExecutionMode.selector);
        account.execute(single, abi.encode(_pay(stranger, 1)));
        assertTrue(account.supportsExecutionMode(BATCH_MODE) && !account.supportsExecutionMode(single), "modes");
    }

    function test_reverts_whenTheEntryPointCallsASettingDirectly() public {
        bytes[] memory signers = _one(_passkey(SECOND_PASSKEY));
        PackedUserOperation memory op = _operation(address(account), new Execution[](0));
        op.callData = abi.encodeCall(IPasskeyAccount.addSigners, (signers));
        _sign(op, PASSKEY);
        _fail(op, abi.encodeWithSelector(Account.AccountUnauthorized.selector, ENTRY_POINT_ADDRESS));
    }
}
