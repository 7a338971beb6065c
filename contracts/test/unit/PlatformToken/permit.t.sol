// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {AirdropBase} from "../../AirdropBase.t.sol";

contract PlatformTokenPermitTest is AirdropBase {
    uint256 private constant KEY = 0xA11CE;

    function test_a_signature_allows_once(uint256 amount) public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(amount, 0));
        token.permit(vm.addr(KEY), stranger, amount, time(), v, r, s);
        assertEq(token.allowance(vm.addr(KEY), stranger), amount, "allowance");

        address recovered = ecrecover(_digest(amount, 1), v, r, s);
        vm.expectRevert(abi.encodeWithSelector(ERC20Permit.ERC2612InvalidSigner.selector, recovered, vm.addr(KEY)));
        token.permit(vm.addr(KEY), stranger, amount, time(), v, r, s);
    }

    function test_reverts_afterItsDeadline() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(1, 0));
        uint256 deadline = time();
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(ERC20Permit.ERC2612ExpiredSignature.selector, deadline));
        token.permit(vm.addr(KEY), stranger, 1, deadline, v, r, s);
    }

    function _digest(uint256 amount, uint256 nonce) private view returns (bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                vm.addr(KEY),
                stranger,
                amount,
                nonce,
                time()
            )
        );
        return keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), structHash));
    }
}
