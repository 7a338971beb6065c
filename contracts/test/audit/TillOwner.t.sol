// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../src/interfaces/IBatchSettlement.sol";
import {ITill} from "../../src/interfaces/ITill.sol";
import {TwoStepOwner} from "../../src/lib/TwoStepOwner.sol";
import {TillBase} from "../unit/Till/TillBase.t.sol";

/// @notice The documented limits of the till's owner, who names claim keys and payees: alone it takes what published vouchers
///         leave and what lies unsplit, and stops claims. It cannot stop withdrawals, nor give the till up.
contract TillOwnerTest is TillBase {
    IBatchSettlement.ChannelConfig private _config;
    address private _thief;

    function setUp() public override {
        super.setUp();
        _thief = actor("thief");
        _config = _channel();
        (_config.receiver, _config.receiverAuthorizer) = (address(till), address(till));
        _deposit(_config, 1_000e6);
    }

    /// @dev The thief has the owner's key and nothing else. The voucher is read from calldata of an earlier, honest claim: its ceiling
    ///      (900) is above what was charged (200), as every voucher's is (decision 0008).
    function test_limit_the_owner_alone_takes_what_published_vouchers_leave() public {
        IBatchSettlement.VoucherClaim[] memory rows = _batch(_config, 900e6, 200e6);
        vm.prank(claimKey);
        till.claimAndSplit(
            abi.encodeCall(IBatchSettlement.claim, (rows)),
            address(dollar),
            _splits(address(shares), 200e6),
            treasury,
            0,
            0
        );

        vm.startPrank(owner);
        till.setClaimKey(_thief, true);
        till.setPayee(_thief, ITill.PayeeKind.Plain);
        vm.stopPrank();
        rows[0].totalClaimed = 900e6; // the very signature that the chain shows
        vm.prank(_thief);
        till.claimAndSplit(
            abi.encodeCall(IBatchSettlement.claim, (rows)), address(dollar), _splits(_thief, 700e6), _thief, 0, 0
        );
        assertEq(dollar.balanceOf(_thief), 700e6, "from a deposit, for no call, without the operator's claim key");
    }

    function test_limit_the_owner_alone_takes_what_lies_unsplit() public {
        dollar.mint(address(till), 50e6);
        vm.startPrank(owner);
        till.setClaimKey(owner, true);
        till.setPayee(_thief, ITill.PayeeKind.Plain);
        till.split(address(dollar), _splits(_thief, 50e6), _thief);
        vm.stopPrank();
        assertEq(dollar.balanceOf(_thief), 50e6, "donated money");
    }

    function test_limit_the_owner_stops_claims_and_refunds_but_no_withdrawal() public {
        bytes memory call = _call(_config, 800e6); // 800 were charged and are not claimed yet
        vm.prank(payer);
        settlement.initiateWithdraw(_config, 1_000e6);
        vm.prank(owner);
        till.setClaimKey(claimKey, false);

        vm.prank(claimKey);
        (bool claimed,) = address(till)
            .call(
                abi.encodeWithSelector(
                    till.claimAndSplit.selector, call, dollar, _splits(address(shares), 800e6), treasury, 0, 0
                )
            );
        assertTrue(!claimed, "claims are stopped");
        vm.prank(claimKey);
        (bool refunded,) = address(till).call(abi.encodeCall(till.refund, (_config, 1)));
        assertTrue(!refunded, "refunds are stopped");
        IBatchSettlement.VoucherClaim[] memory rows = _batch(_config, 800e6, 800e6);
        bytes memory signature = _sign(CLAIM_KEY, _batchDigest(rows));
        vm.expectRevert(IBatchSettlement.InvalidSignature.selector);
        settlement.claimWithSignature(rows, signature);

        skip(DELAY);
        vm.prank(payer);
        settlement.finalizeWithdraw(_config);
        assertEq(dollar.balanceOf(address(shares)), 0, "owners get nothing for 800 of calls");
    }

    function test_limit_the_owner_delists_a_payee_and_its_claims_stop() public {
        vm.prank(owner);
        till.setPayee(address(shares), ITill.PayeeKind.None);
        bytes memory call = _call(_config, 800e6);
        vm.prank(claimKey);
        (bool claimed,) = address(till)
            .call(
                abi.encodeWithSelector(
                    till.claimAndSplit.selector, call, dollar, _splits(address(shares), 800e6), treasury, 0, 0
                )
            );
        assertTrue(!claimed, "the owners of this asset cannot be paid");
    }

    function test_the_owner_cannot_give_the_till_up() public {
        vm.expectRevert(TwoStepOwner.OwnershipNotRenounceable.selector);
        vm.prank(owner);
        till.renounceOwnership();
        assertEq(till.owner(), owner, "so that a stolen claim key can be dropped");
    }
}
