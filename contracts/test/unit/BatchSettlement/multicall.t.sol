// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {PaymentsBase} from "../../PaymentsBase.t.sol";

contract BatchSettlementMulticallTest is PaymentsBase {
    function test_claimsAndSettlesAtOnceAsTheCaller() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(IBatchSettlement.claim, (_batch(config, 30, 30)));
        calls[1] = abi.encodeCall(IBatchSettlement.settle, (receiver, address(dollar)));
        vm.prank(authorizer);
        settlement.multicall(calls);
        assertEq(dollar.balanceOf(receiver), 30, "receiver");
    }

    function test_reverts_whenOneCallDoes() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(IBatchSettlement.claim, (_batch(config, 30, 30)));
        calls[1] = abi.encodeCall(IBatchSettlement.refund, (config, 0));
        vm.expectRevert(IBatchSettlement.ZeroRefund.selector);
        vm.prank(authorizer);
        settlement.multicall(calls);
        _assertChannel(config, 100, 0);
    }

    function test_refusesNativeCurrency() public {
        vm.deal(stranger, 1 ether);
        vm.prank(stranger);
        (bool ok,) = address(settlement).call{value: 1}("");
        assertTrue(!ok, "took native currency");
    }
}
