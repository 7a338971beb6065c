// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {BlacklistToken} from "../../mocks/BlacklistToken.sol";
import {PlainToken} from "../../mocks/PlainToken.sol";
import {ReenteringToken} from "../../mocks/ReenteringToken.sol";
import {PaymentsBase} from "../../PaymentsBase.t.sol";

contract BatchSettlementSettleTest is PaymentsBase {
    function test_paysWhatWasClaimed() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        _claim(config, 30);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.Settled(receiver, address(dollar), stranger, 30);
        vm.prank(stranger);
        settlement.settle(receiver, address(dollar));
        assertEq(dollar.balanceOf(receiver), 30, "receiver");
        assertEq(dollar.balanceOf(address(settlement)), 70, "escrow");
        _assertReceiver(receiver, address(dollar), 30, 30);
    }

    function test_paysOnce() public {
        _claim(_fundedChannel(100), 30);
        settlement.settle(receiver, address(dollar));
        vm.recordLogs();
        settlement.settle(receiver, address(dollar));
        assertEq(vm.getRecordedLogs().length, 0, "events");
        assertEq(dollar.balanceOf(receiver), 30, "receiver");
    }

    function test_doesNothingForAStranger() public {
        _claim(_fundedChannel(100), 30);
        settlement.settle(stranger, address(dollar));
        assertEq(dollar.balanceOf(stranger), 0, "stranger");
    }

    function test_reverts_whenTheTokenRefusesAndStaysDue() public {
        BlacklistToken token = new BlacklistToken();
        IBatchSettlement.ChannelConfig memory config = _claimedIn(address(token));
        token.blacklist(receiver, true);
        vm.expectRevert(abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, receiver));
        settlement.settle(receiver, address(token));
        token.blacklist(receiver, false);
        settlement.settle(receiver, address(token));
        assertEq(token.balanceOf(receiver), 30, "receiver");
        _assertChannel(config, 100, 30);
    }

    function test_isLockedWhileTheTokenRuns() public {
        ReenteringToken token = new ReenteringToken();
        _claimedIn(address(token));
        token.aim(address(settlement), abi.encodeCall(IBatchSettlement.settle, (receiver, address(token))));
        settlement.settle(receiver, address(token));
        assertTrue(!token.succeeded(), "reentered");
        assertEq(bytes4(token.answer()), ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector, "answer");
        assertEq(token.balanceOf(receiver), 30, "receiver");
    }

    function _claimedIn(address token) private returns (IBatchSettlement.ChannelConfig memory config) {
        config = _channel();
        config.token = token;
        PlainToken(token).mint(payer, 100);
        _depositByAllowance(config, 100);
        _claim(config, 30);
    }
}
