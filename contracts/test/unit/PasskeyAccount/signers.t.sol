// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {MultiSignerERC7913} from "@openzeppelin/contracts/utils/cryptography/signers/MultiSignerERC7913.sol";

import {IPasskeyAccount} from "../../../src/interfaces/IPasskeyAccount.sol";
import {AccountsBase} from "../../AccountsBase.t.sol";
import {StubbornSigner} from "../../mocks/StubbornSigner.sol";

/// @notice Signers join at once; they leave at once where no recovery wallet is named.
contract SignersTest is AccountsBase {
    function setUp() public override {
        super.setUp();
        account = _create(_passkey(PASSKEY), address(0), 0);
        dollar.mint(address(account), FUNDS);
    }

    function test_a_second_passkey_acts_and_removes_the_lost_one() public {
        _addPasskey(SECOND_PASSKEY);
        _self(SECOND_PASSKEY, _removal(PASSKEY));
        assertEq(account.getSignerCount(), 1, "signers");
        assertTrue(account.isSigner(_passkey(SECOND_PASSKEY)), "the second");
        _succeed(_signed(_pay(stranger, 1e6), SECOND_PASSKEY));
    }

    function test_a_removed_signer_is_refused() public {
        _addPasskey(SECOND_PASSKEY);
        PackedUserOperation memory before = _operation(address(account), _pay(stranger, 1e6));
        before.nonce = uint256(7) << 64; // a sequence of its own: its nonce stays good
        _sign(before, PASSKEY);
        _self(SECOND_PASSKEY, _removal(PASSKEY));
        _refuse(before, BAD_SIGNATURE);
        _refuse(_signed(_pay(stranger, 1e6), PASSKEY), BAD_SIGNATURE);
    }

    function test_reverts_whenTheLastWouldLeave() public {
        bytes memory none =
            abi.encodeWithSelector(MultiSignerERC7913.MultiSignerERC7913UnreachableThreshold.selector, 0, 1);
        _selfFails(PASSKEY, _removal(PASSKEY), none);
    }

    function test_reverts_whenASignerIsAddedTwiceOrIsNone() public {
        bytes memory signer = _passkey(PASSKEY);
        _selfFails(
            PASSKEY,
            abi.encodeCall(IPasskeyAccount.addSigners, (_one(signer))),
            abi.encodeWithSelector(MultiSignerERC7913.MultiSignerERC7913AlreadyExists.selector, signer)
        );
        _selfFails(
            PASSKEY,
            _removal(NEW_PASSKEY),
            abi.encodeWithSelector(
                MultiSignerERC7913.MultiSignerERC7913NonexistentSigner.selector, _passkey(NEW_PASSKEY)
            )
        );
    }

    function test_reverts_whenThereAreTooMany() public {
        bytes[] memory signers = new bytes[](7);
        for (uint256 i = 0; i < 7; ++i) {
            signers[i] = _passkey(100 + i);
        }
        _self(PASSKEY, abi.encodeCall(IPasskeyAccount.addSigners, (signers)));
        assertEq(account.getSignerCount(), account.MAX_SIGNERS(), "full");
        _selfFails(
            PASSKEY,
            abi.encodeCall(IPasskeyAccount.addSigners, (_one(_passkey(NEW_PASSKEY)))),
            abi.encodeWithSelector(IPasskeyAccount.TooManySigners.selector, 9, 8)
        );
    }

    function test_reverts_whenASignerHasAnotherForm() public {
        bytes memory key = abi.encode(uint256(1), uint256(2));
        bytes[9] memory bad = [
            bytes(""),
            hex"01",
            abi.encodePacked(address(0)),
            abi.encodePacked(address(account)), // would ask itself without end
            abi.encodePacked(address(verifier)), // a passkey whose key was forgotten
            abi.encodePacked(address(4), hex"00"), // the identity precompile answers yes to everything
            abi.encodePacked(address(4), _key(PASSKEY)),
            abi.encodePacked(address(verifier), key), // not on the curve: no passkey could sign for it
            bytes.concat(_passkey(NEW_PASSKEY), hex"00")
        ];
        for (uint256 i = 0; i < bad.length; ++i) {
            _selfFails(
                PASSKEY,
                abi.encodeCall(IPasskeyAccount.addSigners, (_one(bad[i]))),
                abi.encodeWithSelector(IPasskeyAccount.InvalidSigner.selector, bad[i])
            );
        }
    }

    function test_reverts_whenCallerIsNotTheAccount(address caller) public {
        vm.assume(caller != address(account));
        bytes memory refusal = abi.encodeWithSelector(Account.AccountUnauthorized.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(refusal);
        account.addSigners(_one(_eoa(EOA_KEY)));
        vm.expectRevert(refusal);
        account.removeSigners(_one(_passkey(PASSKEY)));
        vm.stopPrank();
    }

    function test_a_signer_that_reverts_or_burns_gas_stops_no_other() public {
        StubbornSigner stubborn = new StubbornSigner();
        bytes memory signer = abi.encodePacked(stubborn);
        _self(PASSKEY, abi.encodeCall(IPasskeyAccount.addSigners, (_one(signer))));
        PackedUserOperation memory op = _operation(address(account), _pay(stranger, 1e6));
        op.signature = _signature(signer, "");
        StubbornSigner.Mood[4] memory moods = [
            StubbornSigner.Mood.Reverts,
            StubbornSigner.Mood.ShortAnswer,
            StubbornSigner.Mood.Refuses,
            StubbornSigner.Mood.LongAnswer
        ];
        for (uint256 i = 0; i < moods.length; ++i) {
            stubborn.set(moods[i]);
            _refuse(op, BAD_SIGNATURE);
        }
        stubborn.set(StubbornSigner.Mood.BurnsGas);
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = op;
        vm.prank(relayer, relayer);
        vm.expectRevert(); // out of the gas that the operation allows for its validation
        ENTRY_POINT.handleOps(ops, payable(relayer));

        _succeed(_signed(_pay(stranger, 1e6), PASSKEY));
        _self(PASSKEY, abi.encodeCall(IPasskeyAccount.removeSigners, (_one(signer))));
        assertEq(account.getSignerCount(), 1, "it is removed like any other");
    }

    function test_signers_are_those_that_were_added_and_not_removed(uint256 seed) public {
        bool[10] memory expected;
        expected[0] = true;
        uint256 count = 1;
        for (uint256 i = 0; i < 12; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 which = seed % 10;
            bool add = !expected[which];
            if (add ? count == 8 : count == 1) continue;
            bytes[] memory signers = _one(_passkey(PASSKEY + which));
            vm.prank(address(account));
            if (add) account.addSigners(signers);
            else account.removeSigners(signers);
            expected[which] = add;
            count = add ? count + 1 : count - 1;
        }
        for (uint256 i = 0; i < 10; ++i) {
            assertTrue(account.isSigner(_passkey(PASSKEY + i)) == expected[i], "signer");
        }
        assertEq(account.getSigners(0, 10).length, count, "listed");
    }

    function _key(uint256 passkey) private pure returns (bytes memory) {
        (uint256 x, uint256 y) = vm.publicKeyP256(passkey);
        return abi.encode(x, y);
    }
}
