// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPasskeyAccount} from "../../src/interfaces/IPasskeyAccount.sol";
import {PasskeyAccount} from "../../src/accounts/PasskeyAccount.sol";
import {AccountsBase} from "../AccountsBase.t.sol";
import {Base} from "../Base.t.sol";

/// @notice What signers, the recovery wallet and strangers do to an account, in any order, beside a plain model of it: each
///         call must succeed exactly when the model allows it.
/// @dev Signers act by `prank(account)`; that an operation needs a signer's signature is for the unit tests.
contract AccountsHandler is AccountsBase {
    uint256 private constant KEYS = 10;
    uint256 private constant MAX_SIGNERS = 8;

    bool[10] public isModelSigner;
    uint256 public modelCount = 1;
    address public modelWallet;
    uint32 public modelDelay;

    bytes32 private _change; // announced
    uint256 private _changeFrom;
    uint256 private _recovered; // which key, plus 1; 0: no recovery runs
    uint256 private _recoveryFrom;

    constructor() {
        setUp();
        isModelSigner[0] = true;
        (modelWallet, modelDelay) = (recoveryWallet, DELAY);
    }

    function signerOf(uint256 which) public view returns (bytes memory) {
        return _passkey(PASSKEY + which);
    }

    function pass(uint256 duration) external {
        skip(bound(duration, 1, 10 days));
    }

    function addSigner(uint256 which) external {
        which %= KEYS;
        bool expected = !isModelSigner[which] && modelCount < MAX_SIGNERS;
        _bySelf(abi.encodeCall(IPasskeyAccount.addSigners, (_one(signerOf(which)))), expected);
        if (!expected) return;
        isModelSigner[which] = true;
        ++modelCount;
    }

    function removeSigner(uint256 which, bool announce, uint256 wait) external {
        which %= KEYS;
        bytes memory change = _removalOf(which);
        _prepare(change, announce, wait);
        bool expected = isModelSigner[which] && modelCount > 1 && _mayMake(change);
        _bySelf(change, expected);
        if (!expected) return;
        _change = 0;
        isModelSigner[which] = false;
        --modelCount;
    }

    function setRecovery(uint256 which, uint256 delay, bool announce, uint256 wait) external {
        address wallet = which % 4 == 0 ? address(0) : which % 2 == 0 ? recoveryWallet : stranger;
        uint32 chosen = uint32(wallet == address(0) ? 0 : bound(delay, 20 hours, 31 days));
        bytes memory change = abi.encodeCall(IPasskeyAccount.setRecovery, (wallet, chosen));
        _prepare(change, announce, wait);
        bool inBounds = wallet == address(0) || (chosen >= 1 days && chosen <= 30 days);
        bool expected = inBounds && !_isRunning() && _mayMake(change);
        _bySelf(change, expected);
        if (!expected) return;
        _change = 0;
        _recovered = 0;
        (modelWallet, modelDelay) = (wallet, chosen);
    }

    function cancelChange() external {
        _bySelf(abi.encodeCall(IPasskeyAccount.cancelChange, ()), _change != 0);
        _change = 0;
    }

    function startRecovery(uint256 which, uint256 who) external {
        which %= KEYS;
        address caller = who % 3 == 0 ? stranger : who % 3 == 1 ? recoveryWallet : relayer;
        bool expected = caller == modelWallet;
        bytes memory data = abi.encodeCall(IPasskeyAccount.startRecovery, (signerOf(which)));
        _by(caller, data, expected);
        if (!expected) return;
        (_recovered, _recoveryFrom) = (which + 1, time() + modelDelay);
    }

    function vetoRecovery() external {
        _bySelf(abi.encodeCall(IPasskeyAccount.vetoRecovery, ()), _isRunning());
        _recovered = 0;
    }

    function finishRecovery(uint256 which, bool asStarted, uint256 wait) external {
        skip(bound(wait, 0, 5 days));
        which = asStarted && _recovered != 0 ? _recovered - 1 : which % KEYS;
        bool expected = _isRunning() && _recovered == which + 1 && time() >= _recoveryFrom;
        _by(stranger, abi.encodeCall(IPasskeyAccount.finishRecovery, (signerOf(which))), expected);
        if (!expected) return;
        (_recovered, _change) = (0, 0);
        for (uint256 i = 0; i < KEYS; ++i) {
            isModelSigner[i] = i == which;
        }
        modelCount = 1;
    }

    /// @dev Whatever a stranger asks of the account is refused.
    function strangerCalls(uint256 how, uint256 which) external {
        bytes[] memory signers = _one(signerOf(which % KEYS));
        bytes[6] memory attempts = [
            _execute(_pay(stranger, 1)),
            abi.encodeCall(IPasskeyAccount.addSigners, (signers)),
            abi.encodeCall(IPasskeyAccount.removeSigners, (signers)),
            abi.encodeCall(IPasskeyAccount.setRecovery, (stranger, DELAY)),
            abi.encodeCall(IPasskeyAccount.cancelChange, ()),
            abi.encodeCall(IPasskeyAccount.initialize, (signers, stranger, DELAY))
        ];
        _by(stranger, attempts[how % 6], false);
    }

    function theAccount() external view returns (PasskeyAccount) {
        return account;
    }

    function funds() external view returns (uint256) {
        return dollar.balanceOf(address(account));
    }

    /// @dev Announces a change, so that some are ever made; the rest of the time it was not.
    function _prepare(bytes memory change, bool announce, uint256 wait) private {
        if (!announce) return;
        bytes memory data = abi.encodeCall(IPasskeyAccount.announceChange, (change));
        bool expected = modelWallet != address(0);
        _bySelf(data, expected);
        if (!expected) return;
        (_change, _changeFrom) = (keccak256(change), time() + modelDelay);
        skip(bound(wait, 0, uint256(modelDelay) + 20 days));
    }

    function _mayMake(bytes memory change) private view returns (bool) {
        if (modelWallet == address(0)) return true;
        return _change == keccak256(change) && time() >= _changeFrom && time() < _changeFrom + WINDOW;
    }

    function _isRunning() private view returns (bool) {
        return _recovered != 0 && time() < _recoveryFrom + WINDOW;
    }

    function _removalOf(uint256 which) private view returns (bytes memory) {
        return abi.encodeCall(IPasskeyAccount.removeSigners, (_one(signerOf(which))));
    }

    function _bySelf(bytes memory data, bool expected) private {
        _by(address(account), data, expected);
    }

    function _by(address caller, bytes memory data, bool expected) private {
        vm.prank(caller);
        (bool done,) = address(account).call(data);
        assertTrue(done == expected, expected ? "the model allows it" : "the model refuses it");
    }
}

