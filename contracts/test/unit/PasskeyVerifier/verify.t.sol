// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccountsBase} from "../../AccountsBase.t.sol";

/// @notice What an assertion must be.
contract VerifyTest is AccountsBase {
    bytes32 private constant CHALLENGE = keccak256("challenge");

    function test_takes_an_assertion_of_the_key(uint256 key, bytes32 challenge) public view {
        key = bound(key, 1, type(uint128).max);
        assertTrue(_verify(key, challenge, _assertion(key, challenge)), "valid");
    }

    function test_refuses_another_challenge_or_key(bytes32 challenge, uint256 key) public view {
        vm.assume(challenge != CHALLENGE);
        key = bound(key, PASSKEY + 1, type(uint128).max);
        bytes memory proof = _assertion(PASSKEY, CHALLENGE);
        assertTrue(!_verify(PASSKEY, challenge, proof), "challenge");
        assertTrue(!_verify(key, CHALLENGE, proof), "key");
    }

    function test_needs_presence_and_verification_of_the_user(uint8 flags) public view {
        bool backedUpOnly = flags & 0x18 == 0x10; // backed up though not eligible: no authenticator reports that
        bool expected = flags & 0x05 == 0x05 && !backedUpOnly;
        assertTrue(_verify(PASSKEY, CHALLENGE, _assertion(PASSKEY, CHALLENGE, bytes1(flags))) == expected, "flags");
    }

    function test_refuses_a_registration() public view {
        bytes memory proof = _assertion(PASSKEY, CHALLENGE, FLAGS, "webauthn.create", "https://example.org");
        assertTrue(!_verify(PASSKEY, CHALLENGE, proof), "type");
    }

    function test_limit_any_origin_is_taken_because_browsers_bind_a_passkey_to_its_domain() public view {
        bytes memory proof = _assertion(PASSKEY, CHALLENGE, FLAGS, "webauthn.get", "https://another.example");
        assertTrue(_verify(PASSKEY, CHALLENGE, proof), "origin");
    }

    function test_refuses_anything_else(bytes calldata proof) public view {
        assertTrue(!_verify(PASSKEY, CHALLENGE, proof), "noise");
    }

    function test_refuses_a_key_of_another_length() public view {
        bytes memory proof = _assertion(PASSKEY, CHALLENGE);
        assertTrue(verifier.verify(hex"00", CHALLENGE, proof) == 0xffffffff, "length");
    }

    function _verify(uint256 key, bytes32 challenge, bytes memory proof) private view returns (bool) {
        (uint256 x, uint256 y) = vm.publicKeyP256(key);
        return verifier.verify(abi.encode(x, y), challenge, proof) == verifier.verify.selector;
    }
}
