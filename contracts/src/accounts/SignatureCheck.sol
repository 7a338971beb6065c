// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title SignatureCheck
/// @notice Tells whether a wallet's contract takes a signature (ERC-1271), also one that is not created yet (ERC-6492).
/// @dev Never deployed: an `eth_call` without a recipient runs the constructor, which returns one word, 1 or 0, in place of
///      the code. No state is kept. ERC-6492's call is made only where the wallet has no code: before the question, a
///      caller could otherwise change a wallet that exists. Of a wallet's answer one word is read. A wallet that burns all
///      its gas leaves a 64th of it, which is enough to answer.
contract SignatureCheck {
    /// @dev The last word of a signature that carries how its wallet is created.
    bytes32 private constant _WRAPPED = 0x6492649264926492649264926492649264926492649264926492649264926492;

    /// @notice Answer whether `wallet` takes `signature` over `hash`.
    /// @param wallet The contract, or where it will be.
    /// @param hash What was signed.
    /// @param signature As the wallet gave it; wrapped, `abi.encode(address factory, bytes call, bytes signature)` and the
    ///        word of ERC-6492.
    constructor(address wallet, bytes32 hash, bytes memory signature) {
        if (_isWrapped(signature)) {
            bytes memory creation;
            address factory;
            (factory, creation, signature) = abi.decode(_withoutLastWord(signature), (address, bytes, bytes));
            if (wallet.code.length == 0) _create(factory, creation);
        }
        bool taken = wallet.code.length != 0 && _isTaken(wallet, hash, signature);
        assembly ("memory-safe") {
            mstore(0, taken)
            return(0, 32)
        }
    }

    function _isWrapped(bytes memory signature) private pure returns (bool wrapped) {
        if (signature.length < 32) return false;
        assembly ("memory-safe") {
            wrapped := eq(mload(add(signature, mload(signature))), _WRAPPED)
        }
    }

    function _withoutLastWord(bytes memory signature) private pure returns (bytes memory) {
        assembly ("memory-safe") {
            mstore(signature, sub(mload(signature), 32))
        }
        return signature;
    }

    /// @dev Whether it worked shows in the wallet's code; what the factory answers is not read.
    function _create(address factory, bytes memory creation) private {
        assembly ("memory-safe") {
            pop(call(gas(), factory, 0, add(creation, 32), mload(creation), 0, 0))
        }
    }

    function _isTaken(address wallet, bytes32 hash, bytes memory signature) private view returns (bool taken) {
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (hash, signature));
        bytes32 yes = bytes32(IERC1271.isValidSignature.selector);
        assembly ("memory-safe") {
            mstore(0, 0)
            let answered := staticcall(gas(), wallet, add(question, 32), mload(question), 0, 32)
            taken := and(and(answered, gt(returndatasize(), 31)), eq(mload(0), yes))
        }
    }
}
