// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {ContractWallet} from "../../mocks/ContractWallet.sol";
import {PaymentsBase} from "../../PaymentsBase.t.sol";

contract BatchSettlementRefundWithSignatureTest is PaymentsBase {
    function test_anyoneMaySubmitASignedRefund() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        bytes memory signature = _signed(config, 0, 40);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.Refunded(_channelId(config), stranger, 40);
        vm.prank(stranger);
        settlement.refundWithSignature(config, 40, 0, signature);
        assertEq(dollar.balanceOf(payer), 1e18 - 60, "payer");
        assertEq(settlement.refundNonce(_channelId(config)), 1, "nonce");
    }

    function test_contractAuthorizerSignsByErc1271() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        config.receiverAuthorizer = address(new ContractWallet(authorizer));
        _deposit(config, 100);
        settlement.refundWithSignature(config, 40, 0, _signed(config, 0, 40));
        _assertChannel(config, 60, 0);
    }

    function test_reverts_whenReplayed() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        bytes memory signature = _signed(config, 0, 40);
        settlement.refundWithSignature(config, 40, 0, signature);
        _expectRevert(config, 40, 0, signature, IBatchSettlement.InvalidRefundNonce.selector);
        _expectRevert(config, 40, 1, signature, IBatchSettlement.InvalidSignature.selector);
    }

    function test_reverts_whenADirectRefundCameFirst() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        bytes memory signature = _signed(config, 0, 40);
        vm.prank(authorizer);
        settlement.refund(config, 1);
        _expectRevert(config, 40, 0, signature, IBatchSettlement.InvalidRefundNonce.selector);
    }

    function test_reverts_whenTheAmountWasChanged() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        _expectRevert(config, 41, 0, _signed(config, 0, 40), IBatchSettlement.InvalidSignature.selector);
    }

    function test_reverts_whenSIsHigh() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        _expectRevert(config, 40, 0, _malleate(_signed(config, 0, 40)), IBatchSettlement.InvalidSignature.selector);
    }

    function test_reverts_whenThePayersSideSigned() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        bytes memory signature = _sign(SESSION_KEY, _refundDigest(_channelId(config), 0, 40));
        _expectRevert(config, 40, 0, signature, IBatchSettlement.InvalidSignature.selector);
    }

    function test_reverts_whenNothingIsAskedFor() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        _expectRevert(config, 0, 0, _signed(config, 0, 0), IBatchSettlement.ZeroRefund.selector);
    }

    function _signed(IBatchSettlement.ChannelConfig memory config, uint256 nonce, uint128 amount)
        private
        view
        returns (bytes memory)
    {
        return _sign(AUTHORIZER_KEY, _refundDigest(_channelId(config), nonce, amount));
    }

    function _expectRevert(
        IBatchSettlement.ChannelConfig memory config,
        uint128 amount,
        uint256 nonce,
        bytes memory signature,
        bytes4 selector
    ) private {
        vm.expectRevert(selector);
        settlement.refundWithSignature(config, amount, nonce, signature);
    }
}
