// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

import {PasskeyAccount} from "./PasskeyAccount.sol";
import {IPasskeyAccount} from "../interfaces/IPasskeyAccount.sol";
import {IPasskeyAccountFactory} from "../interfaces/IPasskeyAccountFactory.sol";

/// @title PasskeyAccountFactory
/// @notice See IPasskeyAccountFactory. It has no owner and no state.
contract PasskeyAccountFactory is IPasskeyAccountFactory {
    /// @inheritdoc IPasskeyAccountFactory
    string public constant VERSION = "1.0.0";

    /// @inheritdoc IPasskeyAccountFactory
    address public immutable IMPLEMENTATION;

    /// @param passkeyVerifier The ERC-7913 verifier of passkeys.
    constructor(address passkeyVerifier) {
        IMPLEMENTATION = address(new PasskeyAccount(passkeyVerifier));
    }

    /// @inheritdoc IPasskeyAccountFactory
    function create(bytes[] calldata signers, address recoveryWallet, uint32 recoveryDelay, bytes32 salt)
        external
        returns (address account)
    {
        bytes32 id = _id(signers, recoveryWallet, recoveryDelay, salt);
        account = Clones.predictDeterministicAddress(IMPLEMENTATION, id);
        if (account.code.length != 0) return account;

        account = Clones.cloneDeterministic(IMPLEMENTATION, id);
        emit AccountCreated(account, salt, recoveryWallet, recoveryDelay, signers);
        IPasskeyAccount(account).initialize(signers, recoveryWallet, recoveryDelay);
    }

    /// @inheritdoc IPasskeyAccountFactory
    function predict(bytes[] calldata signers, address recoveryWallet, uint32 recoveryDelay, bytes32 salt)
        external
        view
        returns (address)
    {
        return Clones.predictDeterministicAddress(IMPLEMENTATION, _id(signers, recoveryWallet, recoveryDelay, salt));
    }

    /// @dev The CREATE2 salt: everything that makes an account what it is at first.
    function _id(bytes[] calldata signers, address recoveryWallet, uint32 recoveryDelay, bytes32 salt)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(signers, recoveryWallet, recoveryDelay, salt));
    }
}
