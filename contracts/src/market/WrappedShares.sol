// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IAssetRegistry} from "../interfaces/IAssetRegistry.sol";
import {IShares} from "../interfaces/IShares.sol";
import {ITransferPolicy} from "../interfaces/ITransferPolicy.sol";
import {IWrappedShares} from "../interfaces/IWrappedShares.sol";

/// @title WrappedShares
/// @notice See IWrappedShares for what it is and how a wrapped share lives. It has no owner.
contract WrappedShares is IWrappedShares, ERC20Permit, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IWrappedShares
    string public constant VERSION = "1.0.0";

    /// @inheritdoc IWrappedShares
    IShares public immutable SHARES;
    IAssetRegistry private immutable REGISTRY;
    address private immutable POLICY;

    /// @dev The scale of the shares' `perShare`.
    uint256 private constant PER_SHARE_SCALE = 1 << 64;

    /// @inheritdoc IWrappedShares
    mapping(address token => uint256) public startOf; // atomic units x 2^64 for an atomic share
    uint256 private _emptiedAt; // when the last wrapped share was unwrapped, Unix seconds

    /// @param shares Shares of a registered asset; WrappedSharesFactory looks that they are.
    constructor(IShares shares)
        ERC20(
            string.concat("Wrapped ", IERC20Metadata(address(shares)).name()),
            string.concat("w", IERC20Metadata(address(shares)).symbol())
        )
        ERC20Permit("Usufruct Wrapped Shares")
    {
        SHARES = shares;
        REGISTRY = IAssetRegistry(shares.REGISTRY());
        POLICY = shares.transferPolicy();
    }

    /// @inheritdoc IWrappedShares
    function wrap(uint256 amount, address to, uint256[] calldata maxIncome) external nonReentrant {
        address[] memory tokens = REGISTRY.revenueTokens();
        require(tokens.length == maxIncome.length, LengthMismatch(tokens.length, maxIncome.length));
        uint256[] memory income = _gatherAndAsk(tokens, amount);
        for (uint256 i = 0; i < tokens.length; ++i) {
            require(income[i] <= maxIncome[i], IncomeAboveMax(tokens[i], income[i], maxIncome[i]));
        }
        emit Wrapped(msg.sender, to, amount, income);
        _mint(to, amount);
        IERC20(address(SHARES)).safeTransferFrom(msg.sender, address(this), amount);
        for (uint256 i = 0; i < tokens.length; ++i) {
            if (income[i] != 0) _take(tokens[i], income[i]);
        }
    }

    /// @inheritdoc IWrappedShares
    function unwrap(uint256 amount, address to, address[] calldata tokens)
        external
        nonReentrant
        returns (uint256[] memory income)
    {
        for (uint256 i = 0; i < tokens.length; ++i) {
            require(i == 0 || tokens[i - 1] < tokens[i], TokensNotAscending(tokens[i]));
            require(REGISTRY.isRevenueToken(tokens[i]), NotRevenueToken(tokens[i]));
        }
        income = _gatherAndOffer(tokens, amount);
        emit Unwrapped(msg.sender, to, amount, tokens, income);
        _burn(msg.sender, amount);
        if (totalSupply() == 0) _emptiedAt = block.timestamp;
        IERC20(address(SHARES)).safeTransfer(to, amount);
        for (uint256 i = 0; i < tokens.length; ++i) {
            if (income[i] != 0) IERC20(tokens[i]).safeTransfer(to, income[i]);
        }
    }

    /// @inheritdoc IWrappedShares
    function gather(address token) external nonReentrant returns (uint256 amount) {
        return _gather(token);
    }

    /// @inheritdoc IWrappedShares
    function returnExcess(address token) external nonReentrant returns (uint256 amount) {
        bool isIncome = REGISTRY.isRevenueToken(token);
        if (isIncome) _gather(token);
        uint256 pot = _earned(token, totalSupply(), Math.Rounding.Ceil);
        amount = Math.saturatingSub(IERC20(token).balanceOf(address(this)), pot);
        if (amount == 0) return 0;
        emit ExcessReturned(token, amount);
        IERC20(token).safeTransfer(address(SHARES), amount);
        // slither-disable-next-line unused-return (what it accrues may be more than was returned)
        if (isIncome) SHARES.accrue(token);
    }

    /// @inheritdoc IWrappedShares
    function incomeDown(uint256 amount)
        external
        nonReentrant
        returns (address[] memory tokens, uint256[] memory income)
    {
        tokens = REGISTRY.revenueTokens();
        income = _gatherAndOffer(tokens, amount);
    }

    /// @inheritdoc IWrappedShares
    function incomeUp(uint256 amount) external nonReentrant returns (address[] memory tokens, uint256[] memory income) {
        tokens = REGISTRY.revenueTokens();
        income = _gatherAndAsk(tokens, amount);
    }

    /// @notice Six decimals, as shares.
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    // -- inside --------------------------------------------------------------------------------------------------------

    /// @dev Coin that the shares have not wrapped is income, too.
    function _gather(address token) private returns (uint256 amount) {
        // slither-disable-next-line unused-return
        if (token == SHARES.WRAPPED_NATIVE() && address(SHARES).balance != 0) SHARES.wrap();
        amount = SHARES.accrueAndCollect(token, address(this));
        if (amount != 0) emit Gathered(token, amount);
    }

    function _take(address token, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        // slither-disable-next-line incorrect-equality (exact on purpose)
        require(received == amount, WrongAmountReceived(token, received, amount));
    }

    /// @dev The income that wrapping costs: what as many shares have earned since the start. The pot does not count, so
    ///      gifts to it change nothing. Where no wrapped share exists, the start is now, and the caller pays nothing. An
    ///      exception is the block in which the last ones were unwrapped: a pool can lend all of them for one transaction.
    // slither-disable-next-line reentrancy-no-eth (both callers are locked)
    function _gatherAndAsk(address[] memory tokens, uint256 amount) private returns (uint256[] memory income) {
        // slither-disable-next-line timestamp,incorrect-equality (no time is measured: is it the same block?)
        bool starts = totalSupply() == 0 && _emptiedAt != block.timestamp;
        income = new uint256[](tokens.length);
        for (uint256 i = 0; i < tokens.length; ++i) {
            address token = tokens[i];
            _gather(token);
            if (starts) startOf[token] = SHARES.revenue(token).perShare;
            income[i] = _earned(token, amount, Math.Rounding.Ceil);
        }
    }

    /// @dev The income that unwrapping pays: what as many shares have earned, or their part of the pot where it holds less.
    ///      It holds less by some units of rounding, or because a token delivered less than it was asked for.
    function _gatherAndOffer(address[] memory tokens, uint256 amount) private returns (uint256[] memory income) {
        uint256 supply = totalSupply();
        income = new uint256[](tokens.length);
        for (uint256 i = 0; i < tokens.length && supply != 0; ++i) {
            _gather(tokens[i]);
            uint256 part = Math.mulDiv(IERC20(tokens[i]).balanceOf(address(this)), amount, supply);
            income[i] = Math.min(part, _earned(tokens[i], amount, Math.Rounding.Floor));
        }
    }

    /// @dev What `amount` wrapped shares have earned since the start. Of the shares themselves, were they ever listed as a
    ///      revenue token, that is nothing: they never hold themselves.
    function _earned(address token, uint256 amount, Math.Rounding rounding) private view returns (uint256) {
        return Math.mulDiv(SHARES.revenue(token).perShare - startOf[token], amount, PER_SHARE_SCALE, rounding);
    }

    /// @dev The shares' own transfer policy; it sees wrapped shares as the shares that they are. Burned ones leave as shares,
    ///      which ask it themselves.
    function _update(address from, address to, uint256 amount) internal override {
        require(to != address(this), ERC20InvalidReceiver(to));
        if (POLICY != address(0) && to != address(0)) {
            address giver = from == address(0) ? msg.sender : from;
            bool allowed = giver == to
                ? ITransferPolicy(POLICY).canHold(address(SHARES), to)
                : ITransferPolicy(POLICY).canTransfer(address(SHARES), giver, to, amount);
            require(allowed, TransferRefused(POLICY, giver, to, amount));
        }
        super._update(from, to, amount);
    }
}
