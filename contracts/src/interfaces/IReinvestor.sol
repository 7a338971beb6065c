// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IPriceFeed} from "./IPriceFeed.sol";
import {ISwapRouter} from "./ISwapRouter.sol";
import {IVoteEscrow} from "./IVoteEscrow.sol";

/// @title IReinvestor
/// @notice Buys platform tokens for a staker's revenue, and adds them to the staker's lock. Only the escrow calls it, for an
///         account that asked or signed.
///
/// A staker is due 10 dollars; the feed says that a platform token costs 0.05 dollars; the owner has set 2 % as the most that a
/// market may differ. `VoteEscrow.reinvest` claims the 10 dollars to this contract, which lets the router take exactly 10,
/// counts what came back, and adds it to the lock: at least 196 tokens, and at least what the staker named. Otherwise all of
/// it is as before.
///
/// Always true: a reinvestment buys at least what its account named and at least what a live price allows; nothing is left
/// here after it, neither tokens nor allowances; without a live price nothing is bought.
/// @dev The router is not trusted: it gets an allowance of the exact amount for one call, and what it did is read from
///      balances. Tokens that anyone sends here go to the account of the next reinvestment.
interface IReinvestor {
    /// @notice Where and within which bounds tokens are bought.
    /// @param router The market; the zero address: closed.
    /// @param feed Price of a whole platform token in whole revenue tokens.
    /// @param maxAge The oldest price that counts, seconds.
    /// @param maxSlippageBps The most that a purchase may be worse than the price, hundredths of a per cent.
    /// @param path From the revenue token to the platform token, 2 to 4 tokens.
    struct Venue {
        ISwapRouter router;
        IPriceFeed feed;
        uint32 maxAge;
        uint16 maxSlippageBps;
        address[] path;
    }

    /// @notice Revenue was turned into tokens of a lock.
    /// @param account Whose.
    /// @param spent Atomic units of the revenue token.
    /// @param bought Atomic units of the platform token.
    /// @param leastOut The least that the price allowed.
    event Reinvested(address indexed account, uint256 spent, uint256 bought, uint256 leastOut);

    /// @notice The owner chose the market and its bounds.
    event VenueSet(address indexed router, address indexed feed, uint32 maxAge, uint16 maxSlippageBps, address[] path);

    /// @notice Only the escrow may call this.
    error NotTheEscrow(address caller);

    /// @notice No market is set.
    error Closed();

    /// @notice Neither the router nor the feed can be this address: one without code, or a token or contract of the escrow.
    error InvalidVenue(address place);

    /// @notice A path goes from the revenue token to the platform token over at most two others.
    error InvalidPath(address[] path);

    /// @notice A value is not within its bounds.
    error OutOfBounds(uint256 value, uint256 least, uint256 most);

    /// @notice The answer of the price feed is zero or negative.
    error InvalidPrice(int256 price);

    /// @notice The feed's price is older than allowed, or from the future.
    error StalePrice(uint256 updatedAt, uint256 maxAge);

    /// @notice The amount buys less than an atomic unit at the feed's price.
    error AmountTooSmall(uint256 amount);

    /// @notice The account has no lock that tokens could be added to.
    error NothingLocked(address account);

    /// @notice The market gave less than the account or the price allows.
    error TooLittleBought(uint256 bought, uint256 least);

    /// @notice Buys tokens for revenue that the escrow has just claimed to this contract, and adds them to the account's lock.
    ///         Escrow only.
    /// @param account Whose revenue and lock; asked for it.
    /// @param amount What was claimed, atomic units of the revenue token.
    /// @param minOut The least to buy, atomic units of the platform token.
    /// @return bought Atomic units of the platform token.
    function reinvest(address account, uint256 amount, uint256 minOut) external returns (uint256 bought);

    /// @notice Sets where tokens are bought; the zero address as router closes it. Owner only.
    /// @param venue_ A router and a feed with code, at most two days, at most 10 %.
    function setVenue(Venue calldata venue_) external;

    /// @notice Where tokens are bought.
    function venue() external view returns (Venue memory);

    /// @notice The feed's price as it is, whether or not it counts.
    /// @return answer Whole revenue tokens for a whole platform token, x 10^decimals.
    /// @return decimals Of the answer.
    /// @return updatedAt Unix seconds.
    function price() external view returns (int256 answer, uint8 decimals, uint256 updatedAt);

    /// @notice The least that an amount must buy now by the feed's price. Reverts without a live price.
    /// @param amount Atomic units of the revenue token.
    /// @return Atomic units of the platform token, rounded up.
    function leastOut(uint256 amount) external view returns (uint256);

    /// @notice What the market would give for an amount now. Anyone can move a market: do not use this as a price.
    /// @param amount Atomic units of the revenue token.
    /// @return Atomic units of the platform token.
    function expectedOut(uint256 amount) external view returns (uint256);

    /// @notice The escrow whose locks grow.
    function ESCROW() external view returns (IVoteEscrow);

    /// @notice The token that is bought and locked.
    function TOKEN() external view returns (IERC20);

    /// @notice The token that is spent.
    function REVENUE_TOKEN() external view returns (IERC20);

    /// @notice The highest `maxAge`, seconds.
    function MAX_PRICE_AGE() external view returns (uint256);

    /// @notice The highest `maxSlippageBps`.
    function MAX_SLIPPAGE_BPS() external view returns (uint256);

    /// @notice The version of this contract, as "major.minor.patch".
    function VERSION() external view returns (string memory);
}
