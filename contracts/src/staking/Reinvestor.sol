// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IPriceFeed} from "../interfaces/IPriceFeed.sol";
import {IReinvestor} from "../interfaces/IReinvestor.sol";
import {IVoteEscrow} from "../interfaces/IVoteEscrow.sol";
import {TwoStepOwner} from "../lib/TwoStepOwner.sol";

/// @title Reinvestor
/// @notice See IReinvestor.
contract Reinvestor is IReinvestor, TwoStepOwner, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IReinvestor
    string public constant VERSION = "1.0.0";
    /// @inheritdoc IReinvestor
    uint256 public constant MAX_PRICE_AGE = 2 days;
    /// @inheritdoc IReinvestor
    uint256 public constant MAX_SLIPPAGE_BPS = 1_000;

    uint256 private constant BPS = 10_000;
    uint256 private constant MAX_DECIMALS = 18;
    /// @dev Tokens are added to a lock that has this many weeks left, and never make it longer.
    uint256 private constant LEAST_WEEKS = 1;

    /// @inheritdoc IReinvestor
    IVoteEscrow public immutable ESCROW;
    /// @inheritdoc IReinvestor
    IERC20 public immutable TOKEN;
    /// @inheritdoc IReinvestor
    IERC20 public immutable REVENUE_TOKEN;
    uint256 private immutable TOKEN_UNIT;
    uint256 private immutable REVENUE_UNIT;

    Venue private _venue;

    /// @param owner Sets the market and its bounds.
    /// @param escrow Whose locks grow. Its owner lists this contract as a locker.
    constructor(address owner, IVoteEscrow escrow) Ownable(owner) {
        require(address(escrow).code.length != 0, InvalidVenue(address(escrow)));
        ESCROW = escrow;
        TOKEN = escrow.TOKEN();
        REVENUE_TOKEN = escrow.REVENUE_TOKEN();
        TOKEN_UNIT = _unitOf(TOKEN);
        REVENUE_UNIT = _unitOf(REVENUE_TOKEN);
    }

    /// @inheritdoc IReinvestor
    function reinvest(address account, uint256 amount, uint256 minOut) external nonReentrant returns (uint256 bought) {
        require(msg.sender == address(ESCROW), NotTheEscrow(msg.sender));
        require(ESCROW.lockOf(account).amount != 0, NothingLocked(account));
        Venue memory market = _open();
        amount = Math.min(amount, REVENUE_TOKEN.balanceOf(address(this))); // a token may keep a part
        uint256 priced = _leastOut(market, amount);
        uint256 least = Math.max(minOut, priced);

        // slither-disable-start reentrancy-balance (no function moves these tokens while the guard is closed)
        uint256 before = TOKEN.balanceOf(address(this));
        REVENUE_TOKEN.forceApprove(address(market.router), amount);
        // slither-disable-next-line unused-return (the balance counts)
        market.router.swapExactTokensForTokens(amount, least, market.path, address(this), block.timestamp);
        REVENUE_TOKEN.forceApprove(address(market.router), 0);
        uint256 held = TOKEN.balanceOf(address(this));
        bought = held - before;
        require(bought >= least, TooLittleBought(bought, least));
        // slither-disable-end reentrancy-balance

        uint256 left = REVENUE_TOKEN.balanceOf(address(this));
        emit Reinvested(account, amount - Math.min(amount, left), bought, priced);
        TOKEN.forceApprove(address(ESCROW), held);
        ESCROW.lockFor(account, held, LEAST_WEEKS);
        if (left != 0) REVENUE_TOKEN.safeTransfer(account, left);
    }

    /// @inheritdoc IReinvestor
    function setVenue(Venue calldata venue_) external onlyOwner {
        if (address(venue_.router) != address(0)) _check(venue_);
        _venue = venue_;
        emit VenueSet(address(venue_.router), address(venue_.feed), venue_.maxAge, venue_.maxSlippageBps, venue_.path);
    }

    /// @inheritdoc IReinvestor
    function venue() external view returns (Venue memory) {
        return _venue;
    }

    /// @inheritdoc IReinvestor
    function price() external view returns (int256 answer, uint8 decimals, uint256 updatedAt) {
        return _priceOf(_open().feed);
    }

    /// @inheritdoc IReinvestor
    function leastOut(uint256 amount) external view returns (uint256) {
        return _leastOut(_open(), amount);
    }

    /// @inheritdoc IReinvestor
    function expectedOut(uint256 amount) external view returns (uint256) {
        Venue memory market = _open();
        return market.router.getAmountsOut(amount, market.path)[market.path.length - 1];
    }

    function _open() private view returns (Venue memory market) {
        market = _venue;
        require(address(market.router) != address(0), Closed());
    }

    /// @dev The least that `amount` must buy, by a price that is one and is live.
    function _leastOut(Venue memory market, uint256 amount) private view returns (uint256 least) {
        (int256 answer, uint8 decimals, uint256 updatedAt) = _priceOf(market.feed);
        require(answer > 0 && answer <= type(int128).max && decimals <= MAX_DECIMALS, InvalidPrice(answer));
        require(
            updatedAt <= block.timestamp && block.timestamp - updatedAt <= market.maxAge,
            StalePrice(updatedAt, market.maxAge)
        );
        uint256 fair = Math.mulDiv(amount, TOKEN_UNIT * 10 ** decimals, uint256(answer) * REVENUE_UNIT);
        require(fair != 0, AmountTooSmall(amount));
        return Math.mulDiv(fair, BPS - market.maxSlippageBps, BPS, Math.Rounding.Ceil);
    }

    function _priceOf(IPriceFeed feed) private view returns (int256 answer, uint8 decimals, uint256 updatedAt) {
        // slither-disable-next-line unused-return
        (, answer,, updatedAt,) = feed.latestRoundData();
        decimals = feed.decimals();
    }

    function _check(Venue calldata venue_) private view {
        _checkContract(address(venue_.router));
        _checkContract(address(venue_.feed));
        require(venue_.maxAge != 0 && venue_.maxAge <= MAX_PRICE_AGE, OutOfBounds(venue_.maxAge, 1, MAX_PRICE_AGE));
        require(venue_.maxSlippageBps <= MAX_SLIPPAGE_BPS, OutOfBounds(venue_.maxSlippageBps, 0, MAX_SLIPPAGE_BPS));
        uint256 decimals = venue_.feed.decimals();
        require(decimals <= MAX_DECIMALS, OutOfBounds(decimals, 0, MAX_DECIMALS));
        address[] calldata path = venue_.path;
        require(
            path.length >= 2 && path.length <= 4 && path[0] == address(REVENUE_TOKEN)
                && path[path.length - 1] == address(TOKEN),
            InvalidPath(path)
        );
    }

    function _checkContract(address place) private view {
        require(
            place.code.length != 0 && place != address(this) && place != address(ESCROW) && place != address(TOKEN)
                && place != address(REVENUE_TOKEN),
            InvalidVenue(place)
        );
    }

    function _unitOf(IERC20 token) private view returns (uint256) {
        uint256 decimals = IERC20Metadata(address(token)).decimals();
        require(decimals <= MAX_DECIMALS, OutOfBounds(decimals, 0, MAX_DECIMALS));
        return 10 ** decimals;
    }
}
