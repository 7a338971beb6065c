// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Execution} from "@openzeppelin/contracts/interfaces/draft-IERC7579.sol";
import {IERC7821} from "@openzeppelin/contracts/interfaces/draft-IERC7821.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";

import {PasskeyAccount} from "../src/accounts/PasskeyAccount.sol";
import {PasskeyAccountFactory} from "../src/accounts/PasskeyAccountFactory.sol";
import {PasskeyVerifier} from "../src/accounts/PasskeyVerifier.sol";
import {TestDollar} from "../src/devnet/TestDollar.sol";
import {IEntryPoint} from "../src/interfaces/IEntryPoint.sol";
import {IPasskeyAccount} from "../src/interfaces/IPasskeyAccount.sol";
import {IPasskeyAccountFactory} from "../src/interfaces/IPasskeyAccountFactory.sol";
import {Base, Vm} from "./Base.t.sol";

/// @notice The EntryPoint at its address, a factory, an account of one passkey with 1,000 dollars, and the hand of every
///         party: WebAuthn assertions, user operations, a relayer.
/// @dev The EntryPoint is the code that npm has of 0.9 (a release candidate), constructed at the address of 0.9.
abstract contract AccountsBase is Base {
    address internal constant ENTRY_POINT_ADDRESS = 0x433709009B8330FDa32311DF1C2AFA402eD8D009;
    IEntryPoint internal constant ENTRY_POINT = IEntryPoint(ENTRY_POINT_ADDRESS);
    bytes32 internal constant BATCH_MODE = 0x0100000000000000000000000000000000000000000000000000000000000000;
    uint256 internal constant PASSKEY = 0xFACE;
    uint256 internal constant SECOND_PASSKEY = 0xF1A6E2;
    uint256 internal constant NEW_PASSKEY = 0x4E3;
    uint256 internal constant EOA_KEY = 0xA11CE;
    uint32 internal constant DELAY = 3 days;
    uint32 internal constant WINDOW = 14 days;
    uint256 internal constant FUNDS = 1_000e6;
    /// @dev User present, user verified.
    bytes1 internal constant FLAGS = 0x05;
    string internal constant BAD_SIGNATURE = "AA24 signature error";

    PasskeyVerifier internal verifier;
    PasskeyAccountFactory internal factory;
    PasskeyAccount internal account;
    TestDollar internal dollar;
    address internal recoveryWallet;
    address internal relayer;
    address internal stranger;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        _placeEntryPoint(ENTRY_POINT_ADDRESS);
        verifier = PasskeyVerifier(deploy("PasskeyVerifier.sol:PasskeyVerifier", ""));
        factory = PasskeyAccountFactory(
            deploy("PasskeyAccountFactory.sol:PasskeyAccountFactory", abi.encode(address(verifier)))
        );
        dollar = TestDollar(deploy("TestDollar.sol:TestDollar", ""));
        recoveryWallet = actor("recovery wallet");
        relayer = actor("relayer");
        stranger = actor("stranger");
        account = _create(_passkey(PASSKEY), recoveryWallet, DELAY);
        dollar.mint(address(account), FUNDS);
    }

    /// @dev Runs the constructor at `place`, so that its immutables hold that address.
    function _placeEntryPoint(address place) internal {
        string memory path = "../node_modules/@account-abstraction/contracts/artifacts/EntryPoint.json";
        vm.etch(place, vm.parseJsonBytes(vm.readFile(path), ".bytecode"));
        (bool made, bytes memory code) = place.call("");
        assertTrue(made, "EntryPoint constructed");
        vm.etch(place, code);
    }

    // -- signers and accounts ------------------------------------------------------------------------------------------

    function _passkey(uint256 key) internal view returns (bytes memory) {
        (uint256 x, uint256 y) = vm.publicKeyP256(key);
        return abi.encodePacked(address(verifier), x, y);
    }

    function _eoa(uint256 key) internal pure returns (bytes memory) {
        return abi.encodePacked(vm.addr(key));
    }

    function _one(bytes memory signer) internal pure returns (bytes[] memory list) {
        list = new bytes[](1);
        list[0] = signer;
    }

    function _create(bytes memory signer, address wallet, uint32 delay) internal returns (PasskeyAccount) {
        return PasskeyAccount(payable(factory.create(_one(signer), wallet, delay, "")));
    }

    // -- operations ----------------------------------------------------------------------------------------------------

    function _call(address target, bytes memory data) internal pure returns (Execution[] memory calls) {
        calls = new Execution[](1);
        calls[0] = Execution({target: target, value: 0, callData: data});
    }

    function _pay(address to, uint256 amount) internal view returns (Execution[] memory) {
        return _call(address(dollar), abi.encodeCall(IERC20.transfer, (to, amount)));
    }

    function _onItself(bytes memory data) internal view returns (Execution[] memory) {
        return _call(address(account), data);
    }

    function _execute(Execution[] memory calls) internal pure returns (bytes memory) {
        return abi.encodeCall(IERC7821.execute, (BATCH_MODE, abi.encode(calls)));
    }

    /// @dev An unsigned operation that costs its account nothing: the relayer pays for the gas.
    function _operation(address sender, Execution[] memory calls)
        internal
        view
        returns (PackedUserOperation memory op)
    {
        op.sender = sender;
        op.nonce = ENTRY_POINT.getNonce(sender, 0);
        op.callData = _execute(calls);
        op.accountGasLimits = bytes32((uint256(2_000_000) << 128) | 2_000_000);
    }

    function _signed(Execution[] memory calls, uint256 passkey) internal view returns (PackedUserOperation memory op) {
        op = _operation(address(account), calls);
        _sign(op, passkey);
    }

    function _sign(PackedUserOperation memory op, uint256 passkey) internal view {
        op.signature = _signature(_passkey(passkey), _assertion(passkey, ENTRY_POINT.getUserOpHash(op)));
    }

    /// @dev What the account takes as signature: which signer, and what it signed.
    function _signature(bytes memory signer, bytes memory proof) internal pure returns (bytes memory) {
        return abi.encode(_one(signer), _one(proof));
    }

    function _handle(PackedUserOperation memory op) internal {
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = op;
        vm.prank(relayer, relayer);
        ENTRY_POINT.handleOps(ops, payable(relayer));
    }

    /// @dev The operation is valid, and its calls succeed.
    function _succeed(PackedUserOperation memory op) internal {
        assertTrue(_run(op), "the calls succeed");
    }

    /// @dev The operation is valid, and its calls revert with `reason`.
    function _fail(PackedUserOperation memory op, bytes memory reason) internal {
        vm.expectEmit(ENTRY_POINT_ADDRESS);
        emit IEntryPoint.UserOperationRevertReason(ENTRY_POINT.getUserOpHash(op), op.sender, op.nonce, reason);
        _handle(op);
    }

    /// @dev The EntryPoint does not take the operation.
    function _refuse(PackedUserOperation memory op, string memory reason) internal {
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, reason));
        _handle(op);
    }

    /// @dev Executes an operation; returns whether its calls succeeded.
    function _run(PackedUserOperation memory op) internal returns (bool) {
        vm.recordLogs();
        _handle(op);
        return _succeeded();
    }

    /// @dev What the EntryPoint logged about the calls of the operation since `recordLogs`.
    function _succeeded() internal returns (bool success) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IEntryPoint.UserOperationEvent.selector) {
                (, success,,) = abi.decode(logs[i].data, (uint256, bool, uint256, uint256));
            }
        }
    }

    /// @dev A passkey has the account call itself.
    function _self(uint256 passkey, bytes memory data) internal {
        _succeed(_signed(_onItself(data), passkey));
    }

    /// @dev The same, refused by the account with `reason`.
    function _selfFails(uint256 passkey, bytes memory data, bytes memory reason) internal {
        _fail(_signed(_onItself(data), passkey), reason);
    }

    function _addPasskey(uint256 passkey) internal {
        _self(PASSKEY, abi.encodeCall(IPasskeyAccount.addSigners, (_one(_passkey(passkey)))));
    }

    function _removal(uint256 passkey) internal view returns (bytes memory) {
        return abi.encodeCall(IPasskeyAccount.removeSigners, (_one(_passkey(passkey))));
    }

    function _announce(uint256 by, bytes memory change) internal {
        _self(by, abi.encodeCall(IPasskeyAccount.announceChange, (change)));
    }

    function _startRecovery(uint256 passkey) internal {
        vm.prank(recoveryWallet);
        account.startRecovery(_passkey(passkey));
    }

    // -- WebAuthn ------------------------------------------------------------------------------------------------------

    /// @dev What an authenticator returns for a challenge, as the verifier takes it.
    function _assertion(uint256 passkey, bytes32 challenge) internal pure returns (bytes memory) {
        return _assertion(passkey, challenge, FLAGS);
    }

    function _assertion(uint256 passkey, bytes32 challenge, bytes1 flags) internal pure returns (bytes memory) {
        return _assertion(passkey, challenge, flags, "webauthn.get", "https://example.org");
    }

    function _assertion(uint256 passkey, bytes32 challenge, bytes1 flags, string memory kind, string memory origin)
        internal
        pure
        returns (bytes memory)
    {
        bytes memory data = abi.encodePacked(sha256("example.org"), flags, uint32(0));
        string memory json = string.concat(
            '{"type":"',
            kind,
            '","challenge":"',
            Base64.encodeURL(abi.encodePacked(challenge)),
            '","origin":"',
            origin,
            '","crossOrigin":false}'
        );
        (bytes32 r, bytes32 s) = vm.signP256(passkey, sha256(abi.encodePacked(data, sha256(bytes(json)))));
        if (uint256(s) > P256.N / 2) s = bytes32(P256.N - uint256(s)); // as the client must: authenticators do not
        return abi.encode(r, s, 11 + bytes(kind).length, 1, data, json);
    }
}
