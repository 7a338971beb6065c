// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WrappedNative} from "../src/devnet/WrappedNative.sol";
import {AccessPass} from "../src/assets/AccessPass.sol";
import {AssetRegistry} from "../src/assets/AssetRegistry.sol";
import {Shares} from "../src/assets/Shares.sol";
import {IAssetRegistry} from "../src/interfaces/IAssetRegistry.sol";
import {IShares} from "../src/interfaces/IShares.sol";
import {AssetId} from "../src/types/AssetId.sol";
import {PassId} from "../src/types/PassId.sol";
import {Base} from "./Base.t.sol";
import {PlainToken} from "./mocks/PlainToken.sol";

/// @notice A registry with one asset, its passes, two revenue tokens (`native` and `money`) and the accounts that tests need.
abstract contract AssetsBase is Base {
    uint256 internal constant SUPPLY = 100_000_000e6;
    uint16 internal constant FEE_BPS = 250;

    address internal owner = actor("owner");
    address internal guardian = actor("guardian");
    address internal sink = actor("sink");
    address internal meter = actor("meter");
    address internal alice = actor("alice"); // registers assets
    address internal bob = actor("bob");
    address internal carol = actor("carol");

    WrappedNative internal native;
    PlainToken internal money;
    AssetRegistry internal registry;
    AccessPass internal pass;
    AssetId internal id;
    Shares internal shares;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        native = new WrappedNative();
        money = new PlainToken();
        registry = _deployRegistry(FEE_BPS);
        pass = AccessPass(deploy("AccessPass.sol:AccessPass", abi.encode(registry)));
        _list(address(money));
        (id, shares) = _register(alice, _registration("first"));
    }

    function _deployRegistry(uint16 feeBps) internal returns (AssetRegistry) {
        bytes memory arguments = abi.encode(owner, guardian, sink, feeBps, native, "ipfs://titles");
        return AssetRegistry(deploy("AssetRegistry.sol:AssetRegistry", arguments));
    }

    /// @dev A registration without parents, policy or endpoint.
    function _registration(bytes32 salt) internal view returns (IAssetRegistry.Registration memory registration) {
        registration.salt = salt;
        registration.name = "First shares";
        registration.symbol = "ONE";
        registration.uri = "ipfs://first";
        registration.currency = address(money);
        registration.priceCard = _card(1);
        registration.noticePeriod = 1 days;
        registration.resaleRoyaltyBps = 500;
        registration.meter = meter;
    }

    function _card(uint32 version) internal pure returns (IAssetRegistry.PriceCard memory) {
        return IAssetRegistry.PriceCard({
            inputPerMillion: 150_000 * uint128(version),
            outputPerMillion: 600_000,
            perCall: 10,
            cachedInputBps: 1_000,
            unit: IAssetRegistry.PriceUnit.TextToken,
            contextWindow: 128_000,
            version: version
        });
    }

    function _register(address registrant, IAssetRegistry.Registration memory registration)
        internal
        returns (AssetId id_, Shares shares_)
    {
        vm.prank(registrant);
        (AssetId id__, address account) = registry.register(registration);
        return (id__, Shares(payable(account)));
    }

    /// @dev A child of `shares` alone, registered by alice.
    function _registerChild(bytes32 salt, uint16 royaltyBps) internal returns (AssetId, Shares) {
        IAssetRegistry.Registration memory registration = _registration(salt);
        registration.parents = new IShares.Parent[](1);
        registration.parents[0] = IShares.Parent(address(shares), royaltyBps);
        return _register(alice, registration);
    }

    function _list(address token) internal {
        vm.prank(owner);
        registry.listRevenueToken(token);
    }

    function _setFee(uint16 bps) internal {
        vm.prank(owner);
        registry.setProtocolFee(bps);
    }

    function _give(Shares from, address to, uint256 amount) internal {
        vm.prank(alice);
        from.transfer(to, amount);
    }

    /// @dev Money arrives by plain transfer and is noticed.
    function _earn(Shares payee, uint256 amount) internal {
        money.mint(address(payee), amount);
        payee.accrue(address(money));
    }

    function _collect(Shares payer, address holder) internal returns (uint256) {
        vm.prank(holder);
        return payer.collect(address(money));
    }

    /// @dev The usual plan: 1,000,000 credits for 900,000 units of money, never expiring.
    function _plan() internal returns (PassId) {
        return _plan(0, 900_000, 1_000_000);
    }

    function _plan(uint40 expiry, uint128 price, uint128 credits) internal returns (PassId) {
        vm.prank(alice);
        return pass.createPlan(id, address(money), expiry, price, credits);
    }

    function _buy(address buyer, PassId plan, uint128 packages) internal {
        uint256 price = packages * pass.plan(plan).price;
        money.mint(buyer, price);
        vm.startPrank(buyer);
        money.approve(address(pass), price);
        pass.buy(plan, packages, buyer);
        vm.stopPrank();
    }

    function _buyAndActivate(address buyer, PassId plan, uint128 packages) internal {
        _buy(buyer, plan, packages);
        uint256 credits = packages * pass.plan(plan).credits;
        vm.prank(buyer);
        pass.activate(plan, credits, meter);
    }

    function _title() internal view returns (uint256) {
        return AssetId.unwrap(id);
    }
}
