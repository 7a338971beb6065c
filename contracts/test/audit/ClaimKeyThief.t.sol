// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shares} from "../../src/assets/Shares.sol";
import {IBatchSettlement} from "../../src/interfaces/IBatchSettlement.sol";
import {ITill} from "../../src/interfaces/ITill.sol";
import {BatchSettlement} from "../../src/payments/BatchSettlement.sol";
import {Till} from "../../src/payments/Till.sol";
import {AssetsBase} from "../AssetsBase.t.sol";
import {AllowanceCollector} from "../mocks/AllowanceCollector.sol";

/// @notice A stolen claim key can misattribute income among payees. A payee is a Shares whose shares anyone can buy, so the
///         thief may own one: caps bound what that is worth.
contract ClaimKeyThiefTest is AssetsBase {
    uint256 private constant SESSION_KEY = 0x5E551;

    function test_a_thief_who_owns_a_payee_takes_a_days_cap_and_the_rest_is_split_again() public {
        BatchSettlement settlement = BatchSettlement(deploy("BatchSettlement.sol:BatchSettlement", ""));
        Till till = Till(deploy("Till.sol:Till", abi.encode(owner, settlement)));
        address thief = carol;
        // a worthless asset of the same operator: the thief owns all of it, rightly, and could have bought it for a dollar
        (, Shares worthless) = _register(alice, _registration("worthless"));
        _give(worthless, thief, SUPPLY);
        vm.startPrank(owner);
        till.setPayee(address(shares), ITill.PayeeKind.Shares);
        till.setPayee(address(worthless), ITill.PayeeKind.Shares);
        till.setDailyCap(address(0), address(money), 1_000e6);
        till.setClaimKey(meter, true); // the hot key, as an operator has it ...
        vm.stopPrank();

        IBatchSettlement.ChannelConfig memory config = IBatchSettlement.ChannelConfig({
            payer: bob,
            payerAuthorizer: vm.addr(SESSION_KEY),
            receiver: address(till),
            receiverAuthorizer: address(till),
            token: address(money),
            withdrawDelay: 1 days,
            salt: 0
        });
        money.mint(bob, 1_000_000e6);
        AllowanceCollector collector = new AllowanceCollector();
        vm.prank(bob);
        money.approve(address(collector), 1_000_000e6);
        settlement.deposit(config, 1_000_000e6, address(collector), "");

        // ... stolen, with the vouchers beside it. Every call was the good asset's.
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](1);
        bytes32 digest = settlement.getVoucherDigest(settlement.getChannelId(config), 1_000_000e6);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SESSION_KEY, digest);
        rows[0] = IBatchSettlement.VoucherClaim({
            voucher: IBatchSettlement.Voucher({channel: config, maxClaimableAmount: 1_000_000e6}),
            signature: abi.encodePacked(r, s, v),
            totalClaimed: 1_000_000e6
        });
        ITill.Split[] memory splits = new ITill.Split[](1);
        splits[0] = ITill.Split({payTo: address(worthless), amount: 1_000_000e6});
        vm.prank(meter);
        till.claimAndSplit(
            abi.encodeCall(IBatchSettlement.claim, (rows)), address(money), splits, address(worthless), 0, 0
        );
        assertEq(_collect(worthless, thief), 975e6 - 1, "a day's cap, the protocol fee off");

        // the owner drops the key and takes the rest back; another key splits it to whom it belongs
        vm.startPrank(owner);
        till.setClaimKey(meter, false);
        till.setClaimKey(guardian, true);
        till.takeBackOwed(address(worthless), address(money), 999_000e6);
        till.setDailyCap(address(shares), address(money), 1_000_000e6);
        vm.stopPrank();
        splits[0] = ITill.Split({payTo: address(shares), amount: 999_000e6});
        vm.prank(guardian);
        till.split(address(money), splits, address(shares));
        assertEq(shares.revenue(address(money)).gross, 999_000e6, "the owners of the asset that was called");
    }
}