contract AccountsInvariantTest is Base {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    AccountsHandler private handler;

    function setUp() public {
        handler = new AccountsHandler();
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = AccountsHandler.pass.selector;
        selectors[1] = AccountsHandler.addSigner.selector;
        selectors[2] = AccountsHandler.removeSigner.selector;
        selectors[3] = AccountsHandler.setRecovery.selector;
        selectors[4] = AccountsHandler.cancelChange.selector;
        selectors[5] = AccountsHandler.startRecovery.selector;
        selectors[6] = AccountsHandler.vetoRecovery.selector;
        selectors[7] = AccountsHandler.finishRecovery.selector;
        selectors[8] = AccountsHandler.strangerCalls.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Signers are those that the account added or a finished recovery chose: one at least, eight at most.
    function invariant_signersAreTheModels() public view {
        PasskeyAccount account = handler.theAccount();
        uint256 count = handler.modelCount();
        assertEq(account.getSignerCount(), count, "count");
        assertTrue(count >= 1 && count <= account.MAX_SIGNERS(), "bounds");
        for (uint256 i = 0; i < 10; ++i) {
            assertTrue(account.isSigner(handler.signerOf(i)) == handler.isModelSigner(i), "signer");
        }
    }

    /// @dev The recovery wallet changes by the account's own decision, after the delay; it is there while a recovery runs.
    function invariant_recoveryIsTheModels() public view {
        PasskeyAccount account = handler.theAccount();
        (address wallet, uint32 delay) = account.recovery();
        assertEq(wallet, handler.modelWallet(), "wallet");
        assertEq(delay, handler.modelDelay(), "delay");
        (bytes32 running, uint40 from, uint40 until) = account.runningRecovery();
        assertTrue(running == 0 || wallet != address(0), "a recovery has its wallet");
        assertTrue(running == 0 || (until == from + account.FINISH_WINDOW() && until > time()), "window");
    }

    /// @dev No one moved funds: no signer signed a payment.
    function invariant_fundsStay() public view {
        assertEq(handler.funds(), 1_000e6, "funds");
    }
}
