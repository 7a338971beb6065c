// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {ERC7821} from "@openzeppelin/contracts/account/extensions/draft-ERC7821.sol";
import {IEntryPoint} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {ERC721Holder} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Holder.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {ERC7739} from "@openzeppelin/contracts/utils/cryptography/signers/draft-ERC7739.sol";
import {MultiSignerERC7913} from "@openzeppelin/contracts/utils/cryptography/signers/MultiSignerERC7913.sol";

import {IPasskeyAccount} from "../interfaces/IPasskeyAccount.sol";

/// @title PasskeyAccount
/// @notice See IPasskeyAccount for what the account is and how it lives.
/// @dev Do not delegate to it by EIP-7702: only its factory can initialize it.
contract PasskeyAccount is IPasskeyAccount, Account, MultiSignerERC7913, ERC7739, ERC7821, ERC721Holder, ERC1155Holder {
    /// @dev What recovery needs at every change. One slot.
    struct Recovery {
        address wallet; // zero: none
        uint32 delay; // seconds
        uint40 from; // when the running recovery may be finished, Unix seconds, 0: none runs
    }

    /// @inheritdoc IPasskeyAccount
    string public constant VERSION = "1.0.0";
    /// @inheritdoc IPasskeyAccount
    uint256 public constant MAX_SIGNERS = 8;
    /// @inheritdoc IPasskeyAccount
    uint32 public constant MIN_RECOVERY_DELAY = 1 days;
    /// @inheritdoc IPasskeyAccount
    uint32 public constant MAX_RECOVERY_DELAY = 30 days;
    /// @inheritdoc IPasskeyAccount
    uint32 public constant FINISH_WINDOW = 14 days;

    IEntryPoint private constant ENTRY_POINT_0_9 = IEntryPoint(0x433709009B8330FDa32311DF1C2AFA402eD8D009);
    uint256 private constant ADDRESS_LENGTH = 20;
    uint256 private constant PASSKEY_LENGTH = 84;

    /// @inheritdoc IPasskeyAccount
    address public immutable FACTORY;
    /// @inheritdoc IPasskeyAccount
    address public immutable PASSKEY_VERIFIER;

    Recovery private _recovery;
    bytes32 private _recoveryId; // of the recovery that was started last
    bytes32 private _changeId; // of the change that was announced last, 0: none
    uint40 private _changeFrom; // when it may be made, Unix seconds

    modifier onlySelf() {
        require(msg.sender == address(this), AccountUnauthorized(msg.sender));
        _;
    }

    /// @dev The implementation has one signer, the factory, which answers no ERC-1271: it can neither act nor be
    ///      initialized.
    /// @param passkeyVerifier The ERC-7913 verifier of passkeys.
    constructor(address passkeyVerifier)
        MultiSignerERC7913(_list(abi.encodePacked(msg.sender)), 1)
        EIP712("Usufruct Account", "1")
    {
        FACTORY = msg.sender;
        PASSKEY_VERIFIER = passkeyVerifier;
    }

    // -- the factory ---------------------------------------------------------------------------------------------------

    /// @inheritdoc IPasskeyAccount
    function initialize(bytes[] calldata signers, address recoveryWallet, uint32 recoveryDelay) external {
        require(msg.sender == FACTORY, NotFactory(msg.sender));
        require(getSignerCount() == 0, AlreadyHasSigners());
        _join(signers);
        _validateReachableThreshold();
        if (recoveryWallet != address(0) || recoveryDelay != 0) _setRecovery(recoveryWallet, recoveryDelay);
    }

    // -- the account itself --------------------------------------------------------------------------------------------

    /// @inheritdoc IPasskeyAccount
    function addSigners(bytes[] calldata signers) external onlySelf {
        _join(signers);
    }

    /// @inheritdoc IPasskeyAccount
    function removeSigners(bytes[] calldata signers) external onlySelf {
        _useAnnouncement();
        _removeSigners(signers);
    }

    /// @inheritdoc IPasskeyAccount
    function setRecovery(address wallet, uint32 delay) external onlySelf {
        (bytes32 running,, uint40 until) = runningRecovery();
        require(running == 0, RecoveryRunning(until));
        _useAnnouncement();
        _setRecovery(wallet, delay);
    }

    /// @inheritdoc IPasskeyAccount
    function announceChange(bytes calldata change) external onlySelf {
        bytes4 selector = bytes4(change);
        require(
            selector == IPasskeyAccount.removeSigners.selector || selector == IPasskeyAccount.setRecovery.selector,
            NotAnnounceable(selector)
        );
        require(_recovery.wallet != address(0), NoRecoveryWallet());
        bytes32 id = keccak256(change);
        uint40 from = uint40(block.timestamp) + _recovery.delay;
        (_changeId, _changeFrom) = (id, from);
        emit ChangeAnnounced(id, change, from, from + FINISH_WINDOW);
    }

    /// @inheritdoc IPasskeyAccount
    function cancelChange() external onlySelf {
        bytes32 id = _changeId;
        require(id != 0, NotAnnounced(id));
        _dropAnnouncement();
        emit ChangeCancelled(id);
    }

    /// @inheritdoc IPasskeyAccount
    function vetoRecovery() external onlySelf {
        (bytes32 id,,) = runningRecovery();
        require(id != 0, NoSuchRecovery(id));
        _endRecovery();
        emit RecoveryVetoed(id);
    }

    // -- the recovery wallet, and anyone -------------------------------------------------------------------------------

    /// @inheritdoc IPasskeyAccount
    function startRecovery(bytes calldata newSigner) external {
        address wallet = _recovery.wallet;
        require(wallet != address(0), NoRecoveryWallet());
        require(msg.sender == wallet, NotRecoveryWallet(msg.sender));
        _checkSigner(newSigner);
        bytes32 id = keccak256(newSigner);
        uint40 from = uint40(block.timestamp) + _recovery.delay;
        _recovery.from = from;
        _recoveryId = id;
        emit RecoveryStarted(id, newSigner, from, from + FINISH_WINDOW);
    }

    /// @inheritdoc IPasskeyAccount
    function finishRecovery(bytes calldata newSigner) external {
        bytes32 id = keccak256(newSigner);
        (bytes32 running, uint40 from,) = runningRecovery();
        require(id == running, NoSuchRecovery(id));
        require(block.timestamp >= from, DelayNotPassed(from));

        _endRecovery();
        _dropAnnouncement();
        if (!isSigner(newSigner)) _addSigners(_list(newSigner));
        _removeSigners(_othersThan(id));
        emit RecoveryFinished(id);
    }

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @inheritdoc IPasskeyAccount
    function recovery() external view returns (address wallet, uint32 delay) {
        return (_recovery.wallet, _recovery.delay);
    }

    /// @inheritdoc IPasskeyAccount
    function runningRecovery() public view returns (bytes32 id, uint40 from, uint40 until) {
        from = _recovery.from;
        if (from == 0 || block.timestamp >= from + FINISH_WINDOW) return (0, 0, 0);
        return (_recoveryId, from, from + FINISH_WINDOW);
    }

    /// @inheritdoc IPasskeyAccount
    function announcedChange() public view returns (bytes32 id, uint40 from, uint40 until) {
        from = _changeFrom;
        if (block.timestamp >= from + FINISH_WINDOW) return (0, 0, 0);
        return (_changeId, from, from + FINISH_WINDOW);
    }

    /// @notice EntryPoint 0.9, in bytecode: no other contract can make the account act.
    function entryPoint() public pure override returns (IEntryPoint) {
        return ENTRY_POINT_0_9;
    }

    /// @notice How many signers must sign: one.
    function threshold() public pure override returns (uint64) {
        return 1;
    }

    // -- inside --------------------------------------------------------------------------------------------------------

    /// @dev Batches come from the EntryPoint, after a signer's signature, or from a batch.
    function _erc7821AuthorizedExecutor(address caller, bytes32 mode, bytes calldata executionData)
        internal
        view
        override
        returns (bool)
    {
        return caller == address(ENTRY_POINT_0_9) || super._erc7821AuthorizedExecutor(caller, mode, executionData);
    }

    /// @dev Checks each signer's form, and emits its whole key beside OpenZeppelin's event, which has its hash.
    function _addSigners(bytes[] memory signers) internal override {
        for (uint256 i = 0; i < signers.length; ++i) {
            _checkSigner(signers[i]);
            emit SignerAdded(signers[i]);
        }
        super._addSigners(signers);
    }

    /// @dev Bounded, so that a thief's signers cannot make a recovery too expensive to finish.
    function _join(bytes[] memory signers) private {
        _addSigners(signers);
        uint256 count = getSignerCount();
        require(count <= MAX_SIGNERS, TooManySigners(count, MAX_SIGNERS));
    }

    function _setRecovery(address wallet, uint32 delay) private {
        require(wallet != address(this), InvalidRecoveryWallet(wallet));
        require(
            wallet == address(0) ? delay == 0 : MIN_RECOVERY_DELAY <= delay && delay <= MAX_RECOVERY_DELAY,
            InvalidRecoveryDelay(delay)
        );
        _recovery = Recovery({wallet: wallet, delay: delay, from: 0});
        emit RecoverySet(wallet, delay);
    }

    /// @dev With a recovery wallet named, this very call must have been announced, and its delay have passed.
    function _useAnnouncement() private {
        if (_recovery.wallet == address(0)) return;
        (bytes32 id, uint40 from,) = announcedChange();
        require(id == keccak256(msg.data), NotAnnounced(keccak256(msg.data)));
        require(block.timestamp >= from, DelayNotPassed(from));
        _dropAnnouncement();
    }

    function _dropAnnouncement() private {
        (_changeId, _changeFrom) = (0, 0);
    }

    function _endRecovery() private {
        _recovery.from = 0;
        _recoveryId = 0;
    }

    /// @dev The signers but one, by its hash.
    function _othersThan(bytes32 id) private view returns (bytes[] memory others) {
        bytes[] memory signers = getSigners(0, type(uint64).max);
        others = new bytes[](signers.length - 1);
        uint256 count = 0;
        for (uint256 i = 0; i < signers.length; ++i) {
            if (keccak256(signers[i]) != id) others[count++] = signers[i];
        }
    }

    /// @dev A verifier of another kind could answer yes to everything: the identity precompile does.
    function _checkSigner(bytes memory signer) private view {
        address place = address(bytes20(signer));
        bool valid = signer.length == ADDRESS_LENGTH
            ? place != address(0) && place != address(this) && place != PASSKEY_VERIFIER
            : signer.length == PASSKEY_LENGTH && place == PASSKEY_VERIFIER && _isOnCurve(signer);
        require(valid, InvalidSigner(signer));
    }

    function _isOnCurve(bytes memory passkey) private pure returns (bool) {
        bytes32 x;
        bytes32 y;
        assembly ("memory-safe") {
            x := mload(add(passkey, 0x34)) // 32 bytes of length, 20 of the verifier
            y := mload(add(passkey, 0x54))
        }
        return P256.isValidPublicKey(x, y);
    }

    function _list(bytes memory signer) private pure returns (bytes[] memory list) {
        list = new bytes[](1);
        list[0] = signer;
    }
}
