// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {AccessPass} from "../../src/assets/AccessPass.sol";
import {AssetRegistry} from "../../src/assets/AssetRegistry.sol";
import {Shares} from "../../src/assets/Shares.sol";
import {WrappedNative} from "../../src/devnet/WrappedNative.sol";
import {IAccessPass} from "../../src/interfaces/IAccessPass.sol";
import {IAssetRegistry} from "../../src/interfaces/IAssetRegistry.sol";
import {IShares} from "../../src/interfaces/IShares.sol";
import {AssetId} from "../../src/types/AssetId.sol";
import {PassId} from "../../src/types/PassId.sol";
import {Base} from "../Base.t.sol";
import {PlainToken} from "../mocks/PlainToken.sol";

/// @notice Everything that people can do with assets, with arguments folded into what is possible, so that no call reverts.
contract AssetsHandler is Base {
    uint256 public constant ASSETS = 3; // grandparent, parent, child
    uint256 public constant TOKENS = 4; // wrapped native first
    uint256 public constant HOLDERS = 5;
    uint256 public constant PLANS = 3; // one for each asset: never expiring, expiring, of an asset that may retire

    AssetRegistry private immutable _registry;
    AccessPass private immutable _pass;
    address private immutable _meter = actor("meter");

    Shares[ASSETS] public assets;
    address[TOKENS] public tokens;
    address[HOLDERS] public holders;
    PassId[PLANS] public plans;

    /// @notice The asset and the token that the last call was about.
    uint256 public lastAsset;
    uint256 public lastToken;

    /// @notice Money that ever came to an asset, from wherever.
    mapping(address asset => mapping(address token => uint256)) public sent;

    /// @notice Whether a meter was named for an asset after its plan was made.
    mapping(uint256 asset => bool) public renamed;

    /// @notice Times that something was rounded down in an asset's books, at most, in any one token.
    mapping(address asset => uint256) public roundings;

    constructor(AssetRegistry registry, AccessPass pass, address[TOKENS] memory tokens_) {
        _registry = registry;
        _pass = pass;
        tokens = tokens_;
        holders = [actor("ann"), actor("ben"), actor("cid"), actor("dot"), actor("eve")];
        assets[0] = _register("grandparent", new IShares.Parent[](0));
        IShares.Parent[] memory parents = new IShares.Parent[](1);
        parents[0] = IShares.Parent(address(assets[0]), 3_333);
        assets[1] = _register("parent", parents);
        parents = new IShares.Parent[](2);
        parents[0] = IShares.Parent(address(assets[1]), 1_999);
        parents[1] = IShares.Parent(address(assets[0]), 3_001);
        assets[2] = _register("child", parents);
        plans[0] = _plan(assets[0], 0, 900_007, 1_000_003);
        plans[1] = _plan(assets[1], uint40(time() + 40 days), 7, 3);
        plans[2] = _plan(assets[2], 0, 3, 7_000_001);
    }

    // -- shares --------------------------------------------------------------------------------------------------------

    function earn(uint256 asset, uint256 token, uint256 amount) external {
        _send(_asset(asset), _token(token), bound(amount, 0, amount % 2 == 0 ? 9 : 1e18));
    }

    function earnCoin(uint256 asset, uint256 amount) external {
        Shares payee = _asset(asset);
        amount = bound(amount, 0, 1e18);
        vm.deal(address(payee), amount);
        payee.wrap();
        sent[address(payee)][_token(0)] += amount;
    }

    function accrue(uint256 asset, uint256 token) external {
        _asset(asset).accrue(_token(token));
    }

    function transfer(uint256 asset, uint256 from, uint256 to, uint256 amount) external {
        Shares shares = _asset(asset);
        address giver = holders[from % HOLDERS];
        amount = bound(amount, 0, shares.balanceOf(giver));
        vm.prank(giver);
        shares.transfer(holders[to % HOLDERS], amount);
        roundings[address(shares)] += 2;
    }

    /// @dev Shares of a child are given to a parent's Shares, which hold them like any holder.
    function giveToParent(uint256 from, uint256 parent, uint256 amount) external {
        address giver = holders[from % HOLDERS];
        amount = bound(amount, 0, assets[2].balanceOf(giver) / 4);
        lastAsset = 2;
        vm.prank(giver);
        assets[2].transfer(address(assets[parent % 2]), amount);
        roundings[address(assets[2])] += 2;
    }

    function collect(uint256 asset, uint256 holder, uint256 token) external {
        Shares shares = _asset(asset);
        address money = _token(token);
        vm.prank(holders[holder % HOLDERS]);
        shares.collect(money, holders[(holder >> 128) % HOLDERS]);
        ++roundings[address(shares)];
    }

    function collectFrom(uint256 parent, uint256 child, uint256 token) external {
        parent %= 2;
        child = bound(child, parent + 1, ASSETS - 1);
        address money = _token(token);
        sent[address(assets[parent])][money] += _asset(parent).collectFrom(address(assets[child]), money);
        ++roundings[address(assets[child])];
    }

    /// @dev Coin comes to an asset and its children, and everything is fetched, booked and paid to a holder in one call.
    function collectAll(uint256 asset, uint256 holder, uint256 coin) external {
        Shares payee = _asset(asset);
        coin = bound(coin, 0, 1e18);
        address[] memory children = new address[](ASSETS - 1 - lastAsset);
        uint256[TOKENS] memory before;
        for (uint256 i; i < TOKENS; ++i) {
            before[i] = IERC20(tokens[i]).balanceOf(address(payee));
        }
        for (uint256 i = lastAsset; i < ASSETS; ++i) {
            vm.deal(address(assets[i]), coin);
            if (i != lastAsset) {
                children[i - lastAsset - 1] = address(assets[i]);
                sent[address(assets[i])][tokens[0]] += coin;
                ++roundings[address(assets[i])];
            }
        }
        vm.prank(holders[holder % HOLDERS]);
        uint256[] memory paid = payee.collectAll(children, holders[(holder >> 128) % HOLDERS]);
        for (uint256 i; i < TOKENS; ++i) {
            sent[address(payee)][tokens[i]] += IERC20(tokens[i]).balanceOf(address(payee)) + paid[i] - before[i];
        }
        ++roundings[address(payee)];
    }

    function release(uint256 asset, uint256 token) external {
        _asset(asset).release(_token(token));
    }

    function setFee(uint16 bps) external {
        vm.prank(_registry.owner());
        _registry.setProtocolFee(uint16(bound(bps, 0, 1_000)));
    }

    // -- passes --------------------------------------------------------------------------------------------------------

    function buy(uint256 plan, uint256 holder, uint256 packages) external {
        PassId id = plans[plan % PLANS];
        if (_void(id) || _registry.paused() || _registry.isRetired(id.assetOf())) return;
        address buyer = holders[holder % HOLDERS];
        packages = bound(packages, 0, 5);
        uint256 price = packages * _pass.plan(id).price;
        PlainToken(tokens[1]).mint(buyer, price);
        vm.startPrank(buyer);
        PlainToken(tokens[1]).approve(address(_pass), price);
        _pass.buy(id, uint128(packages), holders[(holder >> 128) % HOLDERS]);
        vm.stopPrank();
    }

    function activate(uint256 plan, uint256 holder, uint256 amount) external {
        PassId id = plans[plan % PLANS];
        (address current,) = _registry.meterOf(id.assetOf());
        if (_void(id) || _registry.paused() || current != _meter) return;
        address owner = holders[holder % HOLDERS];
        amount = bound(amount, 0, _pass.balanceOf(owner, PassId.unwrap(id)));
        vm.prank(owner);
        _pass.activate(id, amount, _meter);
    }

    function burn(uint256 plan, uint256 holder, uint256 amount) external {
        PassId id = plans[plan % PLANS];
        if (_void(id)) return;
        address owner = holders[holder % HOLDERS];
        amount = bound(amount, 0, _pass.activated(id, owner, _meter));
        vm.prank(_meter);
        uint256 earned = _pass.burn(owner, id, amount);
        sent[address(_asset(plan % PLANS))][_token(1)] += earned;
    }

    function burnUpTo(uint256 plan, uint256 holder, uint256 total) external {
        PassId id = plans[plan % PLANS];
        if (_void(id)) return;
        address[] memory owners = new address[](1);
        uint256[] memory totals = new uint256[](1);
        owners[0] = holders[holder % HOLDERS];
        (uint256 left, uint256 burned,) = _pass.standing(id, owners[0], _meter);
        totals[0] = bound(total, 0, left + burned + 1); // one too many: left out
        vm.prank(_meter);
        uint256 earned = _pass.burnUpTo(id, owners, totals);
        sent[address(_asset(plan % PLANS))][_token(1)] += earned;
    }

    function refund(uint256 plan, uint256 holder, uint256 amount) external {
        PassId id = plans[plan % PLANS];
        if (_void(id)) return;
        address owner = holders[holder % HOLDERS];
        uint256 circulating = bound(amount, 0, _pass.balanceOf(owner, PassId.unwrap(id)));
        uint256 activated = bound(amount, 0, _pass.activated(id, owner, _meter));
        vm.startPrank(owner);
        if (time() >= _pass.circulatingRefundableAt(id)) _pass.refund(id, circulating, owner);
        if (time() >= _pass.refundableAt(id, _meter)) _pass.refundActivated(id, _meter, activated, owner);
        vm.stopPrank();
    }

    /// @dev The title holder names the meter, another, or none.
    function setMeter(uint256 asset, uint256 which) external {
        asset %= ASSETS;
        AssetId id = assets[asset].assetId();
        address named = [_meter, actor("another meter"), address(0)][which % 3];
        (address current, uint40 since) = _registry.meterOf(id);
        if (since == time()) skip(1); // in one block a naming could be undone
        renamed[asset] = renamed[asset] || named != current;
        vm.prank(holders[0]);
        _registry.setMeter(id, named);
    }

    function pause(uint256 duration) external {
        (, uint32 secondsLeft) = _registry.pauseState();
        vm.prank(_registry.guardian());
        _registry.pause(uint32(bound(duration, 0, secondsLeft / 4)));
    }

    function sweepExpired() external {
        if (!_void(plans[1])) return;
        uint256 earned = _pass.sweepExpired(plans[1]);
        sent[address(_asset(1))][_token(1)] += earned;
    }

    function anchor(uint256 asset) external {
        AssetId id = assets[asset % ASSETS].assetId();
        vm.prank(_meter);
        _pass.anchor(id);
    }

    function wait(uint256 duration) external {
        skip(bound(duration, 0, 9 days));
    }

    /// @dev The child's retirement is announced, or called off.
    function retire() external {
        AssetId id = assets[2].assetId();
        if (_registry.isRetired(id)) return;
        bool announced = _registry.asset(id).retiresAt != 0;
        vm.prank(holders[0]);
        announced ? _registry.cancelRetirement(id) : _registry.retire(id);
    }

    // -- inside --------------------------------------------------------------------------------------------------------

    function _asset(uint256 seed) private returns (Shares) {
        lastAsset = seed % ASSETS;
        return assets[lastAsset];
    }

    function _token(uint256 seed) private returns (address) {
        lastToken = seed % TOKENS;
        return tokens[lastToken];
    }

    function _send(Shares payee, address token, uint256 amount) private {
        if (token == tokens[0]) {
            vm.deal(address(this), amount);
            WrappedNative(payable(token)).deposit{value: amount}();
            IERC20(token).transfer(address(payee), amount);
        } else {
            PlainToken(token).mint(address(payee), amount);
        }
        sent[address(payee)][token] += amount;
    }

    function _void(PassId id) private view returns (bool) {
        IAccessPass.Plan memory plan = _pass.plan(id);
        return plan.expiry != 0 && time() >= plan.expiry;
    }

    function _register(bytes32 salt, IShares.Parent[] memory parents) private returns (Shares shares) {
        IAssetRegistry.Registration memory registration;
        registration.salt = salt;
        registration.name = "Shares";
        registration.symbol = "S";
        registration.currency = tokens[1];
        registration.priceCard.version = 1;
        registration.noticePeriod = 1 hours;
        registration.parents = parents;
        registration.meter = _meter;
        vm.prank(holders[0]);
        (, address account) = _registry.register(registration);
        shares = Shares(payable(account));
        roundings[account] = HOLDERS + 2 * ASSETS + 1; // what is pending now is rounded too: income, royalties, remainder
    }

    function _plan(Shares shares, uint40 expiry, uint128 price, uint128 credits) private returns (PassId) {
        AssetId id = shares.assetId();
        vm.prank(holders[0]);
        return _pass.createPlan(id, tokens[1], expiry, price, credits);
    }
}
