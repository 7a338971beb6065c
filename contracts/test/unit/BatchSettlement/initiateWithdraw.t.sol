// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {PaymentsBase} from "../../PaymentsBase.t.sol";

contract BatchSettlementInitiateWithdrawTest is PaymentsBase {
    function test_announcesTheWithdrawal(uint128 amount) public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        amount = uint128(bound(amount, 1, 100));
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.WithdrawInitiated(_channelId(config), amount, uint40(block.timestamp) + DELAY);
        vm.prank(payer);
        settlement.initiateWithdraw(config, amount);
        (uint128 pending, uint40 initiatedAt) = settlement.pendingWithdrawals(_channelId(config));
        assertEq(pending, amount, "amount");
        assertEq(initiatedAt, block.timestamp, "initiatedAt");
        _assertChannel(config, 100, 0);
    }

    function test_payerAuthorizerMayToo() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        vm.prank(session);
        settlement.initiateWithdraw(config, 1);
        (uint128 pending,) = settlement.pendingWithdrawals(_channelId(config));
        assertEq(pending, 1, "amount");
    }

    function test_reverts_whenTheCallerIsNotOnThePayersSide() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        address[3] memory callers = [receiver, authorizer, stranger];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectRevert(callers[i], config, 1, IBatchSettlement.InvalidChannel.selector);
        }
    }

    function test_reverts_whenNothingIsAskedFor() public {
        _expectRevert(payer, _fundedChannel(100), 0, IBatchSettlement.NothingToWithdraw.selector);
    }

    function test_reverts_whenMoreThanIsUnclaimedIsAskedFor() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        _claim(config, 30);
        _expectRevert(payer, config, 71, IBatchSettlement.WithdrawAmountExceedsAvailable.selector);
    }

    function test_reverts_whenOneIsPending() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        vm.prank(payer);
        settlement.initiateWithdraw(config, 1);
        _expectRevert(session, config, 1, IBatchSettlement.WithdrawalAlreadyPending.selector);
    }

    function _expectRevert(
        address caller,
        IBatchSettlement.ChannelConfig memory config,
        uint128 amount,
        bytes4 selector
    ) private {
        vm.expectRevert(selector);
        vm.prank(caller);
        settlement.initiateWithdraw(config, amount);
    }
}
