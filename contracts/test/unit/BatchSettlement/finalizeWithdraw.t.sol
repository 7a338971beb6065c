// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {ReenteringToken} from "../../mocks/ReenteringToken.sol";
import {PaymentsBase} from "../../PaymentsBase.t.sol";

contract BatchSettlementFinalizeWithdrawTest is PaymentsBase {
    function test_paysThePayerWhoeverCalls() public {
        IBatchSettlement.ChannelConfig memory config = _pending(100, 40);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.WithdrawFinalized(_channelId(config), session, 40);
        vm.prank(session);
        settlement.finalizeWithdraw(config);
        assertEq(dollar.balanceOf(payer), 1e18 - 60, "payer");
        assertEq(dollar.balanceOf(session), 0, "the session key gets nothing");
        _assertChannel(config, 60, 0);
    }

    function test_announcesAnEmptiedChannel() public {
        IBatchSettlement.ChannelConfig memory config = _pending(100, 100);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.ChannelClosed(_channelId(config), config);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
    }

    /// @dev Claims made during the delay come first; the payer gets what is left.
    function test_paysWhatClaimsHaveLeft(uint128 claimed) public {
        IBatchSettlement.ChannelConfig memory config = _pending(100, 80);
        claimed = uint128(bound(claimed, 1, 100));
        _claim(config, claimed);
        uint256 left = 100 - claimed < 80 ? 100 - claimed : 80;
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
        assertEq(dollar.balanceOf(payer), 1e18 - 100 + left, "payer");
        settlement.settle(receiver, address(dollar));
        assertEq(dollar.balanceOf(receiver), claimed, "receiver");
    }

    function test_paysOnce() public {
        IBatchSettlement.ChannelConfig memory config = _pending(100, 40);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
        _expectRevert(payer, config, IBatchSettlement.WithdrawalNotPending.selector);
    }

    function test_reverts_whenNoneIsPending() public {
        _expectRevert(payer, _fundedChannel(100), IBatchSettlement.WithdrawalNotPending.selector);
    }

    function test_reverts_beforeTheDelayIsOver() public {
        IBatchSettlement.ChannelConfig memory config = _pending(100, 40);
        vm.warp(time() - 1);
        _expectRevert(payer, config, IBatchSettlement.WithdrawDelayNotElapsed.selector);
    }

    function test_reverts_whenTheCallerIsNotOnThePayersSide() public {
        IBatchSettlement.ChannelConfig memory config = _pending(100, 40);
        address[3] memory callers = [receiver, authorizer, stranger];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectRevert(callers[i], config, IBatchSettlement.NotAuthorizedToFinalizeWithdraw.selector);
        }
    }

    function test_isLockedWhileTheTokenRuns() public {
        ReenteringToken token = new ReenteringToken();
        IBatchSettlement.ChannelConfig memory config = _channel();
        config.token = address(token);
        token.mint(payer, 100);
        _depositByAllowance(config, 100);
        vm.prank(payer);
        settlement.initiateWithdraw(config, 50);
        skip(DELAY);
        token.aim(address(settlement), abi.encodeCall(IBatchSettlement.finalizeWithdraw, (config)));
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
        assertTrue(!token.succeeded(), "reentered");
        assertEq(bytes4(token.answer()), ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector, "answer");
        assertEq(token.balanceOf(payer), 50, "payer");
    }

    /// @dev A channel whose withdrawal can be finalized from this second on.
    function _pending(uint128 deposited, uint128 amount)
        private
        returns (IBatchSettlement.ChannelConfig memory config)
    {
        config = _fundedChannel(deposited);
        vm.prank(payer);
        settlement.initiateWithdraw(config, amount);
        skip(DELAY);
    }

    function _expectRevert(address caller, IBatchSettlement.ChannelConfig memory config, bytes4 selector) private {
        vm.expectRevert(selector);
        vm.prank(caller);
        settlement.finalizeWithdraw(config);
    }
}
