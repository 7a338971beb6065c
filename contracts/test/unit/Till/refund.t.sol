// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {ITill} from "../../../src/interfaces/ITill.sol";
import {TillBase} from "./TillBase.t.sol";

contract TillRefundTest is TillBase {
    function test_paysThePayerOnly(uint128 amount) public {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1000);
        _claimAndSplit(config, 300, _splits(treasury, 300));
        uint256 before = dollar.balanceOf(payer);
        amount = uint128(bound(amount, 1, 2000));
        vm.prank(claimKey);
        till.refund(config, amount);
        assertEq(dollar.balanceOf(payer) - before, amount < 700 ? amount : 700, "payer");
        assertEq(dollar.balanceOf(address(till)), 0, "till");
        assertEq(dollar.balanceOf(claimKey), 0, "claim key");
    }

    function test_reverts_whenTheCallerIsNotAClaimKey() public {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1000);
        vm.expectRevert(abi.encodeWithSelector(ITill.NotAClaimKey.selector, stranger));
        vm.prank(stranger);
        till.refund(config, 1);
    }

    function test_reverts_whenTheChannelIsNotTheTills() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        vm.expectRevert(IBatchSettlement.NotAuthorizedToRefund.selector);
        vm.prank(claimKey);
        till.refund(config, 1);
    }
}
