// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";

import {IPasskeyAccountFactory} from "../../../src/interfaces/IPasskeyAccountFactory.sol";
import {PasskeyAccount} from "../../../src/accounts/PasskeyAccount.sol";
import {AccountsBase} from "../../AccountsBase.t.sol";

/// @notice Creation: the address commits to the account's terms.
contract CreateTest is AccountsBase {
    function test_emits_the_keys_and_the_salt() public {
        bytes[] memory signers = _one(_passkey(NEW_PASSKEY));
        bytes32 salt = keccak256("credential id");
        address there = factory.predict(signers, recoveryWallet, DELAY, salt);
        vm.expectEmit(address(factory));
        emit IPasskeyAccountFactory.AccountCreated(there, salt, recoveryWallet, DELAY, signers);
        assertEq(factory.create(signers, recoveryWallet, DELAY, salt), there, "address");
    }

    function test_every_term_makes_another_address(uint256 key, address wallet, uint32 delay, bytes32 salt)
        public
        view
    {
        bytes[] memory signers = _one(_passkey(bound(key, 1, type(uint128).max)));
        address there = factory.predict(signers, wallet, delay, salt);
        assertTrue(there != factory.predict(_one(_eoa(EOA_KEY)), wallet, delay, salt), "signers");
        assertTrue(there != factory.predict(signers, address(~uint160(wallet)), delay, salt), "wallet");
        assertTrue(there != factory.predict(signers, wallet, ~delay, salt), "delay");
        assertTrue(there != factory.predict(signers, wallet, delay, ~salt), "salt");
    }

    function test_creating_again_changes_nothing() public {
        _addPasskey(SECOND_PASSKEY);
        assertEq(address(_create(_passkey(PASSKEY), recoveryWallet, DELAY)), address(account), "same account");
        assertEq(account.getSignerCount(), 2, "its signers stay");
    }

    function test_a_creation_in_front_of_the_owners_makes_the_owners_account() public {
        bytes[] memory signers = _one(_passkey(NEW_PASSKEY));
        address there = factory.predict(signers, recoveryWallet, DELAY, "salt");
        dollar.mint(there, 10e6);
        PackedUserOperation memory op = _operation(there, _pay(stranger, 10e6));
        bytes memory creation = abi.encodeCall(factory.create, (signers, recoveryWallet, DELAY, "salt"));
        op.initCode = abi.encodePacked(factory, creation);
        _sign(op, NEW_PASSKEY);

        vm.prank(stranger);
        factory.create(signers, recoveryWallet, DELAY, "salt");
        assertEq(PasskeyAccount(payable(there)).getSignerCount(), 1, "one signer");
        assertTrue(PasskeyAccount(payable(there)).isSigner(_passkey(NEW_PASSKEY)), "the owner's");
        _succeed(op); // the owner's operation, made before, is still good
        assertEq(dollar.balanceOf(stranger), 10e6, "as the owner wished");
    }

    function test_has_no_way_into_an_account() public {
        vm.prank(address(factory));
        vm.expectRevert();
        account.execute(BATCH_MODE, abi.encode(_pay(stranger, 1)));
        vm.prank(address(factory));
        vm.expectRevert();
        account.addSigners(_one(_eoa(EOA_KEY)));
    }
}
