// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPasskeyAccount} from "../../../src/interfaces/IPasskeyAccount.sol";
import {PasskeyAccount} from "../../../src/accounts/PasskeyAccount.sol";
import {AccountsBase} from "../../AccountsBase.t.sol";

/// @notice With a recovery wallet named, what could lock an owner out is announced first.
contract AnnounceChangeTest is AccountsBase {
    function setUp() public override {
        super.setUp();
        _addPasskey(SECOND_PASSKEY);
    }

    function test_a_signer_is_removed_after_the_delay() public {
        bytes memory change = _removal(PASSKEY);
        uint40 from = uint40(time() + DELAY);
        vm.expectEmit(address(account));
        emit IPasskeyAccount.ChangeAnnounced(keccak256(change), change, from, from + WINDOW);
        _announce(SECOND_PASSKEY, change);
        _selfFails(SECOND_PASSKEY, change, abi.encodeWithSelector(IPasskeyAccount.DelayNotPassed.selector, from));
        skip(DELAY);
        _self(SECOND_PASSKEY, change);
        assertTrue(!account.isSigner(_passkey(PASSKEY)), "removed");
        (bytes32 id,,) = account.announcedChange();
        assertEq(id, 0, "used up");
    }

    function test_the_wallet_is_changed_after_the_old_delay() public {
        bytes memory change = abi.encodeCall(IPasskeyAccount.setRecovery, (stranger, 1 days));
        _announce(PASSKEY, change);
        skip(DELAY - 1);
        _selfFails(PASSKEY, change, abi.encodeWithSelector(IPasskeyAccount.DelayNotPassed.selector, time() + 1));
        skip(1);
        vm.expectEmit(address(account));
        emit IPasskeyAccount.RecoverySet(stranger, 1 days);
        _self(PASSKEY, change);
        (address wallet, uint32 delay) = account.recovery();
        assertEq(wallet, stranger, "wallet");
        assertEq(delay, 1 days, "delay");
    }

    function test_reverts_whenNothingWasAnnounced() public {
        bytes memory change = _removal(SECOND_PASSKEY);
        _selfFails(PASSKEY, change, _notAnnounced(change));
        change = abi.encodeCall(IPasskeyAccount.setRecovery, (address(0), 0));
        _selfFails(PASSKEY, change, _notAnnounced(change));
    }

    function test_reverts_whenAnotherChangeWasAnnounced() public {
        _announce(PASSKEY, abi.encodeCall(IPasskeyAccount.setRecovery, (stranger, DELAY)));
        skip(DELAY);
        bytes memory change = abi.encodeCall(IPasskeyAccount.setRecovery, (relayer, DELAY));
        _selfFails(PASSKEY, change, _notAnnounced(change));
    }

    function test_reverts_whenItsTimeIsOver() public {
        bytes memory change = _removal(SECOND_PASSKEY);
        _announce(PASSKEY, change);
        skip(DELAY + WINDOW);
        _selfFails(PASSKEY, change, _notAnnounced(change));
    }

    function test_is_made_in_the_last_second_of_its_window() public {
        bytes memory change = _removal(SECOND_PASSKEY);
        _announce(PASSKEY, change);
        skip(DELAY + WINDOW - 1);
        _self(PASSKEY, change);
        assertEq(account.getSignerCount(), 1, "removed");
    }

    function test_reverts_whenItIsMadeTwice() public {
        bytes memory change = abi.encodeCall(IPasskeyAccount.setRecovery, (stranger, DELAY));
        _announce(PASSKEY, change);
        skip(DELAY);
        _self(PASSKEY, change);
        _selfFails(PASSKEY, change, _notAnnounced(change));
    }

    function test_any_signer_cancels() public {
        bytes memory change = _removal(SECOND_PASSKEY);
        _announce(PASSKEY, change);
        skip(DELAY - 1);
        _self(SECOND_PASSKEY, abi.encodeCall(IPasskeyAccount.cancelChange, ()));
        skip(1);
        _selfFails(PASSKEY, change, _notAnnounced(change));
    }

    function test_a_later_announcement_replaces_the_one_before() public {
        bytes memory change = _removal(SECOND_PASSKEY);
        _announce(PASSKEY, change);
        _announce(SECOND_PASSKEY, _removal(PASSKEY));
        skip(DELAY);
        _selfFails(PASSKEY, change, _notAnnounced(change));
        _self(SECOND_PASSKEY, _removal(PASSKEY));
    }

    function test_reverts_whenThereIsNothingToCancel() public {
        bytes memory cancel = abi.encodeCall(IPasskeyAccount.cancelChange, ());
        _selfFails(PASSKEY, cancel, abi.encodeWithSelector(IPasskeyAccount.NotAnnounced.selector, 0));
    }

    function test_reverts_whenTheChangeIsAnotherCall() public {
        bytes memory change = abi.encodeCall(IPasskeyAccount.vetoRecovery, ());
        _selfFails(
            PASSKEY,
            abi.encodeCall(IPasskeyAccount.announceChange, (change)),
            abi.encodeWithSelector(IPasskeyAccount.NotAnnounceable.selector, bytes4(change))
        );
    }

    function test_reverts_whenNoWalletIsNamed() public {
        account = _create(_passkey(PASSKEY), address(0), 0);
        _selfFails(
            PASSKEY,
            abi.encodeCall(IPasskeyAccount.announceChange, (_removal(PASSKEY))),
            abi.encodeWithSelector(IPasskeyAccount.NoRecoveryWallet.selector)
        );
    }

    function test_without_a_wallet_one_is_named_at_once() public {
        account = _create(_passkey(PASSKEY), address(0), 0);
        _self(PASSKEY, abi.encodeCall(IPasskeyAccount.setRecovery, (recoveryWallet, 30 days)));
        (address wallet, uint32 delay) = account.recovery();
        assertEq(wallet, recoveryWallet, "wallet");
        assertEq(delay, 30 days, "delay");
    }

    function test_reverts_whenTheWalletIsTheAccountOrTheDelayOutOfBounds() public {
        account = _create(_passkey(PASSKEY), address(0), 0);
        _selfFails(
            PASSKEY,
            abi.encodeCall(IPasskeyAccount.setRecovery, (address(account), DELAY)),
            abi.encodeWithSelector(IPasskeyAccount.InvalidRecoveryWallet.selector, account)
        );
        _selfFails(
            PASSKEY,
            abi.encodeCall(IPasskeyAccount.setRecovery, (recoveryWallet, 30 days + 1)),
            abi.encodeWithSelector(IPasskeyAccount.InvalidRecoveryDelay.selector, 30 days + 1)
        );
    }

    function _notAnnounced(bytes memory change) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IPasskeyAccount.NotAnnounced.selector, keccak256(change));
    }
}
