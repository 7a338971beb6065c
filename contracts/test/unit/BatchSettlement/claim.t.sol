// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {TestDollar} from "../../../src/devnet/TestDollar.sol";
import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {ContractWallet} from "../../mocks/ContractWallet.sol";
import {PaymentsBase} from "../../PaymentsBase.t.sol";

contract BatchSettlementClaimTest is PaymentsBase {
    function test_raisesTheTotals(uint128 ceiling, uint128 total) public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(1e12);
        total = uint128(bound(total, 1, 1e12));
        ceiling = uint128(bound(ceiling, total, type(uint128).max));
        IBatchSettlement.VoucherClaim[] memory rows = _batch(config, ceiling, total);

        vm.expectEmit(address(settlement));
        emit IBatchSettlement.Claimed(_channelId(config), authorizer, total, total);
        vm.prank(authorizer);
        settlement.claim(rows);

        _assertChannel(config, 1e12, total);
        _assertReceiver(receiver, address(dollar), total, 0);
        assertEq(dollar.balanceOf(address(settlement)), 1e12, "a claim moves no money");
    }

    function test_receiverMayClaimToo() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        IBatchSettlement.VoucherClaim[] memory rows = _batch(config, 100, 40);
        vm.prank(receiver);
        settlement.claim(rows);
        _assertChannel(config, 100, 40);
    }

    function test_oneVoucherServesSeveralClaims() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        vm.startPrank(authorizer);
        settlement.claim(_batch(config, 90, 40));
        vm.expectEmit(address(settlement));
        emit IBatchSettlement.Claimed(_channelId(config), authorizer, 50, 90);
        settlement.claim(_batch(config, 90, 90));
        vm.stopPrank();
        _assertReceiver(receiver, address(dollar), 90, 0);
    }

    function test_sameOrOlderRowDoesNothing(uint128 older) public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        older = uint128(bound(older, 0, 60));
        _claim(config, 60);
        vm.recordLogs();
        vm.prank(authorizer);
        settlement.claim(_batch(config, 60, older));
        assertEq(vm.getRecordedLogs().length, 0, "events");
        _assertChannel(config, 100, 60);
        _assertReceiver(receiver, address(dollar), 60, 0);
    }

    function test_sameRowTwiceInABatchCountsOnce() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](2);
        rows[0] = _row(config, 50, 50, SESSION_KEY);
        rows[1] = rows[0];
        vm.prank(authorizer);
        settlement.claim(rows);
        _assertReceiver(receiver, address(dollar), 50, 0);
    }

    /// @dev Receivers and tokens in any order: what is summed up in memory equals what each row adds.
    function test_creditsEachReceiverInEachToken(uint256 seed) public {
        TestDollar other = _deployDollar();
        other.mint(payer, 1e18);
        address[2] memory receivers = [receiver, actor("second receiver")];
        address[2] memory tokens = [address(dollar), address(other)];
        uint256[2][2] memory expected;
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](12);
        for (uint256 i = 0; i < rows.length; ++i) {
            (uint256 who, uint256 what) = (seed >> (2 * i) & 1, seed >> (2 * i + 1) & 1);
            IBatchSettlement.ChannelConfig memory config = _channel();
            (config.receiver, config.token, config.salt) = (receivers[who], tokens[what], bytes32(i));
            _depositByAllowance(config, 1000);
            uint128 total = uint128(1 + (seed >> (32 + 8 * i)) % 1000);
            rows[i] = _row(config, 1000, total, SESSION_KEY);
            expected[who][what] += total;
        }
        vm.prank(authorizer);
        settlement.claim(rows);
        for (uint256 i = 0; i < 4; ++i) {
            _assertReceiver(receivers[i / 2], tokens[i % 2], uint128(expected[i / 2][i % 2]), 0);
        }
    }

    function test_payerSignsItselfWithoutAnAuthorizer() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        config.payerAuthorizer = address(0);
        _deposit(config, 100);
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](1);
        rows[0] = _row(config, 30, 30, PAYER_KEY);
        vm.prank(authorizer);
        settlement.claim(rows);
        _assertChannel(config, 100, 30);
    }

    function test_contractPayerSignsByErc1271() public {
        ContractWallet wallet = new ContractWallet(session);
        IBatchSettlement.ChannelConfig memory config = _walletChannel(wallet);
        IBatchSettlement.VoucherClaim[] memory rows = _batch(config, 100, 30);
        vm.prank(authorizer);
        settlement.claim(rows);
        _assertChannel(config, 100, 30);
    }

    function test_reverts_whenTheContractPayerNoLongerAgrees() public {
        ContractWallet wallet = new ContractWallet(session);
        IBatchSettlement.ChannelConfig memory config = _walletChannel(wallet);
        wallet.setOwner(stranger);
        _expectClaimRevert(_batch(config, 100, 30), IBatchSettlement.InvalidSignature.selector);
    }

    function test_namedAuthorizerIsAKeyEvenIfThePayerIsAContract() public {
        ContractWallet wallet = new ContractWallet(payer);
        IBatchSettlement.ChannelConfig memory config = _walletChannel(wallet);
        config.payerAuthorizer = session;
        _depositByAllowance(config, 10);
        // The wallet's own owner cannot sign in the session key's place.
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](1);
        rows[0] = _row(config, 10, 10, PAYER_KEY);
        _expectClaimRevert(rows, IBatchSettlement.InvalidSignature.selector);
    }

    function test_reverts_whenTheBatchIsEmpty() public {
        _expectClaimRevert(new IBatchSettlement.VoucherClaim[](0), IBatchSettlement.EmptyBatch.selector);
    }

    function test_reverts_whenTheCallerIsNotOnTheReceiversSide() public {
        IBatchSettlement.VoucherClaim[] memory rows = _batch(_fundedChannel(100), 100, 1);
        address[3] memory callers = [payer, session, stranger];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(IBatchSettlement.NotAuthorizedToClaim.selector);
            vm.prank(callers[i]);
            settlement.claim(rows);
        }
    }

    function test_reverts_whenOneRowIsNotTheCallers() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        IBatchSettlement.ChannelConfig memory foreign = _channel();
        (foreign.receiver, foreign.receiverAuthorizer) = (stranger, stranger);
        _deposit(foreign, 100);
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](2);
        rows[0] = _row(config, 1, 1, SESSION_KEY);
        rows[1] = _row(foreign, 1, 1, SESSION_KEY);
        _expectClaimRevert(rows, IBatchSettlement.NotAuthorizedToClaim.selector);
    }

    function test_reverts_whenTheTotalPassesTheCeiling(uint128 ceiling) public {
        ceiling = uint128(bound(ceiling, 0, 99));
        _expectClaimRevert(
            _batch(_fundedChannel(100), ceiling, ceiling + 1), IBatchSettlement.ClaimExceedsCeiling.selector
        );
    }

    function test_reverts_whenTheTotalPassesTheBalance() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        _expectClaimRevert(_batch(config, 1000, 101), IBatchSettlement.ClaimExceedsBalance.selector);
        _claim(config, 60);
        _expectClaimRevert(_batch(config, 1000, 101), IBatchSettlement.ClaimExceedsBalance.selector);
    }

    function test_reverts_whenThePayerWithdrewFirst() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        vm.prank(payer);
        settlement.initiateWithdraw(config, 100);
        skip(DELAY);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
        _expectClaimRevert(_batch(config, 1, 1), IBatchSettlement.ClaimExceedsBalance.selector);
    }

    function test_reverts_whenAnotherKeySigned() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](1);
        rows[0] = _row(config, 10, 10, PAYER_KEY); // not even the payer, once an authorizer is named
        _expectClaimRevert(rows, IBatchSettlement.InvalidSignature.selector);
    }

    function test_reverts_whenTheCeilingWasChanged() public {
        IBatchSettlement.VoucherClaim[] memory rows = _batch(_fundedChannel(100), 10, 10);
        rows[0].voucher.maxClaimableAmount = 11;
        _expectClaimRevert(rows, IBatchSettlement.InvalidSignature.selector);
    }

    function test_reverts_whenTheVoucherIsForAnotherChannel() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        IBatchSettlement.ChannelConfig memory second = _channel();
        second.salt = keccak256("second");
        _deposit(second, 100);
        IBatchSettlement.VoucherClaim[] memory rows = _batch(config, 10, 10);
        rows[0].voucher.channel = second;
        _expectClaimRevert(rows, IBatchSettlement.InvalidSignature.selector);
    }

    function test_reverts_whenTheVoucherIsForAnotherChainOrContract() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        string memory name = "x402 Batch Settlement";
        _expectForeignDomain(config, _domain(name, "1", block.chainid + 1, address(settlement)));
        _expectForeignDomain(
            config, _domain(name, "1", block.chainid, deploy("BatchSettlement.sol:BatchSettlement", ""))
        );
        _expectForeignDomain(config, _domain(name, "2", block.chainid, address(settlement)));
        _expectForeignDomain(config, _domain("x402 batch settlement", "1", block.chainid, address(settlement)));
    }

    function test_reverts_afterAForkOfTheChain() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        IBatchSettlement.VoucherClaim[] memory rows = _batch(config, 10, 10);
        vm.chainId(block.chainid + 1);
        // Under the new chain id the channel has another id, which never held money.
        _expectClaimRevert(rows, IBatchSettlement.ClaimExceedsBalance.selector);
    }

    function test_reverts_whenSIsHigh() public {
        IBatchSettlement.VoucherClaim[] memory rows = _batch(_fundedChannel(100), 10, 10);
        rows[0].signature = _malleate(rows[0].signature);
        (, bytes32 s) = abi.decode(rows[0].signature, (bytes32, bytes32));
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, s));
        vm.prank(authorizer);
        settlement.claim(rows);
    }

    function test_reverts_whenSIsHighOfAPayerThatSignsItself() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        config.payerAuthorizer = address(0);
        _deposit(config, 100);
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](1);
        rows[0] = _row(config, 30, 30, PAYER_KEY);
        rows[0].signature = _malleate(rows[0].signature);
        _expectClaimRevert(rows, IBatchSettlement.InvalidSignature.selector);
    }

    function test_reverts_whenTheSignatureRecoversToNobody() public {
        IBatchSettlement.VoucherClaim[] memory rows = _batch(_fundedChannel(100), 10, 10);
        rows[0].signature[64] = 0x1d; // v = 29: ecrecover answers with the zero address
        _expectClaimRevert(rows, ECDSA.ECDSAInvalidSignature.selector);
    }

    function test_reverts_whenTheSignatureHasAnotherLength(uint256 length) public {
        IBatchSettlement.VoucherClaim[] memory rows = _batch(_fundedChannel(100), 10, 10);
        length = bound(length, 0, 130);
        if (length == 65) ++length;
        rows[0].signature = new bytes(length);
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureLength.selector, length));
        vm.prank(authorizer);
        settlement.claim(rows);
    }

    function test_aBadRowStopsTheWholeBatch() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](2);
        rows[0] = _row(config, 10, 10, SESSION_KEY);
        rows[1] = _row(config, 20, 21, SESSION_KEY);
        _expectClaimRevert(rows, IBatchSettlement.ClaimExceedsCeiling.selector);
        _assertChannel(config, 100, 0);
    }

    function _walletChannel(ContractWallet wallet) private returns (IBatchSettlement.ChannelConfig memory config) {
        config = _channel();
        (config.payer, config.payerAuthorizer) = (address(wallet), address(0));
        dollar.mint(address(wallet), 1000);
        _depositByAllowance(config, 100);
    }

    function _expectForeignDomain(IBatchSettlement.ChannelConfig memory config, bytes32 domain) private {
        IBatchSettlement.VoucherClaim[] memory rows = _batch(config, 10, 10);
        // Signed for a channel id and a voucher of that other domain, and for our channel id in that other domain.
        rows[0].signature = _sign(SESSION_KEY, _voucherDigest(domain, _channelIdUnder(domain, config), 10));
        _expectClaimRevert(rows, IBatchSettlement.InvalidSignature.selector);
        rows[0].signature = _sign(SESSION_KEY, _voucherDigest(domain, _channelId(config), 10));
        _expectClaimRevert(rows, IBatchSettlement.InvalidSignature.selector);
    }

    function _expectClaimRevert(IBatchSettlement.VoucherClaim[] memory rows, bytes4 selector) private {
        vm.expectRevert(selector);
        vm.prank(authorizer);
        settlement.claim(rows);
    }
}
