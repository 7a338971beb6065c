// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {IERC3009Bytes} from "../../../src/interfaces/IERC3009Bytes.sol";
import {PasskeyAccount} from "../../../src/accounts/PasskeyAccount.sol";
import {IPasskeyAccount} from "../../../src/interfaces/IPasskeyAccount.sol";
import {AccountsBase} from "../../AccountsBase.t.sol";

/// @notice ERC-1271 with ERC-7739: a signature names the account, so that none counts on another account of the same key.
contract IsValidSignatureTest is AccountsBase {
    string private constant PAYMENT =
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)";

    function test_signs_in_by_a_personal_message() public {
        bytes32 hash = keccak256("\x19Ethereum Signed Message:\n7sign in");
        bytes memory signature = _signature(_passkey(PASSKEY), _assertion(PASSKEY, _personal(account, hash)));
        _assertValid(account, hash, signature, true);
        _assertValid(account, keccak256("another"), signature, false);
        PasskeyAccount other = _create(_passkey(PASSKEY), address(0), 0);
        _assertValid(other, hash, signature, false);
        vm.chainId(block.chainid + 1);
        _assertValid(account, hash, signature, false);
    }

    function test_pays_by_typed_data_of_a_dollar() public {
        bytes32 nonce = keccak256("nonce");
        bytes memory signature = _payment(account, stranger, 10e6, nonce);
        IERC3009Bytes(address(dollar))
            .transferWithAuthorization(address(account), stranger, 10e6, 0, type(uint256).max, nonce, signature);
        assertEq(dollar.balanceOf(stranger), 10e6, "paid");
    }

    function test_a_payment_signed_for_one_account_is_none_of_another() public {
        PasskeyAccount other = _create(_passkey(PASSKEY), address(0), 0);
        bytes32 contents = _contents(address(other), stranger, 10e6, "");
        bytes32 hash = _typed(_dollarDomain(), contents);
        // the same contents, wrapped for `account`
        bytes memory signature = _nested(account, contents, PAYMENT);
        _assertValid(account, hash, signature, true);
        _assertValid(other, hash, signature, false);
    }

    function test_a_bare_hash_is_refused(bytes32 hash) public view {
        bytes memory signature = _signature(_passkey(PASSKEY), _assertion(PASSKEY, hash));
        _assertValid(account, hash, signature, false);
    }

    function test_an_operations_signature_is_none_of_a_message() public view {
        bytes32 hash = ENTRY_POINT.getUserOpHash(_operation(address(account), _pay(stranger, 1)));
        _assertValid(account, hash, _signature(_passkey(PASSKEY), _assertion(PASSKEY, hash)), false);
    }

    function test_a_removed_signer_is_refused() public {
        account = _create(_passkey(PASSKEY), address(0), 0);
        bytes32 hash = keccak256("sign in");
        bytes memory signature = _signature(_passkey(PASSKEY), _assertion(PASSKEY, _personal(account, hash)));
        _addPasskey(SECOND_PASSKEY);
        _assertValid(account, hash, signature, true);
        _self(SECOND_PASSKEY, _removal(PASSKEY));
        _assertValid(account, hash, signature, false);
    }

    function test_missing_user_verification_is_refused() public view {
        bytes32 hash = keccak256("sign in");
        bytes memory proof = _assertion(PASSKEY, _personal(account, hash), 0x01);
        _assertValid(account, hash, _signature(_passkey(PASSKEY), proof), false);
    }

    function test_reports_support_of_erc7739() public view {
        bytes32 asked = 0x7739773977397739773977397739773977397739773977397739773977397739;
        assertTrue(account.isValidSignature(asked, "") == 0x77390001, "ERC-7739");
    }

    function _assertValid(PasskeyAccount by, bytes32 hash, bytes memory signature, bool valid) private view {
        bytes4 answer = by.isValidSignature(hash, signature);
        assertTrue(answer == (valid ? IERC1271.isValidSignature.selector : bytes4(0xffffffff)), "answer");
    }

    function _payment(PasskeyAccount from, address to, uint256 amount, bytes32 nonce)
        private
        view
        returns (bytes memory)
    {
        return _nested(from, _contents(address(from), to, amount, nonce), PAYMENT);
    }

    function _contents(address from, address to, uint256 amount, bytes32 nonce) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(bytes(PAYMENT)), from, to, amount, 0, type(uint256).max, nonce));
    }

    /// @dev ERC-7739's signature over typed data of the dollar: its parts behind the signer's own signature.
    function _nested(PasskeyAccount by, bytes32 contents, string memory kind) private view returns (bytes memory) {
        bytes32 typeHash = keccak256(
            abi.encodePacked(
                "TypedDataSign(TransferWithAuthorization contents,string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)",
                kind
            )
        );
        bytes32 wrapped = keccak256(
            abi.encode(
                typeHash,
                contents,
                keccak256("Usufruct Account"),
                keccak256("1"),
                block.chainid,
                address(by),
                bytes32(0)
            )
        );
        bytes memory signature = _signature(_passkey(PASSKEY), _assertion(PASSKEY, _typed(_dollarDomain(), wrapped)));
        return abi.encodePacked(signature, _dollarDomain(), contents, kind, uint16(bytes(kind).length));
    }

    function _personal(PasskeyAccount by, bytes32 hash) private view returns (bytes32) {
        bytes32 wrapped = keccak256(abi.encode(keccak256("PersonalSign(bytes prefixed)"), hash));
        return _typed(_domain("Usufruct Account", address(by)), wrapped);
    }

    function _dollarDomain() private view returns (bytes32) {
        return _domain("Test Dollar", address(dollar));
    }

    function _domain(string memory name, address place) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256("1"),
                block.chainid,
                place
            )
        );
    }

    function _typed(bytes32 domain, bytes32 structHash) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
