// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {TestDollar} from "../../../src/devnet/TestDollar.sol";
import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {ITill} from "../../../src/interfaces/ITill.sol";
import {BlacklistToken} from "../../mocks/BlacklistToken.sol";
import {FailingPayee} from "../../mocks/FailingPayee.sol";
import {FeeToken} from "../../mocks/FeeToken.sol";
import {ReenteringToken} from "../../mocks/ReenteringToken.sol";
import {ReentrantPayee} from "../../mocks/ReentrantPayee.sol";
import {SilentToken} from "../../mocks/SilentToken.sol";
import {TillBase} from "./TillBase.t.sol";

contract TillClaimAndSplitTest is TillBase {
    function test_paysAccruesAndAnchors(uint128 charged, uint128 fee, bytes32 root, uint64 count) public {
        charged = uint128(bound(charged, 2, 1e12));
        fee = uint128(bound(fee, 1, charged - 1));
        count = uint64(bound(count, 1, type(uint64).max));
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1e12);
        bytes memory call = _call(config, charged);
        bytes32 anchor = keccak256(abi.encode(bytes32(0), root, count));

        vm.expectEmit(address(till));
        emit ITill.Anchored(anchor, bytes32(0), root, count);
        vm.expectEmit(address(till));
        emit ITill.Paid(address(shares), address(dollar), charged - fee, charged - fee);
        vm.expectEmit(address(till));
        emit ITill.Paid(treasury, address(dollar), fee, charged);
        vm.prank(claimKey);
        till.claimAndSplit(
            call, address(dollar), _splits(address(shares), charged - fee, treasury, fee), treasury, root, count
        );

        assertEq(dollar.balanceOf(address(shares)), charged - fee, "shares");
        assertEq(dollar.balanceOf(treasury), fee, "treasury");
        assertEq(dollar.balanceOf(address(till)), 0, "till");
        assertEq(shares.accrued(address(dollar)), 1, "accrue calls");
        assertEq(till.anchor(), anchor, "anchor");
        _assertTotalSplit(address(dollar), charged, 0);
        _assertUnsplit(address(dollar), 0, 0);
    }

    function test_chainsAnchors() public {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 100);
        bytes memory call = _call(config, 10);
        vm.prank(claimKey);
        till.claimAndSplit(call, address(dollar), _splits(treasury, 10), treasury, "first", 3);
        bytes32 first = till.anchor();
        call = _call(config, 20);
        vm.prank(claimKey);
        till.claimAndSplit(call, address(dollar), _splits(treasury, 10), treasury, "second", 4);
        assertEq(till.anchor(), keccak256(abi.encode(first, bytes32("second"), uint64(4))), "anchor");
    }

    function test_anchorsNothingWithoutReceipts() public {
        _claimAndSplit(_tillChannel(address(dollar), 100), 10, _splits(treasury, 10));
        assertEq(till.anchor(), bytes32(0), "anchor");
    }

    function test_aPayeeMayAppearTwice() public {
        _claimAndSplit(_tillChannel(address(dollar), 100), 10, _splits(treasury, 4, treasury, 6));
        assertEq(dollar.balanceOf(treasury), 10, "treasury");
    }

    // --- other people's money ------------------------------------------------------------------------------------

    /// @dev A stranger slips a claim of one unit in just before the operator's batch: it goes through all the same.
    function test_aStrangersClaimCannotStopTheBatch(uint128 slipped) public {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1000);
        slipped = uint128(bound(slipped, 1, 1e9));
        _strangerClaims(address(dollar), slipped);
        _assertUnsplit(address(dollar), slipped, 0);

        _claimAndSplit(config, 700, _splits(address(shares), 700));
        assertEq(dollar.balanceOf(address(shares)), 700, "shares");
        assertEq(dollar.balanceOf(treasury), slipped, "the stranger's gift goes to the remainder");
        _assertTotalSplit(address(dollar), 700 + slipped, 0);
        _assertUnsplit(address(dollar), 0, 0);
    }

    function test_aStrangersSettleCannotStopTheBatch() public {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1000);
        _strangerClaims(address(dollar), 5);
        settlement.settle(address(till), address(dollar));
        _claimAndSplit(config, 700, _splits(address(shares), 700));
        assertEq(dollar.balanceOf(address(shares)), 700, "shares");
        assertEq(dollar.balanceOf(treasury), 5, "treasury");
    }

    function test_aDonationStaysForSplit() public {
        dollar.mint(address(till), 5);
        _claimAndSplit(_tillChannel(address(dollar), 1000), 700, _splits(address(shares), 700));
        assertEq(dollar.balanceOf(address(till)), 5, "till");
        _assertUnsplit(address(dollar), 0, 5);
    }

    function test_reverts_whenTheBatchWasAlreadyClaimedElsewhere() public {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1000);
        IBatchSettlement.VoucherClaim[] memory rows = _batch(config, 700, 700);
        settlement.claimWithSignature(rows, _sign(CLAIM_KEY, _batchDigest(rows)));
        _expectRevert(
            abi.encodeCall(IBatchSettlement.claim, (rows)),
            _splits(address(shares), 700),
            abi.encodeWithSelector(ITill.SplitMismatch.selector, 700, 0)
        );
        // With nothing to attribute, the same call sweeps it to the remainder.
        vm.prank(claimKey);
        till.claimAndSplit(
            abi.encodeCall(IBatchSettlement.claim, (rows)), address(dollar), new ITill.Split[](0), address(shares), 0, 0
        );
        assertEq(dollar.balanceOf(address(shares)), 700, "shares");
    }

    // --- payees that cannot be paid ------------------------------------------------------------------------------

    function test_owesAPayeeTheTokenRefuses() public {
        BlacklistToken token = new BlacklistToken();
        token.blacklist(address(shares), true);
        _assertOwedToShares(address(token));
    }

    function test_owesAPayeeTheTokenRefusesSilently() public {
        SilentToken token = new SilentToken();
        token.refuse(address(shares), true);
        _assertOwedToShares(address(token));
    }

    function test_owesARemainderTheTokenRefuses() public {
        BlacklistToken token = new BlacklistToken();
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(token), 1000);
        _strangerClaims(address(token), 5);
        token.blacklist(treasury, true);
        _claimAndSplit(config, 700, _splits(address(shares), 700));
        assertEq(token.balanceOf(address(shares)), 700, "shares");
        assertEq(till.owed(treasury, address(token)), 5, "owed");
    }

    function test_paysAPayeeWhoseAccrueFails(uint256 kind) public {
        FailingPayee failing = new FailingPayee(FailingPayee.Failure(bound(kind, 0, 3)));
        vm.prank(owner);
        till.setPayee(address(failing), ITill.PayeeKind.Shares);
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1000);
        bytes memory call = _call(config, 700);
        bool reverts = FailingPayee.Failure(bound(kind, 0, 3)) != FailingPayee.Failure.ReturnNothing;
        if (reverts) {
            vm.expectEmit(address(till));
            emit ITill.AccrueFailed(address(failing), address(dollar));
        }
        vm.prank(claimKey);
        till.claimAndSplit{gas: 3_000_000}(
            call, address(dollar), _splits(address(failing), 600, address(shares), 100), treasury, 0, 0
        );
        assertEq(dollar.balanceOf(address(failing)), 600, "failing payee");
        assertEq(dollar.balanceOf(address(shares)), 100, "the other one");
        assertEq(shares.accrued(address(dollar)), 1, "the other one accrued");
    }

    /// @dev A fee switched on late is missing to the payee paid last, never more than that, and stops no other.
    function test_aFeeOnTransferIsMissingToTheLast() public {
        FeeToken token = new FeeToken();
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(token), 1000);
        token.setCharging(true);
        _claimAndSplit(config, 1000, _splits(address(shares), 600, treasury, 400));
        assertEq(token.balanceOf(address(shares)), 594, "shares");
        assertEq(token.balanceOf(address(till)), 390, "till");
        assertEq(till.owed(treasury, address(token)), 400, "owed");
        token.mint(address(till), 10); // a donor makes it good
        till.payOwed(treasury, address(token));
        assertEq(token.balanceOf(treasury), 396, "treasury");
        _assertUnsplit(address(token), 0, 0);
    }

    // --- reentrance ----------------------------------------------------------------------------------------------

    function test_isLockedWhilePayeesAccrue() public {
        ReentrantPayee payee = new ReentrantPayee();
        vm.startPrank(owner);
        till.setPayee(address(payee), ITill.PayeeKind.Shares);
        till.setClaimKey(address(payee), true);
        vm.stopPrank();
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1000);
        dollar.mint(address(till), 50);
        payee.arm(address(till), abi.encodeCall(ITill.split, (address(dollar), new ITill.Split[](0), address(payee))));
        _claimAndSplit(config, 700, _splits(address(payee), 700));
        assertTrue(payee.called() && !payee.succeeded(), "reentered");
        assertEq(bytes4(payee.answer()), ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector, "answer");
        assertEq(dollar.balanceOf(address(payee)), 700, "payee");
    }

    function test_isLockedWhileTheTokenRuns() public {
        ReenteringToken token = new ReenteringToken();
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(token), 1000);
        bytes memory again = abi.encodeCall(
            ITill.claimAndSplit, (_call(config, 900), address(token), _splits(treasury, 200), treasury, 0, 0)
        );
        vm.prank(owner);
        till.setClaimKey(address(token), true);
        token.aim(address(till), again);
        _claimAndSplit(config, 700, _splits(treasury, 700));
        assertTrue(!token.succeeded(), "reentered");
        assertEq(bytes4(token.answer()), ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector, "answer");
        assertEq(token.balanceOf(treasury), 700, "treasury");
    }

    // --- what is refused -----------------------------------------------------------------------------------------

    function test_reverts_whenTheCallerIsNotAClaimKey() public {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1000);
        bytes memory call = _call(config, 1);
        address[3] memory callers = [stranger, owner, treasury];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ITill.NotAClaimKey.selector, callers[i]));
            vm.prank(callers[i]);
            till.claimAndSplit(call, address(dollar), _splits(treasury, 1), treasury, 0, 0);
        }
    }

    function test_reverts_whenTheSplitsDoNotSumUp(uint128 sum) public {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1000);
        sum = uint128(bound(sum, 1, 2000));
        if (sum == 700) ++sum;
        _expectRevert(
            _call(config, 700),
            _splits(address(shares), sum),
            abi.encodeWithSelector(ITill.SplitMismatch.selector, sum, 700)
        );
        _assertChannel(config, 1000, 0);
    }

    function test_reverts_whenMoneyOfOthersIsSplitAsTheBatchs() public {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1000);
        _strangerClaims(address(dollar), 50);
        _expectRevert(
            _call(config, 700),
            _splits(address(shares), 750),
            abi.encodeWithSelector(ITill.SplitMismatch.selector, 750, 700)
        );
    }

    function test_reverts_whenARowIsInAnotherToken() public {
        TestDollar other = _deployDollar();
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](2);
        rows[0] = _row(_tillChannel(address(dollar), 1000), 400, 400, SESSION_KEY);
        rows[1] = _row(_tillChannel(address(other), 1000), 300, 300, SESSION_KEY);
        _expectRevert(
            abi.encodeCall(IBatchSettlement.claim, (rows)),
            _splits(address(shares), 700),
            abi.encodeWithSelector(ITill.SplitMismatch.selector, 700, 400)
        );
        // Split for what it is, the other token's money waits as unsplit.
        vm.prank(claimKey);
        till.claimAndSplit(
            abi.encodeCall(IBatchSettlement.claim, (rows)), address(dollar), _splits(treasury, 400), treasury, 0, 0
        );
        _assertUnsplit(address(other), 300, 0);
    }

    function test_reverts_whenAPayeeIsNotListed() public {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1000);
        bytes memory expected = abi.encodeWithSelector(ITill.NotAPayee.selector, stranger);
        _expectRevert(_call(config, 700), _splits(stranger, 700), expected);
        _expectRevert(_call(config, 700), _splits(treasury, 699, stranger, 1), expected);
    }

    function test_reverts_whenTheRemainderIsNotAPayees() public {
        // Even with nothing to send there: otherwise a stranger's unit could stop a badly set up operator later.
        bytes memory call = _call(_tillChannel(address(dollar), 1000), 700);
        vm.expectRevert(abi.encodeWithSelector(ITill.NotAPayee.selector, stranger));
        vm.prank(claimKey);
        till.claimAndSplit(call, address(dollar), _splits(treasury, 700), stranger, 0, 0);
    }

    function test_reverts_whenAPartIsZero() public {
        _expectRevert(
            _call(_tillChannel(address(dollar), 1000), 700),
            _splits(treasury, 700, address(shares), 0),
            abi.encodeWithSelector(ITill.ZeroSplit.selector, address(shares))
        );
    }

    function test_reverts_whenTheCallIsNotAClaim() public {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1000);
        bytes memory call = abi.encodeCall(IBatchSettlement.refund, (config, 1));
        _expectRevert(
            call,
            new ITill.Split[](0),
            abi.encodeWithSelector(ITill.NotAClaim.selector, IBatchSettlement.refund.selector)
        );
        _expectRevert(
            hex"1234", new ITill.Split[](0), abi.encodeWithSelector(ITill.NotAClaim.selector, bytes4(0x12340000))
        );
    }

    function test_reverts_withTheSettlementsReason() public {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 1000);
        _expectRevert(
            _call(config, 1001),
            _splits(treasury, 1001),
            abi.encodeWithSelector(IBatchSettlement.ClaimExceedsBalance.selector)
        );
    }

    /// @dev If the token refuses to pay the till, claims can still be secured, and are split once it relents.
    function test_claimsSurviveATokenThatRefusesTheTill() public {
        BlacklistToken token = new BlacklistToken();
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(token), 1000);
        token.blacklist(address(till), true);
        bytes memory call = _call(config, 700);
        vm.expectRevert(abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, address(till)));
        vm.prank(claimKey);
        till.claimAndSplit(call, address(token), _splits(treasury, 700), treasury, 0, 0);

        IBatchSettlement.VoucherClaim[] memory rows = _batch(config, 700, 700);
        settlement.claimWithSignature(rows, _sign(CLAIM_KEY, _batchDigest(rows)));
        token.blacklist(address(till), false);
        vm.prank(claimKey);
        till.split(address(token), _splits(address(shares), 700), treasury);
        assertEq(token.balanceOf(address(shares)), 700, "shares");
    }

    function _assertOwedToShares(address token) private {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(token, 1000);
        bytes memory call = _call(config, 700);
        vm.expectEmit(address(till));
        emit ITill.Deferred(address(shares), token, 600, 600, 600);
        vm.expectEmit(address(till));
        emit ITill.Paid(treasury, token, 100, 700);
        vm.prank(claimKey);
        till.claimAndSplit(call, token, _splits(address(shares), 600, treasury, 100), treasury, 0, 0);
        assertEq(till.owed(address(shares), token), 600, "owed");
        assertEq(till.totalOwed(token), 600, "total owed");
        assertEq(shares.accrued(token), 0, "nothing to accrue");
        _assertUnsplit(token, 0, 0);
    }

    function _expectRevert(bytes memory call, ITill.Split[] memory splits, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(claimKey);
        till.claimAndSplit(call, address(dollar), splits, treasury, 0, 0);
    }
}
