// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {IERC3009Cancel} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";

import {PaymentsBase} from "../../PaymentsBase.t.sol";

contract TestDollarReceiveAndCancelTest is PaymentsBase {
    function test_onlyTheReceiverMayExecuteIt() public {
        uint256 deadline = block.timestamp + 1;
        bytes memory signature = _sign(PAYER_KEY, _authorizationDigest("Receive", payer, receiver, 5, 0, deadline, "n"));
        vm.expectRevert(abi.encodeWithSelector(bytes4(keccak256("ERC20InvalidReceiver(address)")), receiver));
        vm.prank(stranger);
        dollar.receiveWithAuthorization(payer, receiver, 5, 0, deadline, "n", signature);
        vm.prank(receiver);
        dollar.receiveWithAuthorization(payer, receiver, 5, 0, deadline, "n", signature);
        assertEq(dollar.balanceOf(receiver), 5, "receiver");
    }

    function test_aCancelledAuthorizationCannotBeUsed() public {
        uint256 deadline = block.timestamp + 1;
        bytes memory signature = _sign(PAYER_KEY, _authorizationDigest("Receive", payer, receiver, 5, 0, deadline, "n"));
        bytes memory cancel = _cancel("n");
        vm.expectEmit(address(dollar));
        emit IERC3009Cancel.AuthorizationCanceled(payer, "n");
        dollar.cancelAuthorization(payer, "n", cancel);
        vm.expectRevert(abi.encodeWithSelector(ERC3009.ERC3009UsedAuthorization.selector, payer, bytes32("n")));
        vm.prank(receiver);
        dollar.receiveWithAuthorization(payer, receiver, 5, 0, deadline, "n", signature);
    }

    function test_reverts_whenSomeoneElseCancels() public {
        bytes memory cancel = _cancel("n");
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        dollar.cancelAuthorization(payer, "m", cancel);
    }

    function test_isADollar() public {
        assertEq(dollar.decimals(), 6, "decimals");
        dollar.mint(stranger, 7);
        assertEq(dollar.balanceOf(stranger), 7, "minted");
        bytes32 digest = _typed(
            _domain("Test Dollar", "1", block.chainid, address(dollar)),
            keccak256(
                abi.encode(
                    keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                    payer,
                    stranger,
                    uint256(9),
                    uint256(0),
                    block.timestamp
                )
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PAYER_KEY, digest);
        dollar.permit(payer, stranger, 9, block.timestamp, v, r, s);
        assertEq(dollar.allowance(payer, stranger), 9, "permit");
    }

    function _cancel(bytes32 nonce) private view returns (bytes memory) {
        bytes32 typeHash = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
        bytes32 domain = _domain("Test Dollar", "1", block.chainid, address(dollar));
        return _sign(PAYER_KEY, _typed(domain, keccak256(abi.encode(typeHash, payer, nonce))));
    }
}
