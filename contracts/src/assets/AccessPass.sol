// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IAccessPass} from "../interfaces/IAccessPass.sol";
import {IAssetRegistry} from "../interfaces/IAssetRegistry.sol";
import {IShares} from "../interfaces/IShares.sol";
import {AssetId} from "../types/AssetId.sol";
import {PassId, derivePassId} from "../types/PassId.sol";

/// @title AccessPass
/// @notice See IAccessPass for what a credit is and how it lives.
contract AccessPass is IAccessPass, IERC2981, ERC1155, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IAccessPass
    string public constant VERSION = "1.0.0";

    /// @dev Silence after which the credits of a meter are refundable, seconds.
    uint256 private constant SILENCE = 30 days;

    /// @inheritdoc IAccessPass
    address public immutable REGISTRY;

    // Written through storage pointers, which the analyser does not follow.
    // slither-disable-next-line uninitialized-state
    mapping(PassId id => Plan) private _plans;
    mapping(PassId id => mapping(address holder => mapping(address meter => Activation))) private _activations;
    mapping(AssetId asset => mapping(address meter => uint256)) private _lastSign; // Unix seconds

    constructor(address registry) ERC1155("") {
        REGISTRY = registry;
    }

    // -- the title holder ----------------------------------------------------------------------------------------------

    /// @inheritdoc IAccessPass
    function createPlan(AssetId asset, address token, uint40 expiry, uint128 price, uint128 credits)
        external
        returns (PassId id)
    {
        _checkManager(asset);
        require(IAssetRegistry(REGISTRY).isRevenueToken(token), IAssetRegistry.NotRevenueToken(token));
        require(price != 0 && credits != 0, InvalidPlan(price, credits));
        IAssetRegistry.Asset memory asset_ = IAssetRegistry(REGISTRY).asset(asset);
        uint256 earliest = block.timestamp + SILENCE + asset_.noticePeriod;
        require(expiry == 0 || expiry >= earliest, ExpiryTooSoon(expiry, earliest));
        id = planIdOf(asset, token, expiry, price, credits);
        Plan storage plan_ = _plans[id];
        require(plan_.credits == 0, PlanExists(id));

        plan_.token = token;
        plan_.expiry = expiry;
        plan_.selling = true;
        plan_.meterSince = asset_.meterSince;
        plan_.price = price;
        plan_.credits = credits;
        emit PlanCreated(asset, id, token, expiry, price, credits);
        emit SellingSet(asset, id, true);
    }

    /// @inheritdoc IAccessPass
    function setSelling(PassId id, bool selling) external {
        _checkManager(id.assetOf());
        _known(id).selling = selling;
        emit SellingSet(id.assetOf(), id, selling);
    }

    // -- buyers and holders --------------------------------------------------------------------------------------------

    /// @inheritdoc IAccessPass
    function buy(PassId id, uint128 packages, address to) external nonReentrant {
        _checkNotPaused();
        Plan storage plan_ = _unexpired(id);
        require(plan_.selling && !IAssetRegistry(REGISTRY).isRetired(id.assetOf()), NotSelling(id));
        uint256 paid = uint256(packages) * plan_.price;
        uint256 credits = uint256(packages) * plan_.credits;

        plan_.escrow = SafeCast.toUint128(plan_.escrow + paid);
        plan_.outstanding = SafeCast.toUint128(plan_.outstanding + credits);
        emit Bought(id.assetOf(), id, msg.sender, to, credits, paid, plan_.escrow);
        _takeExactly(plan_.token, paid);
        _mint(to, PassId.unwrap(id), credits, "");
    }

    /// @inheritdoc IAccessPass
    function activate(PassId id, uint256 amount, address meter) external nonReentrant {
        _checkNotPaused();
        _unexpired(id);
        AssetId asset = id.assetOf();
        (address current, uint40 since) = IAssetRegistry(REGISTRY).meterOf(asset);
        require(meter == current && meter != address(0), NotMeter(asset, meter, current));

        _burn(msg.sender, PassId.unwrap(id), amount);
        Activation storage activation = _activations[id][msg.sender][meter];
        uint256 total = activation.left + amount;
        activation.left = SafeCast.toUint128(total);
        if (_lastSign[asset][meter] == 0) _lastSign[asset][meter] = since; // or a change of meter would end it at once
        emit Activated(asset, id, msg.sender, meter, amount, total);
    }

    /// @inheritdoc IAccessPass
    function refund(PassId id, uint256 amount, address to) external nonReentrant returns (uint256 paid) {
        _checkRefundable(id, circulatingRefundableAt(id));
        _burn(msg.sender, PassId.unwrap(id), amount);
        return _refund(id, amount, to);
    }

    /// @inheritdoc IAccessPass
    function refundActivated(PassId id, address meter, uint256 amount, address to)
        external
        nonReentrant
        returns (uint256 paid)
    {
        _checkRefundable(id, refundableAt(id, meter));
        Activation storage activation = _activations[id][msg.sender][meter];
        require(amount <= activation.left, NotActivated(id, msg.sender, meter, amount, activation.left));
        activation.left -= uint128(amount);
        return _refund(id, amount, to);
    }

    // -- meters --------------------------------------------------------------------------------------------------------

    /// @inheritdoc IAccessPass
    function burn(address holder, PassId id, uint256 amount) external nonReentrant returns (uint256 earned) {
        Plan storage plan_ = _unexpired(id);
        Activation storage activation = _activations[id][holder][msg.sender];
        uint256 left = activation.left;
        require(amount <= left, NotActivated(id, holder, msg.sender, amount, left));
        _take(id, holder, activation, amount, left, activation.burned);
        return _earn(id, plan_, amount);
    }

    /// @inheritdoc IAccessPass
    function burnUpTo(PassId id, address[] calldata holders, uint256[] calldata totals)
        external
        nonReentrant
        returns (uint256 earned)
    {
        require(holders.length == totals.length, LengthMismatch(holders.length, totals.length));
        Plan storage plan_ = _unexpired(id);
        uint256 sum = 0;
        for (uint256 i; i < holders.length; ++i) {
            Activation storage activation = _activations[id][holders[i]][msg.sender];
            uint256 left = activation.left;
            uint256 burned = activation.burned;
            if (totals[i] <= burned) continue;
            uint256 amount = totals[i] - burned;
            if (amount > left) {
                emit BurnSkipped(id.assetOf(), id, holders[i], msg.sender, amount, left);
                continue;
            }
            _take(id, holders[i], activation, amount, left, burned);
            sum += amount;
        }
        return _earn(id, plan_, sum);
    }

    /// @inheritdoc IAccessPass
    function anchor(AssetId asset) external {
        _lastSign[asset][msg.sender] = block.timestamp;
        emit Anchored(asset, msg.sender);
    }

    // -- anyone --------------------------------------------------------------------------------------------------------

    /// @inheritdoc IAccessPass
    function sweepExpired(PassId id) external nonReentrant returns (uint256 earned) {
        Plan storage plan_ = _known(id);
        require(_isExpired(plan_), PlanNotExpired(id, plan_.expiry));
        plan_.outstanding = 0;
        return _payShares(id, plan_, 0);
    }

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @inheritdoc IAccessPass
    function plan(PassId id) external view returns (Plan memory) {
        return _known(id);
    }

    /// @inheritdoc IAccessPass
    function planIdOf(AssetId asset, address token, uint40 expiry, uint128 price, uint128 credits)
        public
        pure
        returns (PassId id)
    {
        return derivePassId(asset, token, expiry, price, credits);
    }

    /// @inheritdoc IAccessPass
    function activated(PassId id, address holder, address meter) external view returns (uint256) {
        return _activations[id][holder][meter].left;
    }

    /// @inheritdoc IAccessPass
    function standing(PassId id, address holder, address meter)
        external
        view
        returns (uint256 left, uint256 burned, uint256 closesAt)
    {
        Plan storage plan_ = _known(id);
        Activation storage activation = _activations[id][holder][meter];
        closesAt = refundableAt(id, meter);
        if (plan_.expiry != 0 && plan_.expiry <= closesAt) closesAt = 0;
        return (_isExpired(plan_) ? 0 : activation.left, activation.burned, closesAt);
    }

    /// @inheritdoc IAccessPass
    function lastSign(AssetId asset, address meter) public view returns (uint256) {
        (address current, uint40 since) = IAssetRegistry(REGISTRY).meterOf(asset);
        uint256 recorded = _lastSign[asset][meter];
        return recorded != 0 || meter != current ? recorded : since;
    }

    /// @inheritdoc IAccessPass
    function circulatingRefundableAt(PassId id) public view returns (uint256) {
        (address meter, uint40 since) = IAssetRegistry(REGISTRY).meterOf(id.assetOf());
        // The very naming, on purpose: a meter named back in time would close what its replacement had opened.
        // slither-disable-next-line incorrect-equality
        bool sameMeter = meter != address(0) && since == _known(id).meterSince;
        return sameMeter && block.timestamp >= _pausedUntil() ? refundableAt(id, meter) : 0;
    }

    /// @inheritdoc IAccessPass
    function refundableAt(PassId id, address meter) public view returns (uint256) {
        AssetId asset = id.assetOf();
        uint256 silentAt = lastSign(asset, meter) + SILENCE;
        uint256 retiresAt = IAssetRegistry(REGISTRY).asset(asset).retiresAt;
        return retiresAt == 0 ? silentAt : Math.min(retiresAt, silentAt);
    }

    /// @notice The metadata of a pass is that of its asset's title.
    function uri(uint256 id) public view override returns (string memory) {
        return IERC721Metadata(REGISTRY).tokenURI(PassId.wrap(id).assetOf().titleOf());
    }

    /// @inheritdoc IERC2981
    function royaltyInfo(uint256 id, uint256 salePrice) external view returns (address receiver, uint256 amount) {
        return IERC2981(REGISTRY).royaltyInfo(PassId.wrap(id).assetOf().titleOf(), salePrice);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) public view override(ERC1155, IERC165) returns (bool) {
        return interfaceId == type(IERC2981).interfaceId || super.supportsInterface(interfaceId);
    }

    // -- inside --------------------------------------------------------------------------------------------------------

    function _checkManager(AssetId asset) private view {
        require(IAssetRegistry(REGISTRY).mayManage(msg.sender, asset), NotTitleHolder(asset, msg.sender));
    }

    function _checkNotPaused() private view {
        uint40 until = _pausedUntil();
        require(block.timestamp >= until, IAssetRegistry.IsPaused(until));
    }

    function _pausedUntil() private view returns (uint40 until) {
        // slither-disable-next-line unused-return (what is left of the guardian's budget does not matter here)
        (until,) = IAssetRegistry(REGISTRY).pauseState();
    }

    function _checkRefundable(PassId id, uint256 from) private view {
        _unexpired(id);
        require(block.timestamp >= from, NotRefundable(id, from));
    }

    function _known(PassId id) private view returns (Plan storage plan_) {
        plan_ = _plans[id];
        require(plan_.credits != 0, UnknownPlan(id));
    }

    function _unexpired(PassId id) private view returns (Plan storage plan_) {
        plan_ = _known(id);
        require(!_isExpired(plan_), PlanExpired(id, plan_.expiry));
    }

    function _isExpired(Plan storage plan_) private view returns (bool) {
        uint40 expiry = plan_.expiry;
        return expiry != 0 && block.timestamp >= expiry;
    }

    /// @dev A revenue token may come to take a fee after it was listed: then sales stop, and escrow stays whole.
    function _takeExactly(address token, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        // Exact on purpose; a gift in between could only come from the buyer's own hand and stop their own purchase.
        // slither-disable-next-line incorrect-equality
        require(received == amount, WrongAmountReceived(token, received, amount));
    }

    /// @dev Counts `amount` as burned, which is at most `left`: what the meter may burn, beside what it has burned so far.
    function _take(
        PassId id,
        address holder,
        Activation storage activation,
        uint256 amount,
        uint256 left,
        uint256 burned
    ) private {
        left -= amount;
        activation.left = uint128(left);
        activation.burned = uint128(burned + amount);
        emit Burned(id.assetOf(), id, holder, msg.sender, amount, left);
    }

    /// @dev Keeps in escrow what the credits still out are worth, rounded up, and pays the rest to the shares. Over all
    ///      burns this is exactly the price of what was burned, rounded down, plus what refunds were rounded down by.
    function _earn(PassId id, Plan storage plan_, uint256 burned) private returns (uint256 earned) {
        _lastSign[id.assetOf()][msg.sender] = block.timestamp;
        uint256 outstanding = plan_.outstanding - burned;
        plan_.outstanding = uint128(outstanding);
        return _payShares(id, plan_, Math.ceilDiv(outstanding * plan_.price, plan_.credits));
    }

    /// @dev Pays all escrow above `keep` to the asset's Shares.
    function _payShares(PassId id, Plan storage plan_, uint256 keep) private returns (uint256 earned) {
        earned = plan_.escrow - keep;
        plan_.escrow = uint128(keep);
        if (earned == 0) return 0;

        emit Earned(id.assetOf(), id, earned, keep);
        address shares = IAssetRegistry(REGISTRY).sharesOf(id.assetOf());
        address token = plan_.token;
        IERC20(token).safeTransfer(shares, earned);
        // slither-disable-next-line unused-return (it may notice more than this payment)
        IShares(shares).accrue(token);
    }

    function _refund(PassId id, uint256 amount, address to) private returns (uint256 paid) {
        Plan storage plan_ = _plans[id];
        paid = amount * plan_.price / plan_.credits;
        plan_.outstanding -= uint128(amount);
        plan_.escrow -= uint128(paid);
        emit Refunded(id.assetOf(), id, msg.sender, to, amount, paid, plan_.escrow);
        IERC20(plan_.token).safeTransfer(to, paid);
    }
}
