// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Execution} from "@openzeppelin/contracts/interfaces/draft-IERC7579.sol";
import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IPasskeyAccount} from "../../src/interfaces/IPasskeyAccount.sol";
import {AccountsBase} from "../AccountsBase.t.sol";

/// @notice What passkey accounts cost, each step as the relayer's separate transaction through the EntryPoint.
/// @dev A batch is what a purchase does first: an allowance and a payment to an address that holds none of the token.
contract AccountsGas is AccountsBase {
    function test_create() public {
        bytes[] memory signers = _one(_passkey(NEW_PASSKEY));
        factory.create(signers, address(0), 0, keccak256("credential"));
        vm.snapshotGasLastCall("accounts", "create_account");
        factory.create(signers, recoveryWallet, DELAY, keccak256("credential"));
        vm.snapshotGasLastCall("accounts", "create_account_with_recovery");
    }

    function test_batches() public {
        bytes[] memory signers = _one(_passkey(NEW_PASSKEY));
        bytes32 salt = keccak256("credential");
        address there = factory.predict(signers, recoveryWallet, DELAY, salt);
        dollar.mint(there, FUNDS);
        dollar.mint(stranger, 1);
        PackedUserOperation memory op = _operation(there, _purchase());
        op.initCode = abi.encodePacked(factory, abi.encodeCall(factory.create, (signers, recoveryWallet, DELAY, salt)));
        _measure(op, NEW_PASSKEY, "first_batch_creates_account");
        _measure(_operation(there, _purchase()), NEW_PASSKEY, "later_batch");
    }

    function test_later_batch_without_precompile() public {
        dollar.mint(stranger, 1);
        _measure(_operation(address(account), _purchase()), PASSKEY, "");
        vm.mockCall(address(0x100), "", "");
        _measure(_operation(address(account), _purchase()), PASSKEY, "later_batch_without_precompile");
    }

    function test_signers() public {
        _measure(abi.encodeCall(IPasskeyAccount.addSigners, (_one(_passkey(SECOND_PASSKEY)))), PASSKEY, "add_signer");
        _measure(abi.encodeCall(IPasskeyAccount.announceChange, (_removal(PASSKEY))), SECOND_PASSKEY, "announce_change");
        skip(DELAY);
        _measure(_removal(PASSKEY), SECOND_PASSKEY, "remove_signer");
    }

    function test_recovery() public {
        _startRecovery(NEW_PASSKEY);
        vm.snapshotGasLastCall("accounts", "start_recovery");
        skip(DELAY);
        account.finishRecovery(_passkey(NEW_PASSKEY));
        vm.snapshotGasLastCall("accounts", "finish_recovery");
    }

    function test_veto() public {
        _startRecovery(NEW_PASSKEY);
        _measure(abi.encodeCall(IPasskeyAccount.vetoRecovery, ()), PASSKEY, "veto_recovery");
    }

    function _purchase() private view returns (Execution[] memory calls) {
        calls = new Execution[](2);
        calls[0] = _call(address(dollar), abi.encodeCall(IERC20.approve, (relayer, 10e6)))[0];
        calls[1] = _pay(stranger, 10e6)[0];
    }

    function _measure(bytes memory data, uint256 passkey, string memory name) private {
        _measure(_operation(address(account), _onItself(data)), passkey, name);
    }

    function _measure(PackedUserOperation memory op, uint256 passkey, string memory name) private {
        _sign(op, passkey);
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = op;
        vm.recordLogs();
        vm.prank(relayer, relayer);
        ENTRY_POINT.handleOps(ops, payable(relayer));
        if (bytes(name).length != 0) vm.snapshotGasLastCall("accounts", name);
        assertTrue(_succeeded(), "the calls succeed");
    }
}
