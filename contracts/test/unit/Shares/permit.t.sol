// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {Shares} from "../../../src/assets/Shares.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

contract PermitTest is AssetsBase {
    uint256 private constant KEY = 0xA11CE;

    function test_a_signature_allows(uint128 amount) public {
        _permit(shares, shares, amount);
        assertEq(shares.allowance(vm.addr(KEY), bob), amount, "allowance");
        assertEq(shares.nonces(vm.addr(KEY)), 1, "nonce used");
    }

    /// @dev All clones share a name and a version in their domain; the address keeps them apart.
    function test_reverts_whenSignedForAnotherClone() public {
        (, Shares other) = _register(alice, _registration("other"));
        bytes32 digest = _digest(other, 1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(shares, 1));
        address recovered = ecrecover(digest, v, r, s);
        vm.expectRevert(abi.encodeWithSelector(ERC20Permit.ERC2612InvalidSigner.selector, recovered, vm.addr(KEY)));
        other.permit(vm.addr(KEY), bob, 1, type(uint256).max, v, r, s);
    }

    function _permit(Shares signedFor, Shares used, uint256 amount) private {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(signedFor, amount));
        used.permit(vm.addr(KEY), bob, amount, type(uint256).max, v, r, s);
    }

    function _digest(Shares verifier, uint256 amount) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Usufruct Shares"),
                keccak256("1"),
                block.chainid,
                address(verifier)
            )
        );
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                vm.addr(KEY),
                bob,
                amount,
                uint256(0),
                type(uint256).max
            )
        );
        return keccak256(abi.encodePacked("\x19\x01", domain, structHash));
    }
}
