// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {FeeToken} from "../../mocks/FeeToken.sol";
import {ReentrantCollector} from "../../mocks/ReentrantCollector.sol";
import {ShortCollector} from "../../mocks/ShortCollector.sol";
import {Vm} from "../../Base.t.sol";
import {PaymentsBase} from "../../PaymentsBase.t.sol";

contract BatchSettlementDepositTest is PaymentsBase {
    function test_createsTheChannelAndMovesTheMoney(uint128 amount) public {
        amount = uint128(bound(amount, 1, 1e18));
        IBatchSettlement.ChannelConfig memory config = _channel();
        bytes memory data = _collectorData(config, amount, 1);
        bytes32 id = _channelId(config);

        vm.expectEmit(address(settlement));
        emit IBatchSettlement.ChannelCreated(id, config);
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.Deposited(id, stranger, amount, amount);
        vm.prank(stranger);
        settlement.deposit(config, amount, address(collector), data);

        _assertChannel(config, amount, 0);
        assertEq(dollar.balanceOf(address(settlement)), amount, "escrow");
        assertEq(dollar.balanceOf(payer), 1e18 - amount, "payer");
        assertEq(dollar.balanceOf(address(collector)), 0, "collector keeps nothing");
    }

    function test_topsUpWithoutCreatingAgain() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        vm.recordLogs();
        _deposit(config, 50);
        _assertChannel(config, 150, 0);
        assertTrue(!_logged(IBatchSettlement.ChannelCreated.selector), "created twice");
    }

    function test_announcesAnEmptiedChannelAgain() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        vm.prank(authorizer);
        settlement.refund(config, 100);
        vm.recordLogs();
        _deposit(config, 7);
        assertTrue(_logged(IBatchSettlement.ChannelCreated.selector), "not announced");
    }

    function test_reopenedChannelRemembersItsClaims() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        _claim(config, 60);
        vm.prank(authorizer);
        settlement.refund(config, 100);
        _deposit(config, 10);
        _assertChannel(config, 70, 60);
        // The voucher over 60 is used up; only a higher total takes from the new deposit.
        _claim(config, 60);
        _assertReceiver(receiver, address(dollar), 60, 0);
        _claim(config, 70);
        _assertReceiver(receiver, address(dollar), 70, 0);
    }

    function test_donationIsNobodysDeposit() public {
        dollar.mint(address(settlement), 1000);
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        _assertChannel(config, 100, 0);
        ShortCollector idle = new ShortCollector(0);
        vm.expectRevert(IBatchSettlement.DepositCollectionFailed.selector);
        settlement.deposit(config, 1000, address(idle), "");
    }

    function test_reverts_whenAPartyIsZero(uint256 party) public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        party = bound(party, 0, 3);
        if (party == 0) config.payer = address(0);
        if (party == 1) config.receiver = address(0);
        if (party == 2) config.receiverAuthorizer = address(0);
        if (party == 3) config.token = address(0);
        vm.expectRevert(IBatchSettlement.InvalidChannel.selector);
        settlement.deposit(config, 1, address(allowanceCollector), "");
    }

    function test_withdrawDelayRange(uint40 delay) public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        config.withdrawDelay = delay;
        dollar.mint(payer, 1);
        vm.prank(payer);
        dollar.approve(address(allowanceCollector), 1);
        if (delay < 15 minutes || delay > 30 days) {
            vm.expectRevert(IBatchSettlement.WithdrawDelayOutOfRange.selector);
        }
        settlement.deposit(config, 1, address(allowanceCollector), "");
    }

    function test_acceptsTheDelaysAtTheEdges() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        config.withdrawDelay = settlement.MIN_WITHDRAW_DELAY();
        _depositByAllowance(config, 1);
        config.withdrawDelay = settlement.MAX_WITHDRAW_DELAY();
        _depositByAllowance(config, 1);
        _assertChannel(config, 1, 0);
    }

    function test_reverts_whenNothingIsDeposited() public {
        vm.expectRevert(IBatchSettlement.ZeroDeposit.selector);
        settlement.deposit(_channel(), 0, address(collector), "");
    }

    function test_reverts_whenThereIsNoCollector() public {
        vm.expectRevert(IBatchSettlement.InvalidCollector.selector);
        settlement.deposit(_channel(), 1, address(0), "");
    }

    function test_reverts_whenTheBalanceOverflows() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        ShortCollector generous = new ShortCollector(type(uint128).max);
        settlement.deposit(config, type(uint128).max, address(generous), "");
        vm.expectRevert(IBatchSettlement.DepositOverflow.selector);
        settlement.deposit(config, 1, address(generous), "");
    }

    function test_reverts_whenTheCollectorBringsAnotherAmount(uint256 delivered) public {
        delivered = bound(delivered, 0, 1e18);
        ShortCollector short = new ShortCollector(delivered);
        if (delivered != 100) vm.expectRevert(IBatchSettlement.DepositCollectionFailed.selector);
        settlement.deposit(_channel(), 100, address(short), "");
    }

    function test_reverts_whenTheTokenTakesAFee() public {
        FeeToken token = new FeeToken();
        token.setCharging(true);
        token.mint(payer, 10_000);
        IBatchSettlement.ChannelConfig memory config = _channel();
        config.token = address(token);
        vm.prank(payer);
        token.approve(address(allowanceCollector), 10_000);
        vm.expectRevert(IBatchSettlement.DepositCollectionFailed.selector);
        settlement.deposit(config, 10_000, address(allowanceCollector), "");
    }

    function test_reverts_whenTheCollectorReenters() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        ReentrantCollector reentrant = new ReentrantCollector();
        bytes memory inner =
            abi.encodeCall(IBatchSettlement.deposit, (config, 100, address(collector), _collectorData(config, 100, 1)));
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        settlement.deposit(config, 100, address(reentrant), inner);
    }

    function test_reverts_whenAnAddressHasDirtyBits() public {
        // The session key's word carries a bit above the address: such a channel must never hold money.
        bytes memory call =
            abi.encodeCall(IBatchSettlement.deposit, (_channel(), 1, address(new ShortCollector(1)), ""));
        call[4 + 32] = 0x01;
        (bool ok,) = address(settlement).call(call);
        assertTrue(!ok, "dirty channel was funded");
        call[4 + 32] = 0x00;
        (ok,) = address(settlement).call(call);
        assertTrue(ok, "clean channel was not funded");
    }

    function _logged(bytes32 topic) private returns (bool found) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == address(settlement) && logs[i].topics[0] == topic) found = true;
        }
    }
}
