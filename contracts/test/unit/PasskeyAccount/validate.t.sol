// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";

import {IEntryPoint} from "../../../src/interfaces/IEntryPoint.sol";
import {PasskeyAccount} from "../../../src/accounts/PasskeyAccount.sol";
import {AccountsBase} from "../../AccountsBase.t.sol";

/// @notice Which operations are valid: the signature is over this operation, account, chain and EntryPoint.
contract ValidateTest is AccountsBase {
    function test_reverts_whenTheOperationIsReplayed() public {
        PackedUserOperation memory op = _signed(_pay(stranger, 1e6), PASSKEY);
        _succeed(op);
        _refuse(op, "AA25 invalid account nonce");
        assertEq(dollar.balanceOf(stranger), 1e6, "paid once");
    }

    function test_reverts_whenCallsWereChanged() public {
        PackedUserOperation memory op = _signed(_pay(stranger, 1e6), PASSKEY);
        op.callData = _execute(_pay(stranger, FUNDS));
        _refuse(op, BAD_SIGNATURE);
    }

    function test_reverts_whenAFieldWasChanged(uint256 which, uint256 bit) public {
        PackedUserOperation memory op = _signed(_pay(stranger, 1e6), PASSKEY);
        bytes32 flipped = bytes32(1 << bound(bit, 0, 19)); // stays below what the relayer can send
        which = bound(which, 0, 3);
        if (which == 0) op.accountGasLimits ^= flipped;
        else if (which == 1) op.accountGasLimits ^= flipped << 128;
        else if (which == 2) op.preVerificationGas ^= uint256(flipped);
        else op.nonce ^= uint256(flipped) << 64; // another key, whose first operation it would be
        _refuse(op, BAD_SIGNATURE);
    }

    function test_reverts_whenGasFeesWereChanged() public {
        vm.deal(address(account), 1 ether);
        PackedUserOperation memory op = _signed(_pay(stranger, 1e6), PASSKEY);
        op.gasFees = bytes32((uint256(1 gwei) << 128) | 1 gwei);
        _refuse(op, BAD_SIGNATURE);
        assertEq(address(account).balance, 1 ether, "the relayer took nothing");
    }

    function test_reverts_whenReplayedOnAnotherChain() public {
        PackedUserOperation memory op = _signed(_pay(stranger, 1e6), PASSKEY);
        vm.chainId(block.chainid + 1);
        _refuse(op, BAD_SIGNATURE);
    }

    function test_reverts_whenReplayedOnAnotherAccountOfTheSameKey() public {
        PasskeyAccount other = _create(_passkey(PASSKEY), address(0), 0);
        dollar.mint(address(other), FUNDS);
        PackedUserOperation memory op = _signed(_pay(stranger, 1e6), PASSKEY);
        op.sender = address(other);
        _refuse(op, BAD_SIGNATURE);
    }

    function test_reverts_whenReplayedOnAnotherEntryPoint() public {
        PackedUserOperation memory op = _signed(_pay(stranger, 1e6), PASSKEY);
        address another = actor("another entry point");
        _placeEntryPoint(another);
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = op;
        vm.prank(relayer, relayer);
        vm.expectRevert(); // the account answers its own EntryPoint only
        IEntryPoint(another).handleOps(ops, payable(relayer));

        // nor does a signature for the other one count at the account's own
        bytes memory proof = _assertion(PASSKEY, IEntryPoint(another).getUserOpHash(op));
        op.signature = _signature(_passkey(PASSKEY), proof);
        _refuse(op, BAD_SIGNATURE);
    }

    function test_reverts_whenTheSignerIsNone() public {
        PackedUserOperation memory op = _operation(address(account), _pay(stranger, 1e6));
        _sign(op, NEW_PASSKEY);
        _refuse(op, BAD_SIGNATURE);
        op.signature = _signature(_passkey(PASSKEY), _assertion(NEW_PASSKEY, ENTRY_POINT.getUserOpHash(op)));
        _refuse(op, BAD_SIGNATURE);
    }

    function test_reverts_whenNoSignerIsNamed() public {
        PackedUserOperation memory op = _operation(address(account), _pay(stranger, 1e6));
        _refuse(op, BAD_SIGNATURE); // empty
        op.signature = abi.encode(new bytes[](0), new bytes[](0));
        _refuse(op, BAD_SIGNATURE);
        op.signature = abi.encode(_one(_passkey(PASSKEY)), new bytes[](0));
        _refuse(op, BAD_SIGNATURE);
    }

    function test_reverts_whenTheSignatureIsAnything(bytes calldata signature) public {
        PackedUserOperation memory op = _operation(address(account), _pay(stranger, 1e6));
        op.signature = signature;
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = op;
        vm.prank(relayer, relayer);
        vm.expectRevert();
        ENTRY_POINT.handleOps(ops, payable(relayer));
    }

    function test_reverts_whenChallengeIsAnother() public {
        PackedUserOperation memory op = _operation(address(account), _pay(stranger, 1e6));
        op.signature = _signature(_passkey(PASSKEY), _assertion(PASSKEY, keccak256("sign in")));
        _refuse(op, BAD_SIGNATURE);
    }

    function test_reverts_whenTheUserWasNotVerifiedOrPresent() public {
        PackedUserOperation memory op = _operation(address(account), _pay(stranger, 1e6));
        bytes32 hash = ENTRY_POINT.getUserOpHash(op);
        op.signature = _signature(_passkey(PASSKEY), _assertion(PASSKEY, hash, 0x01));
        _refuse(op, BAD_SIGNATURE);
        op.signature = _signature(_passkey(PASSKEY), _assertion(PASSKEY, hash, 0x04));
        _refuse(op, BAD_SIGNATURE);
        op.signature = _signature(_passkey(PASSKEY), _assertion(PASSKEY, hash, FLAGS));
        _succeed(op);
    }

    function test_reverts_whenSIsHigh() public {
        PackedUserOperation memory op = _operation(address(account), _pay(stranger, 1e6));
        bytes memory proof = _assertion(PASSKEY, ENTRY_POINT.getUserOpHash(op));
        bytes32 s;
        assembly {
            s := mload(add(proof, 0x40))
        }
        bytes32 high = bytes32(P256.N - uint256(s));
        assembly {
            mstore(add(proof, 0x40), high)
        }
        op.signature = _signature(_passkey(PASSKEY), proof);
        _refuse(op, BAD_SIGNATURE);
    }

    function test_an_operation_is_valid_on_a_chain_without_the_precompile() public {
        vm.mockCall(address(0x100), "", ""); // as an address without code answers
        _checkOnTheCurve();
    }

    /// forge-config: default.evm_version = "prague"
    /// forge-config: test.evm_version = "prague"
    /// forge-config: ci.evm_version = "prague"
    function test_an_operation_is_valid_on_prague() public {
        _checkOnTheCurve();
    }

    function _checkOnTheCurve() private {
        PackedUserOperation memory op = _signed(_pay(stranger, 1e6), PASSKEY);
        uint256 before = gasleft();
        _succeed(op);
        assertLe(300_000, before - gasleft(), "the curve was computed in Solidity");
        op = _operation(address(account), _pay(stranger, 1e6));
        op.signature = _signature(_passkey(PASSKEY), _assertion(NEW_PASSKEY, ENTRY_POINT.getUserOpHash(op)));
        _refuse(op, BAD_SIGNATURE);
    }
}
