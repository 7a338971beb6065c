// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {Execution} from "@openzeppelin/contracts/interfaces/draft-IERC7579.sol";
import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";

import {IPasskeyAccount} from "../../../src/interfaces/IPasskeyAccount.sol";
import {PasskeyAccount} from "../../../src/accounts/PasskeyAccount.sol";
import {AccountsBase} from "../../AccountsBase.t.sol";

/// @notice Recovery: started by one wallet, vetoed by any signer, finished by anyone in a window.
contract RecoveryTest is AccountsBase {
    function test_a_lost_passkey_is_replaced_after_the_delay() public {
        _startRecovery(NEW_PASSKEY);
        skip(DELAY);
        vm.prank(stranger);
        account.finishRecovery(_passkey(NEW_PASSKEY));
        assertEq(account.getSignerCount(), 1, "one signer");
        _succeed(_signed(_pay(stranger, 1e6), NEW_PASSKEY));
        _refuse(_signed(_pay(stranger, 1e6), PASSKEY), BAD_SIGNATURE);
        (address wallet, uint32 delay) = account.recovery();
        assertEq(wallet, recoveryWallet, "the recovery wallet stays");
        assertEq(delay, DELAY, "its delay stays");
    }

    function test_reports_when_it_can_be_finished() public {
        uint40 from = uint40(time() + DELAY);
        bytes memory signer = _passkey(NEW_PASSKEY);
        vm.expectEmit(address(account));
        emit IPasskeyAccount.RecoveryStarted(keccak256(signer), signer, from, from + WINDOW);
        _startRecovery(NEW_PASSKEY);
        _assertRunning(keccak256(signer), from, from + WINDOW);
        skip(DELAY + WINDOW - 1);
        _assertRunning(keccak256(signer), from, from + WINDOW);
        skip(1);
        _assertRunning(0, 0, 0);
    }

    function test_replaces_every_signer() public {
        bytes[] memory signers = new bytes[](7);
        for (uint256 i = 0; i < 7; ++i) {
            signers[i] = _passkey(100 + i);
        }
        _self(PASSKEY, abi.encodeCall(IPasskeyAccount.addSigners, (signers)));
        _startRecovery(NEW_PASSKEY);
        skip(DELAY);
        uint256 before = gasleft();
        account.finishRecovery(_passkey(NEW_PASSKEY));
        assertLe(before - gasleft(), 1_000_000, "a full account fits into any block");
        assertEq(account.getSignerCount(), 1, "one signer");
        assertTrue(account.isSigner(_passkey(NEW_PASSKEY)), "the new one");
    }

    function test_can_choose_one_of_the_signers() public {
        _addPasskey(SECOND_PASSKEY);
        _startRecovery(SECOND_PASSKEY);
        skip(DELAY);
        account.finishRecovery(_passkey(SECOND_PASSKEY));
        assertEq(account.getSignerCount(), 1, "one signer");
        assertTrue(account.isSigner(_passkey(SECOND_PASSKEY)), "the chosen one");
        assertEq(account.getSigners(0, 10).length, 1, "no empty row");
    }

    function test_can_choose_the_only_signer() public {
        _startRecovery(PASSKEY);
        skip(DELAY);
        account.finishRecovery(_passkey(PASSKEY));
        assertTrue(account.isSigner(_passkey(PASSKEY)) && account.getSignerCount() == 1, "it stays");
    }

    function test_any_signer_vetoes() public {
        _addPasskey(SECOND_PASSKEY);
        _startRecovery(NEW_PASSKEY);
        skip(DELAY - 1);
        _self(SECOND_PASSKEY, abi.encodeCall(IPasskeyAccount.vetoRecovery, ()));
        skip(1);
        _assertNone(NEW_PASSKEY);
        _startRecovery(NEW_PASSKEY); // the wallet may try again, with the whole delay
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.DelayNotPassed.selector, time() + DELAY));
        account.finishRecovery(_passkey(NEW_PASSKEY));
    }

    function test_a_veto_counts_until_the_recovery_is_finished() public {
        _startRecovery(NEW_PASSKEY);
        skip(DELAY + 1 days);
        _self(PASSKEY, abi.encodeCall(IPasskeyAccount.vetoRecovery, ()));
        _assertNone(NEW_PASSKEY);
    }

    function test_reverts_whenThereIsNothingToVeto() public {
        bytes memory veto = abi.encodeCall(IPasskeyAccount.vetoRecovery, ());
        _selfFails(PASSKEY, veto, abi.encodeWithSelector(IPasskeyAccount.NoSuchRecovery.selector, 0));
    }

    function test_reverts_whenItIsFinishedOutsideItsWindow(uint256 early, uint256 late) public {
        uint256 start = time();
        _startRecovery(NEW_PASSKEY);
        vm.warp(start + bound(early, 0, DELAY - 1));
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.DelayNotPassed.selector, start + DELAY));
        account.finishRecovery(_passkey(NEW_PASSKEY));
        vm.warp(start + bound(late, DELAY + WINDOW, 1000 days));
        _assertNone(NEW_PASSKEY);
    }

    function test_is_finished_in_its_window(uint256 when, uint256 delay) public {
        delay = bound(delay, 1 days, 30 days);
        account =
            PasskeyAccount(payable(factory.create(_one(_passkey(PASSKEY)), recoveryWallet, uint32(delay), "salt")));
        _startRecovery(NEW_PASSKEY);
        skip(bound(when, delay, delay + WINDOW - 1));
        account.finishRecovery(_passkey(NEW_PASSKEY));
        assertTrue(account.isSigner(_passkey(NEW_PASSKEY)), "finished");
    }

    function test_a_later_start_replaces_the_one_before() public {
        _startRecovery(NEW_PASSKEY);
        skip(DELAY - 1);
        _startRecovery(SECOND_PASSKEY);
        skip(1);
        _assertNone(NEW_PASSKEY);
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.DelayNotPassed.selector, time() + DELAY - 1));
        account.finishRecovery(_passkey(SECOND_PASSKEY));
        skip(DELAY - 1);
        account.finishRecovery(_passkey(SECOND_PASSKEY));
        assertTrue(account.isSigner(_passkey(SECOND_PASSKEY)), "the later one");
    }

    function test_reverts_whenItIsFinishedTwice() public {
        _startRecovery(NEW_PASSKEY);
        skip(DELAY);
        account.finishRecovery(_passkey(NEW_PASSKEY));
        _assertNone(NEW_PASSKEY);
    }

    function test_reverts_whenAnotherStartsIt(address caller) public {
        vm.assume(caller != recoveryWallet);
        bytes memory signer = _passkey(NEW_PASSKEY);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.NotRecoveryWallet.selector, caller));
        account.startRecovery(signer);
    }

    function test_reverts_whenNoWalletIsNamed() public {
        account = _create(_passkey(PASSKEY), address(0), 0);
        bytes memory signer = _passkey(NEW_PASSKEY);
        vm.prank(address(0));
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.NoRecoveryWallet.selector));
        account.startRecovery(signer);
    }

    function test_reverts_whenTheNewSignerCouldNotSign() public {
        bytes memory bad = abi.encodePacked(address(verifier), uint256(1), uint256(2));
        vm.prank(recoveryWallet);
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.InvalidSigner.selector, bad));
        account.startRecovery(bad);
    }

    function test_the_recovery_wallet_can_do_nothing_else() public {
        bytes memory refusal = abi.encodeWithSelector(Account.AccountUnauthorized.selector, recoveryWallet);
        bytes[] memory signers = _one(_passkey(NEW_PASSKEY));
        bytes[] memory attempts = new bytes[](7);
        attempts[0] = _execute(_pay(recoveryWallet, 1));
        attempts[1] = abi.encodeCall(IPasskeyAccount.addSigners, (signers));
        attempts[2] = _removal(PASSKEY);
        attempts[3] = abi.encodeCall(IPasskeyAccount.setRecovery, (stranger, DELAY));
        attempts[4] = abi.encodeCall(IPasskeyAccount.announceChange, (_removal(PASSKEY)));
        attempts[5] = abi.encodeCall(IPasskeyAccount.cancelChange, ());
        attempts[6] = abi.encodeCall(IPasskeyAccount.vetoRecovery, ());
        _startRecovery(NEW_PASSKEY);
        for (uint256 i = 0; i < attempts.length; ++i) {
            vm.prank(recoveryWallet);
            (bool done, bytes memory reason) = address(account).call(attempts[i]);
            assertTrue(!done && keccak256(reason) == keccak256(refusal), "refused");
        }
        PackedUserOperation memory op = _operation(address(account), _pay(recoveryWallet, 1));
        op.signature = _signature(abi.encodePacked(recoveryWallet), "");
        _refuse(op, BAD_SIGNATURE);
    }

    function test_the_wallet_stays_while_a_recovery_runs() public {
        bytes memory change = abi.encodeCall(IPasskeyAccount.setRecovery, (address(0), 0));
        _announce(PASSKEY, change);
        skip(DELAY);
        _startRecovery(NEW_PASSKEY);
        uint40 until = uint40(time() + DELAY + WINDOW);
        _selfFails(PASSKEY, change, abi.encodeWithSelector(IPasskeyAccount.RecoveryRunning.selector, until));

        Execution[] memory calls = new Execution[](2);
        calls[0] = _onItself(abi.encodeCall(IPasskeyAccount.vetoRecovery, ()))[0];
        calls[1] = _onItself(change)[0];
        _succeed(_signed(calls, PASSKEY)); // so a wallet that starts again and again cannot hold its place
        (address wallet,) = account.recovery();
        assertEq(wallet, address(0), "gone");
        _assertNone(NEW_PASSKEY);
    }

    function test_a_recovery_drops_what_was_announced() public {
        _announce(PASSKEY, abi.encodeCall(IPasskeyAccount.setRecovery, (stranger, 1 days)));
        _startRecovery(NEW_PASSKEY);
        skip(DELAY);
        account.finishRecovery(_passkey(NEW_PASSKEY));
        (bytes32 id,,) = account.announcedChange();
        assertEq(id, 0, "dropped");
    }

    function _assertRunning(bytes32 id, uint256 from, uint256 until) private view {
        (bytes32 actualId, uint40 actualFrom, uint40 actualUntil) = account.runningRecovery();
        assertEq(actualId, id, "id");
        assertEq(actualFrom, from, "from");
        assertEq(actualUntil, until, "until");
    }

    function _assertNone(uint256 passkey) private {
        bytes memory signer = _passkey(passkey);
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.NoSuchRecovery.selector, keccak256(signer)));
        account.finishRecovery(signer);
    }
}
