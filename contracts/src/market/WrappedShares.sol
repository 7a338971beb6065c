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
        uint256[] memory income = new uint256[](tokens.length);
        for (uint256 i = 0; i < tokens.length; ++i) {
            _gather(tokens[i]);
            income[i] = _part(_pot(tokens[i]), amount, Math.Rounding.Ceil);
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
        income = new uint256[](tokens.length);
        for (uint256 i = 0; i < tokens.length; ++i) {
            address token = tokens[i];
            require(i == 0 || tokens[i - 1] < token, TokensNotAscending(token));
            require(REGISTRY.isRevenueToken(token), NotRevenueToken(token));
            _gather(token);
            income[i] = _part(_pot(token), amount, Math.Rounding.Floor);
        }
        emit Unwrapped(msg.sender, to, amount, tokens, income);
        _burn(msg.sender, amount);
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
    function incomeDown(uint256 amount) external view returns (address[] memory tokens, uint256[] memory income) {
        return _income(amount, Math.Rounding.Floor);
    }

    /// @inheritdoc IWrappedShares
    function incomeUp(uint256 amount) external view returns (address[] memory tokens, uint256[] memory income) {
        return _income(amount, Math.Rounding.Ceil);
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

    function _income(uint256 amount, Math.Rounding rounding)
        private
        view
        nonReentrantView
        returns (address[] memory tokens, uint256[] memory income)
    {
        tokens = REGISTRY.revenueTokens();
        income = new uint256[](tokens.length);
        for (uint256 i = 0; i < tokens.length; ++i) {
            uint256 pot = _pot(tokens[i]) + SHARES.pending(address(this), tokens[i]);
            income[i] = _part(pot, amount, rounding);
        }
    }

    /// @dev Income that is here. Of the shares themselves, were they ever listed as a revenue token, what is not wrapped.
    function _pot(address token) private view returns (uint256 pot) {
        pot = IERC20(token).balanceOf(address(this));
        if (token == address(SHARES)) pot -= totalSupply();
    }

    /// @dev What `amount` wrapped shares, there or to come, stand for; the first to come finds an empty pot, or dust.
    function _part(uint256 pot, uint256 amount, Math.Rounding rounding) private view returns (uint256) {
        uint256 supply = totalSupply();
        return supply == 0 ? 0 : Math.mulDiv(pot, amount, supply, rounding);
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
