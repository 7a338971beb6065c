// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {PaymentsBase} from "../../PaymentsBase.t.sol";

contract BatchSettlementRefundTest is PaymentsBase {
    function test_paysThePayerWhoeverCalls() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.Refunded(_channelId(config), receiver, 40);
        vm.prank(receiver);
        settlement.refund(config, 40);
        assertEq(dollar.balanceOf(payer), 1e18 - 60, "payer");
        assertEq(dollar.balanceOf(receiver), 0, "receiver");
        _assertChannel(config, 60, 0);
        assertEq(settlement.refundNonce(_channelId(config)), 1, "nonce");
    }

    function test_isLoweredToWhatIsUnclaimed(uint128 amount) public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        _claim(config, 30);
        amount = uint128(bound(amount, 1, type(uint128).max));
        vm.prank(authorizer);
        settlement.refund(config, amount);
        uint128 paid = amount < 70 ? amount : 70;
        assertEq(dollar.balanceOf(payer), 1e18 - 100 + paid, "payer");
        _assertChannel(config, 100 - paid, 30);
    }

    function test_announcesAnEmptiedChannelOnlyWithoutClaims() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.ChannelClosed(_channelId(config), config);
        vm.prank(authorizer);
        settlement.refund(config, 100);
    }

    function test_usesUpANonceEvenIfNothingIsLeft() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        _claim(config, 100);
        vm.recordLogs();
        vm.prank(authorizer);
        settlement.refund(config, 1);
        assertEq(vm.getRecordedLogs().length, 0, "events");
        assertEq(settlement.refundNonce(_channelId(config)), 1, "nonce");
    }

    function test_countsAgainstAnAnnouncedWithdrawal(uint128 amount) public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        vm.prank(payer);
        settlement.initiateWithdraw(config, 50);
        amount = uint128(bound(amount, 1, 100));
        vm.prank(authorizer);
        settlement.refund(config, amount);
        (uint128 pending, uint40 initiatedAt) = settlement.pendingWithdrawals(_channelId(config));
        assertEq(pending, amount >= 50 ? 0 : 50 - amount, "pending");
        assertEq(initiatedAt, amount >= 50 ? 0 : block.timestamp, "initiatedAt");
    }

    function test_reverts_whenNothingIsAskedFor() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        vm.expectRevert(IBatchSettlement.ZeroRefund.selector);
        vm.prank(authorizer);
        settlement.refund(config, 0);
    }

    function test_reverts_whenTheCallerIsNotOnTheReceiversSide() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        address[3] memory callers = [payer, session, stranger];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(IBatchSettlement.NotAuthorizedToRefund.selector);
            vm.prank(callers[i]);
            settlement.refund(config, 1);
        }
    }
}
