// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {MultiSignerERC7913} from "@openzeppelin/contracts/utils/cryptography/signers/MultiSignerERC7913.sol";

import {PasskeyAccount} from "../../../src/accounts/PasskeyAccount.sol";
import {IPasskeyAccount} from "../../../src/interfaces/IPasskeyAccount.sol";
import {AccountsBase} from "../../AccountsBase.t.sol";

/// @notice An account has the terms that it was created with; only its factory initializes it, once.
contract InitializeTest is AccountsBase {
    function test_has_its_signers_and_recovery() public view {
        assertEq(account.getSignerCount(), 1, "signers");
        assertTrue(account.isSigner(_passkey(PASSKEY)), "the passkey");
        (address wallet, uint32 delay) = account.recovery();
        assertEq(wallet, recoveryWallet, "recovery wallet");
        assertEq(delay, DELAY, "delay");
        assertEq(account.threshold(), 1, "any signer alone");
        assertEq(account.FACTORY(), address(factory), "factory");
        assertEq(account.PASSKEY_VERIFIER(), address(verifier), "verifier");
    }

    function test_emits_the_whole_key() public {
        bytes memory signer = _passkey(SECOND_PASSKEY);
        address there = factory.predict(_one(signer), address(0), 0, "salt");
        vm.expectEmit(there);
        emit IPasskeyAccount.SignerAdded(signer);
        factory.create(_one(signer), address(0), 0, "salt");
    }

    function test_reverts_whenCallerIsNotTheFactory(address caller) public {
        vm.assume(caller != address(factory));
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.NotFactory.selector, caller));
        account.initialize(_one(_eoa(EOA_KEY)), address(0), 0);
    }

    function test_reverts_whenInitializedAgain() public {
        vm.prank(address(factory));
        vm.expectRevert(IPasskeyAccount.AlreadyHasSigners.selector);
        account.initialize(_one(_eoa(EOA_KEY)), address(0), 0);
    }

    function test_reverts_whenItIsTheImplementation() public {
        IPasskeyAccount implementation = IPasskeyAccount(factory.IMPLEMENTATION());
        vm.prank(address(factory));
        vm.expectRevert(IPasskeyAccount.AlreadyHasSigners.selector);
        implementation.initialize(_one(_eoa(EOA_KEY)), address(0), 0);
        bytes memory signature = _signature(abi.encodePacked(factory), "");
        assertTrue(
            PasskeyAccount(payable(address(implementation))).isValidSignature("", signature) == 0xffffffff, "no signer"
        );
    }

    function test_reverts_whenACopyIsMadeByAnother() public {
        IPasskeyAccount copy = IPasskeyAccount(Clones.clone(factory.IMPLEMENTATION()));
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.NotFactory.selector, address(this)));
        copy.initialize(_one(_eoa(EOA_KEY)), address(0), 0);
    }

    function test_reverts_whenThereIsNoSigner() public {
        vm.expectRevert(
            abi.encodeWithSelector(MultiSignerERC7913.MultiSignerERC7913UnreachableThreshold.selector, 0, 1)
        );
        factory.create(new bytes[](0), address(0), 0, "");
    }

    function test_reverts_whenRecoveryIsOutOfBounds() public {
        bytes[] memory signers = _one(_passkey(PASSKEY));
        uint32[4] memory delays = [uint32(0), 1 days - 1, 30 days + 1, type(uint32).max];
        for (uint256 i = 0; i < delays.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.InvalidRecoveryDelay.selector, delays[i]));
            factory.create(signers, recoveryWallet, delays[i], "");
        }
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.InvalidRecoveryDelay.selector, DELAY));
        factory.create(signers, address(0), DELAY, "");
    }
}
