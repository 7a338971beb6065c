// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetRegistry} from "../../src/assets/AssetRegistry.sol";
import {IAssetRegistry} from "../../src/interfaces/IAssetRegistry.sol";
import {IBatchSettlement} from "../../src/interfaces/IBatchSettlement.sol";
import {ITill} from "../../src/interfaces/ITill.sol";
import {Till} from "../../src/payments/Till.sol";
import {PaymentsBase} from "../PaymentsBase.t.sol";

/// @notice What payments cost. Run with FOUNDRY_ISOLATE=true: each call is then a separate transaction, calldata and
///         the 21,000 included, and every slot is cold.
/// @dev Steady state: channels were claimed once before, receivers and payees hold money, totals are not zero. Salts
///      are hashes, as clients draw them, so no calldata is flattered by zeros.
contract PaymentsGasTest is PaymentsBase {
    uint128 private constant DEPOSIT = 5_000_000;
    address private claimKey;
    address private shares;
    Till private till;

    function setUp() public override {
        super.setUp();
        claimKey = actor("claim key");
        till = Till(deploy("Till.sol:Till", abi.encode(this, settlement)));
        shares = _registerAsset();
        till.setClaimKey(claimKey, true);
        till.setDailyCap(address(0), address(dollar), 1_000_000e6); // as the package deploys a till
        till.setPayee(shares, ITill.PayeeKind.Shares);
        dollar.mint(address(settlement), 1);
        dollar.mint(receiver, 1);
    }

    /// @dev A real asset in the default installation: dollars are listed, 2.5 % protocol fee.
    function _registerAsset() private returns (address account) {
        address native = deploy("WrappedNative.sol:WrappedNative", "");
        bytes memory arguments = abi.encode(this, this, actor("sink"), uint16(250), native, "ipfs://titles");
        AssetRegistry registry = AssetRegistry(deploy("AssetRegistry.sol:AssetRegistry", arguments));
        registry.listRevenueToken(address(dollar));
        IAssetRegistry.Registration memory registration;
        (registration.name, registration.symbol, registration.uri) = ("Gas shares", "GAS", "ipfs://gas");
        registration.currency = address(dollar);
        registration.priceCard = IAssetRegistry.PriceCard({
            inputPerMillion: 150_000,
            outputPerMillion: 600_000,
            perCall: 10,
            cachedInputBps: 1_000,
            unit: IAssetRegistry.PriceUnit.TextToken,
            contextWindow: 128_000,
            version: 1
        });
        registration.noticePeriod = 1 days;
        registration.meter = address(till);
        (, account) = registry.register(registration);
    }

    function test_gas_deposits() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        settlement.deposit(
            config, DEPOSIT, address(collector), _collectorData(config, DEPOSIT, uint256(keccak256("a")))
        );
        vm.snapshotGasLastCall("payments", "channel_deposit_3009");
        settlement.deposit(
            config, DEPOSIT, address(collector), _collectorData(config, DEPOSIT, uint256(keccak256("b")))
        );
        vm.snapshotGasLastCall("payments", "channel_topup_3009");
    }

    function test_gas_claimMarginal() public {
        uint256 ten = _claimAgain(10, receiver, "voucher_claim_10");
        uint256 hundred = _claimAgain(100, receiver, "voucher_claim_100");
        uint256 single = _claimAgain(1, receiver, "voucher_claim_1");
        uint256 marginal = (hundred - ten) / 90;
        vm.snapshotValue("payments", "voucher_claim_marginal", marginal);
        assertLe(marginal, 19_500, "voucher_claim_marginal");
        assertLe(single, ten, "one row costs less than ten");
    }

    function test_gas_refundsAndWithdrawals() public {
        IBatchSettlement.ChannelConfig memory config = _fundedChannel(DEPOSIT);
        _claim(config, 1000);
        settlement.settle(receiver, address(dollar));
        _claim(config, 2000);
        settlement.settle(receiver, address(dollar));
        vm.snapshotGasLastCall("payments", "settle");
        vm.prank(authorizer);
        settlement.refund(config, 1000);
        vm.snapshotGasLastCall("payments", "refund_first");
        vm.prank(payer);
        settlement.initiateWithdraw(config, 1000);
        vm.snapshotGasLastCall("payments", "initiate_withdraw");
        skip(DELAY);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
        vm.snapshotGasLastCall("payments", "finalize_withdraw");
    }

    function test_gas_till() public {
        uint256 one = _tillAgain(1, "till_claim_and_split");
        uint256 ten = _tillAgain(10, "till_claim_and_split_10");
        uint256 hundred = _tillAgain(100, "till_claim_and_split_100");
        uint256 marginal = (hundred - ten) / 90;
        vm.snapshotValue("payments", "till_claim_marginal", marginal);
        assertLe(marginal, 19_500, "till_claim_marginal");
        // Vouchers are cumulative and receipts are anchored by one root: a batch costs the same however many calls it
        // stands for, so the chain's cost of one call is the batch's divided by their number, rounded up.
        vm.snapshotValue("payments", "gas_per_call_10", (one + 9) / 10);
        vm.snapshotValue("payments", "gas_per_call_1000", (one + 999) / 1000);
        vm.snapshotValue("payments", "gas_per_call_100000", (one + 99_999) / 100_000);
    }

    /// @dev The cost of claiming `count` channels that were all claimed before.
    function _claimAgain(uint256 count, address to, string memory name) private returns (uint256) {
        IBatchSettlement.ChannelConfig[] memory configs = _channels(count, to, authorizer, name);
        IBatchSettlement.VoucherClaim[] memory rows = _rows(configs, 1_000_001);
        vm.prank(authorizer);
        settlement.claim(rows);
        rows = _rows(configs, 2_000_002);
        vm.prank(authorizer);
        settlement.claim(rows);
        return vm.snapshotGasLastCall("payments", name);
    }

    /// @dev The cost of claiming `count` channels again through the till: settled, paid to one asset, anchored.
    function _tillAgain(uint256 count, string memory name) private returns (uint256) {
        IBatchSettlement.ChannelConfig[] memory configs = _channels(count, address(till), address(till), name);
        _claimAndSplit(_rows(configs, 1_000_001), count * 1_000_001);
        _claimAndSplit(_rows(configs, 2_000_002), count * 1_000_001);
        return vm.snapshotGasLastCall("payments", name);
    }

    function _claimAndSplit(IBatchSettlement.VoucherClaim[] memory rows, uint256 amount) private {
        ITill.Split[] memory splits = new ITill.Split[](1);
        splits[0] = ITill.Split({payTo: shares, amount: amount});
        bytes memory call = abi.encodeCall(IBatchSettlement.claim, (rows));
        vm.prank(claimKey);
        till.claimAndSplit(call, address(dollar), splits, shares, keccak256(call), 1000);
    }

    function _channels(uint256 count, address to, address by, string memory name)
        private
        returns (IBatchSettlement.ChannelConfig[] memory configs)
    {
        configs = new IBatchSettlement.ChannelConfig[](count);
        for (uint256 i = 0; i < count; ++i) {
            configs[i] = _channel();
            configs[i].receiver = to;
            configs[i].receiverAuthorizer = by;
            configs[i].salt = keccak256(abi.encode(name, i));
            _deposit(configs[i], DEPOSIT);
        }
    }

    function _rows(IBatchSettlement.ChannelConfig[] memory configs, uint128 total)
        private
        view
        returns (IBatchSettlement.VoucherClaim[] memory rows)
    {
        rows = new IBatchSettlement.VoucherClaim[](configs.length);
        for (uint256 i = 0; i < configs.length; ++i) {
            rows[i] = _row(configs[i], total + 500_000, total, SESSION_KEY);
        }
    }
}
