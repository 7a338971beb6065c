// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    ERC7913WebAuthnVerifier
} from "@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913WebAuthnVerifier.sol";

/// @title PasskeyVerifier
/// @notice OpenZeppelin's ERC-7913 verifier of WebAuthn assertions, deployed under a version of ours.
/// @dev It checks type, challenge, user presence, user verification and the low-s P-256 signature. The origin is not
///      checked: browsers bind a passkey to its domain.
contract PasskeyVerifier is ERC7913WebAuthnVerifier {
    /// @notice Version of the contract.
    string public constant VERSION = "1.0.0";

    /// @dev A passkey signs only after its user was verified (finger, face, PIN), whatever the library's default is.
    function _requireUV() internal pure override returns (bool) {
        return true;
    }
}
