// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";

import {ContractWallet} from "../../mocks/ContractWallet.sol";
import {PaymentsBase} from "../../PaymentsBase.t.sol";

contract TestDollarTransferWithAuthorizationTest is PaymentsBase {
    function test_anyoneMayExecuteIt(uint256 amount, bytes32 nonce) public {
        amount = bound(amount, 0, 1e18);
        bytes memory signature = _signed(payer, amount, nonce);
        vm.expectEmit(address(dollar));
        emit IERC3009.AuthorizationUsed(payer, nonce);
        vm.prank(stranger);
        dollar.transferWithAuthorization(payer, receiver, amount, 0, _deadline(), nonce, signature);
        assertEq(dollar.balanceOf(receiver), amount, "receiver");
        assertTrue(dollar.authorizationState(payer, nonce), "nonce");
    }

    function test_theOtherFormTakesTheSameSignature(bytes32 nonce) public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PAYER_KEY, _digest(payer, 5, nonce));
        dollar.transferWithAuthorization(payer, receiver, 5, 0, _deadline(), nonce, v, r, s);
        assertEq(dollar.balanceOf(receiver), 5, "receiver");
        bytes memory signature = abi.encodePacked(r, s, v);
        vm.expectRevert(abi.encodeWithSelector(ERC3009.ERC3009UsedAuthorization.selector, payer, nonce));
        dollar.transferWithAuthorization(payer, receiver, 5, 0, _deadline(), nonce, signature);
    }

    function test_noncesNeedNoOrder() public {
        for (uint256 i = 5; i > 0; --i) {
            bytes32 nonce = keccak256(abi.encode(i));
            dollar.transferWithAuthorization(payer, receiver, 1, 0, _deadline(), nonce, _signed(payer, 1, nonce));
        }
        assertEq(dollar.balanceOf(receiver), 5, "receiver");
    }

    function test_contractWalletSignsByErc1271() public {
        address wallet = address(new ContractWallet(payer));
        dollar.mint(wallet, 5);
        dollar.transferWithAuthorization(wallet, receiver, 5, 0, _deadline(), "n", _signed(wallet, 5, "n"));
        assertEq(dollar.balanceOf(receiver), 5, "receiver");
    }

    function test_reverts_whenSomethingElseWasSigned() public {
        bytes memory signature = _signed(payer, 5, "n");
        _expectInvalid(payer, stranger, 5, "n", signature);
        _expectInvalid(payer, receiver, 6, "n", signature);
        _expectInvalid(payer, receiver, 5, "m", signature);
        _expectInvalid(stranger, receiver, 5, "n", signature);
        _expectInvalid(payer, receiver, 5, "n", _malleate(signature));
        _expectInvalid(payer, receiver, 5, "n", "");
    }

    function test_reverts_onAnotherChain() public {
        bytes memory signature = _signed(payer, 5, "n");
        vm.chainId(block.chainid + 1);
        _expectInvalid(payer, receiver, 5, "n", signature);
    }

    function test_reverts_outsideItsTime() public {
        bytes memory signature = _signed(payer, 5, "n");
        uint256 deadline = _deadline();
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(ERC3009.ERC3009InvalidAuthorizationTime.selector, 0, deadline));
        dollar.transferWithAuthorization(payer, receiver, 5, 0, deadline, "n", signature);
    }

    function _deadline() private view returns (uint256) {
        return block.timestamp + 1 hours;
    }

    function _digest(address from, uint256 amount, bytes32 nonce) private view returns (bytes32) {
        return _authorizationDigest("Transfer", from, receiver, amount, 0, _deadline(), nonce);
    }

    function _signed(address from, uint256 amount, bytes32 nonce) private view returns (bytes memory) {
        return _sign(PAYER_KEY, _digest(from, amount, nonce));
    }

    function _expectInvalid(address from, address to, uint256 amount, bytes32 nonce, bytes memory signature) private {
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        dollar.transferWithAuthorization(from, to, amount, 0, _deadline(), nonce, signature);
    }
}
