// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../src/interfaces/IBatchSettlement.sol";
import {ITill} from "../../src/interfaces/ITill.sol";
import {TillBase} from "../unit/Till/TillBase.t.sol";

/// @notice The documented limit of bearer keys, in x402's contract as in ours. Such a channel's payer is the user, its
///         `payerAuthorizer` a session key in the gateway's database, its receiver and authorizer the till. The session key,
///         too, may announce and finish withdrawals, to the payer; so it can hold up the payer's own.
contract BearerKeyWithdrawalTest is TillBase {
    IBatchSettlement.ChannelConfig private _config;

    function setUp() public override {
        super.setUp();
        _config = _channel();
        (_config.receiver, _config.receiverAuthorizer) = (address(till), address(till));
        _deposit(_config, 1_000e6);
    }

    /// @dev One call of the session key: a refund of one unit, signed by a claim key, deletes the pending unit; a new one is announced.
    ///      Its clock starts again. No race: it is atomic, and may be made at any time within the delay.
    function _renew(uint256 nonce) private {
        bytes32 digest = _refundDigest(_channelId(_config), nonce, 1);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(IBatchSettlement.refundWithSignature, (_config, 1, nonce, _sign(CLAIM_KEY, digest)));
        calls[1] = abi.encodeCall(IBatchSettlement.initiateWithdraw, (_config, 1));
        vm.prank(session);
        settlement.multicall(calls);
    }

    function test_limit_session_and_claim_key_together_hold_a_withdrawal_up() public {
        vm.prank(session);
        settlement.initiateWithdraw(_config, 1);
        for (uint256 day; day < 365; ++day) {
            skip(DELAY - 1 hours);
            vm.expectRevert(IBatchSettlement.WithdrawalAlreadyPending.selector);
            vm.prank(payer);
            settlement.initiateWithdraw(_config, 1_000e6 - 365);
            vm.expectRevert(IBatchSettlement.WithdrawDelayNotElapsed.selector);
            vm.prank(payer);
            settlement.finalizeWithdraw(_config);
            _renew(day);
        }
        _assertChannel(_config, 1_000e6 - 365, 0); // a year later, for 365 atomic units: a third of a tenth of a cent
    }

    /// @dev With the session key alone (the database and data.secret, no claim key): one race each delay.
    function test_limit_a_session_key_alone_holds_a_withdrawal_up_by_a_race_each_delay() public {
        vm.prank(session);
        settlement.initiateWithdraw(_config, 1);
        bytes[] memory again = new bytes[](2);
        again[0] = abi.encodeCall(IBatchSettlement.finalizeWithdraw, (_config));
        again[1] = abi.encodeCall(IBatchSettlement.initiateWithdraw, (_config, 1));
        for (uint256 day; day < 30; ++day) {
            skip(DELAY);
            vm.prank(session); // earlier in the same block, or by a higher tip
            settlement.multicall(again);

            bytes[] memory all = new bytes[](2);
            all[0] = abi.encodeCall(IBatchSettlement.finalizeWithdraw, (_config));
            all[1] = abi.encodeCall(IBatchSettlement.initiateWithdraw, (_config, 900e6));
            vm.expectRevert(IBatchSettlement.WithdrawDelayNotElapsed.selector);
            vm.prank(payer);
            settlement.multicall(all);
        }
        _assertChannel(_config, 1_000e6 - 30, 0);
    }

    /// @dev What the payer can do against the second: finish and announce in one call. Against the first: nothing.
    function test_a_payer_who_finishes_and_announces_in_one_call_gets_out() public {
        vm.prank(session);
        settlement.initiateWithdraw(_config, 1);
        skip(DELAY);
        bytes[] memory all = new bytes[](2);
        all[0] = abi.encodeCall(IBatchSettlement.finalizeWithdraw, (_config));
        all[1] = abi.encodeCall(IBatchSettlement.initiateWithdraw, (_config, 1_000e6 - 1));
        vm.prank(payer);
        settlement.multicall(all);
        skip(DELAY);
        vm.prank(payer);
        settlement.finalizeWithdraw(_config);
        _assertChannel(_config, 0, 0);
    }
}

/// @notice The documented limit of bearer keys: the payer signs no ceiling but `CreateKey`, which no contract knows; the
///         gateway's session key signs the vouchers. Behind a bearer key the payer trusts the operator with the deposit.
contract BearerKeyDepositTest is TillBase {
    function test_limit_an_operator_can_claim_a_bearer_keys_whole_deposit_without_a_call() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        (config.receiver, config.receiverAuthorizer) = (address(till), address(till));
        _deposit(config, 1_000e6); // the key's spending limit may be 1: no contract knows it
        bytes memory call = _call(config, 1_000e6); // signed by the session key, which the gateway holds
        vm.prank(claimKey);
        till.claimAndSplit(call, address(dollar), _splits(treasury, 1_000e6), treasury, 0, 0);
        assertEq(dollar.balanceOf(treasury), 1_000e6, "the operator has it, no receipt anchored");
    }
}
