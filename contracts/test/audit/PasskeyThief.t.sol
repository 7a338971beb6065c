// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IPasskeyAccount} from "../../src/interfaces/IPasskeyAccount.sol";
import {AccountsBase} from "../AccountsBase.t.sol";

/// @notice What the thief of one passkey can do to an owner who has another one and a recovery wallet, or neither; and
///         what the thief of the recovery wallet can do.
contract PasskeyThiefTest is AccountsBase {
    uint256 private constant STOLEN = PASSKEY;
    uint256 private constant OWNERS = SECOND_PASSKEY;
    uint256 private constant THIEFS = NEW_PASSKEY;

    function test_a_thief_cannot_lock_the_owner_out_before_the_delay() public {
        _addPasskey(OWNERS);
        bytes memory removal = _removal(OWNERS);
        bytes memory takeover = abi.encodeCall(IPasskeyAccount.setRecovery, (stranger, 1 days));
        // all at once: a signer of the thief's, and the owner's ways in closed
        _self(STOLEN, abi.encodeCall(IPasskeyAccount.addSigners, (_one(_passkey(THIEFS)))));
        _selfFails(STOLEN, removal, abi.encodeWithSelector(IPasskeyAccount.NotAnnounced.selector, keccak256(removal)));
        _selfFails(STOLEN, takeover, abi.encodeWithSelector(IPasskeyAccount.NotAnnounced.selector, keccak256(takeover)));
        // the thief announces; the owner notices before the delay has passed
        _announce(STOLEN, removal);
        skip(DELAY - 1);
        _self(OWNERS, abi.encodeCall(IPasskeyAccount.cancelChange, ()));
        skip(1);
        _selfFails(THIEFS, removal, abi.encodeWithSelector(IPasskeyAccount.NotAnnounced.selector, keccak256(removal)));
        _succeed(_signed(_pay(stranger, 1), OWNERS)); // the owner is still in
        (address wallet,) = account.recovery();
        assertEq(wallet, recoveryWallet, "and so is the recovery wallet");
    }

    function test_limit_an_owner_who_does_not_look_for_a_delay_is_locked_out() public {
        _addPasskey(OWNERS);
        _announce(STOLEN, _removal(OWNERS));
        skip(DELAY);
        _self(STOLEN, _removal(OWNERS));
        _refuse(_signed(_pay(stranger, 1), OWNERS), BAD_SIGNATURE);
    }

    function test_limit_a_thief_of_a_passkey_moves_all_funds_at_once() public {
        _addPasskey(OWNERS);
        _succeed(_signed(_pay(stranger, FUNDS), STOLEN));
        assertEq(dollar.balanceOf(stranger), FUNDS, "gone");
    }

    function test_limit_a_thief_vetoes_every_recovery_while_the_stolen_passkey_is_a_signer() public {
        for (uint256 i = 0; i < 3; ++i) {
            _startRecovery(OWNERS);
            skip(DELAY - 1);
            _self(STOLEN, abi.encodeCall(IPasskeyAccount.vetoRecovery, ()));
        }
        assertTrue(!account.isSigner(_passkey(OWNERS)), "the owner is not let in");
    }

    function test_limit_without_a_recovery_wallet_a_thief_locks_the_owner_out_at_once() public {
        account = _create(_passkey(STOLEN), address(0), 0);
        _addPasskey(OWNERS);
        _self(STOLEN, _removal(OWNERS));
        assertTrue(!account.isSigner(_passkey(OWNERS)), "locked out");
    }

    function test_limit_allowances_that_a_thief_gave_outlive_the_recovery() public {
        _succeed(_signed(_call(address(dollar), abi.encodeCall(IERC20.approve, (stranger, FUNDS))), STOLEN));
        _startRecovery(OWNERS);
        skip(DELAY);
        account.finishRecovery(_passkey(OWNERS));
        vm.prank(stranger);
        dollar.transferFrom(address(account), stranger, FUNDS);
        assertEq(dollar.balanceOf(stranger), FUNDS, "revoke them first");
    }

    function test_a_full_account_can_still_be_recovered() public {
        bytes[] memory signers = new bytes[](7);
        for (uint256 i = 0; i < 7; ++i) {
            signers[i] = _passkey(1000 + i);
        }
        _self(STOLEN, abi.encodeCall(IPasskeyAccount.addSigners, (signers)));
        _startRecovery(OWNERS);
        skip(DELAY);
        account.finishRecovery(_passkey(OWNERS));
        assertEq(account.getSignerCount(), 1, "the thief's are gone");
        _refuse(_signed(_pay(stranger, 1), 1000), BAD_SIGNATURE);
    }

    function test_what_a_thief_announced_does_not_outlive_a_recovery() public {
        bytes memory takeover = abi.encodeCall(IPasskeyAccount.setRecovery, (stranger, 1 days));
        _announce(STOLEN, takeover);
        _startRecovery(OWNERS);
        skip(DELAY);
        account.finishRecovery(_passkey(OWNERS));
        _selfFails(OWNERS, takeover, abi.encodeWithSelector(IPasskeyAccount.NotAnnounced.selector, keccak256(takeover)));
    }

    function test_a_thief_of_the_recovery_wallet_is_vetoed_and_replaced() public {
        bytes memory change = abi.encodeCall(IPasskeyAccount.setRecovery, (relayer, DELAY));
        _startRecovery(THIEFS);
        _announce(PASSKEY, change); // the owner notices
        _self(PASSKEY, abi.encodeCall(IPasskeyAccount.vetoRecovery, ()));
        _startRecovery(THIEFS); // once more
        skip(DELAY - 1);
        _self(PASSKEY, abi.encodeCall(IPasskeyAccount.vetoRecovery, ()));
        skip(1);
        _self(PASSKEY, change);
        bytes memory signer = _passkey(THIEFS);
        vm.prank(recoveryWallet);
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.NotRecoveryWallet.selector, recoveryWallet));
        account.startRecovery(signer);
    }

    function test_limit_a_thief_of_the_recovery_wallet_takes_the_account_of_an_owner_who_does_not_look() public {
        _startRecovery(THIEFS);
        skip(DELAY);
        account.finishRecovery(_passkey(THIEFS));
        _succeed(_signed(_pay(stranger, FUNDS), THIEFS));
        assertEq(dollar.balanceOf(stranger), FUNDS, "gone");
    }

    function test_limit_a_page_that_asks_a_passkey_to_sign_in_can_have_it_sign_an_operation() public {
        // The prompt shows no challenge: the server of the page on the passkey's domain chooses what is signed.
        PackedUserOperation memory op = _operation(address(account), _pay(stranger, FUNDS));
        bytes32 challengeOfTheSignIn = ENTRY_POINT.getUserOpHash(op);
        op.signature = _signature(_passkey(PASSKEY), _assertion(PASSKEY, challengeOfTheSignIn));
        _succeed(op);
        assertEq(dollar.balanceOf(stranger), FUNDS, "gone");
    }
}
