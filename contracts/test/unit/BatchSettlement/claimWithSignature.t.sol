// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {ContractWallet} from "../../mocks/ContractWallet.sol";
import {PaymentsBase} from "../../PaymentsBase.t.sol";

contract BatchSettlementClaimWithSignatureTest is PaymentsBase {
    function test_anyoneMaySubmitASignedBatch() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        IBatchSettlement.VoucherClaim[] memory rows = _batch(config, 80, 30);
        bytes memory signature = _sign(AUTHORIZER_KEY, _batchDigest(rows));
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.Claimed(_channelId(config), stranger, 30, 30);
        vm.prank(stranger);
        settlement.claimWithSignature(rows, signature);
        _assertReceiver(receiver, address(dollar), 30, 0);
    }

    function test_submittedTwiceItCountsOnce() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        IBatchSettlement.VoucherClaim[] memory rows = _batch(config, 80, 30);
        bytes memory signature = _sign(AUTHORIZER_KEY, _batchDigest(rows));
        settlement.claimWithSignature(rows, signature);
        settlement.claimWithSignature(rows, signature);
        _assertReceiver(receiver, address(dollar), 30, 0);
    }

    function test_contractAuthorizerSignsByErc1271() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        config.receiverAuthorizer = address(new ContractWallet(authorizer));
        _deposit(config, 100);
        IBatchSettlement.VoucherClaim[] memory rows = _batch(config, 80, 30);
        settlement.claimWithSignature(rows, _sign(AUTHORIZER_KEY, _batchDigest(rows)));
        _assertChannel(config, 100, 30);
    }

    function test_reverts_whenTheBatchIsEmpty() public {
        vm.expectRevert(IBatchSettlement.EmptyBatch.selector);
        settlement.claimWithSignature(new IBatchSettlement.VoucherClaim[](0), "");
    }

    function test_reverts_whenAnotherKeySigned() public {
        IBatchSettlement.VoucherClaim[] memory rows = _batch(_fundedChannel(100), 80, 30);
        _expectInvalid(rows, _sign(SESSION_KEY, _batchDigest(rows)));
    }

    function test_reverts_whenSIsHigh() public {
        IBatchSettlement.VoucherClaim[] memory rows = _batch(_fundedChannel(100), 80, 30);
        _expectInvalid(rows, _malleate(_sign(AUTHORIZER_KEY, _batchDigest(rows))));
    }

    function test_reverts_whenARowWasChanged() public {
        IBatchSettlement.VoucherClaim[] memory rows = _batch(_fundedChannel(100), 80, 30);
        bytes memory signature = _sign(AUTHORIZER_KEY, _batchDigest(rows));
        rows[0].totalClaimed = 31;
        _expectInvalid(rows, signature);
    }

    function test_reverts_whenTheAuthorizerIsZero() public {
        // Such a channel never holds money, but a garbage signature must not pass for the zero address either.
        IBatchSettlement.ChannelConfig memory config = _channel();
        config.receiverAuthorizer = address(0);
        _expectInvalid(_batch(config, 1, 1), abi.encodePacked(bytes32(0), bytes32(0), uint8(0)));
    }

    function test_reverts_whenARowHasAnotherAuthorizer() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        IBatchSettlement.ChannelConfig memory foreign = _channel();
        foreign.receiverAuthorizer = stranger;
        _deposit(foreign, 100);
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](2);
        rows[0] = _row(config, 1, 1, SESSION_KEY);
        rows[1] = _row(foreign, 1, 1, SESSION_KEY);
        bytes memory signature = _sign(AUTHORIZER_KEY, _batchDigest(rows));
        vm.expectRevert(IBatchSettlement.NotReceiverAuthorizer.selector);
        settlement.claimWithSignature(rows, signature);
    }

    function test_reverts_whenAVoucherIsNotThePayers() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](1);
        rows[0] = _row(config, 100, 100, AUTHORIZER_KEY); // the receiver's side cannot help itself
        _expectInvalid(rows, _sign(AUTHORIZER_KEY, _batchDigest(rows)));
    }

    function _expectInvalid(IBatchSettlement.VoucherClaim[] memory rows, bytes memory signature) private {
        vm.expectRevert(IBatchSettlement.InvalidSignature.selector);
        settlement.claimWithSignature(rows, signature);
    }
}
