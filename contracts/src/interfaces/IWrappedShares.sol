// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IShares} from "./IShares.sol";

/// @title IWrappedShares
/// @notice Revenue shares in a form that any pool, vault or wallet can hold without losing income.
///
/// Why: income of shares is owed to the address that holds them, and a pool never collects. One wrapped share stands for
/// one share and for all that a share has earned since the wrapper's *start*, when there was no other wrapped share. Income
/// is not recorded for each holder: it makes every wrapped share worth more, and `unwrap` pays it to the caller, also where
/// a pool or a vault held the share meanwhile.
///
/// A wrapped share's life. `wrap` takes the shares and, in each revenue token, what as many shares have earned since the
/// start: a later caller pays for the income that is there already, and neither gains nor loses by it. Meanwhile it is a
/// plain ERC-20. `unwrap` gives back the share and pays what it has earned. The income that waits here is the *pot*.
///
/// Always true: there are as many wrapped shares as shares here (more of these, if someone sent some without wrapping
/// them); what wrapping costs depends on the shares' accumulators alone, so no gift, loan or order of calls changes it; no
/// wrap or unwrap lowers what the others represent; the pot covers what all wrapped shares have earned, but for less than a
/// unit of rounding for each step. What is here beyond that (gifts, income of shares that were sent here, income that an
/// `unwrap` left out, rounding) is the shares' income again: `returnExcess`.
/// @dev Income that the shares have not accrued, and what their asset's children owe them, is not earned yet: it falls to
///      who holds wrapped shares when it comes in. Each wrap accrues and collects all revenue tokens first, each unwrap those
///      that it names. The start is set when someone wraps and there were no wrapped shares before that block. A transfer
///      policy of the shares binds the wrapped shares, too.
interface IWrappedShares is IERC20 {
    /// @notice Shares were wrapped; `income` was paid into the pot, one amount for each of the registry's `revenueTokens`.
    event Wrapped(address indexed from, address indexed to, uint256 amount, uint256[] income);

    /// @notice Shares were unwrapped; `income` was paid to `to`, one amount for each of `tokens`.
    event Unwrapped(address indexed from, address indexed to, uint256 amount, address[] tokens, uint256[] income);

    /// @notice Income came into the pot.
    event Gathered(address indexed token, uint256 amount);

    /// @notice What belonged to no wrapped share went to the shares, as income of all who hold them.
    event ExcessReturned(address indexed token, uint256 amount);

    /// @notice The shares' transfer policy refuses this.
    error TransferRefused(address policy, address from, address to, uint256 amount);

    /// @notice Shares have earned more of the token than the caller allowed.
    error IncomeAboveMax(address token, uint256 income, uint256 most);

    /// @notice Two lists that belong together differ in length.
    error LengthMismatch(uint256 first, uint256 second);

    /// @notice Tokens are not in strictly ascending order; so one is there twice, perhaps.
    error TokensNotAscending(address token);

    /// @notice Only revenue tokens are paid out.
    error NotRevenueToken(address token);

    /// @notice The token delivered another amount than it was asked for.
    error WrongAmountReceived(address token, uint256 received, uint256 expected);

    /// @notice Wraps shares of the caller, and takes what as many have earned by the caller's allowances.
    /// @param amount Shares, 6 decimals.
    /// @param to Who gets the wrapped shares.
    /// @param maxIncome The most to pay in each of the registry's `revenueTokens`, in their order.
    function wrap(uint256 amount, address to, uint256[] calldata maxIncome) external;

    /// @notice Unwraps shares of the caller, and pays what they have earned.
    /// @param amount Shares, 6 decimals.
    /// @param to Who gets the shares and the income.
    /// @param tokens The revenue tokens to be paid in, in ascending order. What was earned in a token that is left out
    ///        becomes excess: so no broken token can lock shares.
    /// @return income What was paid in each of `tokens`, rounded down.
    function unwrap(uint256 amount, address to, address[] calldata tokens) external returns (uint256[] memory income);

    /// @notice Collects what the shares have earned in `token` into the pot. Anyone may call.
    /// @return amount What came in.
    function gather(address token) external returns (uint256 amount);

    /// @notice Pays what belongs to no wrapped share to the shares, and accrues it there. Anyone may call.
    /// @param token Any ERC-20 that is here but the shares; one that is not a revenue token lies in the shares as if it had been
    ///        sent there.
    /// @return amount What was paid.
    function returnExcess(address token) external returns (uint256 amount);

    /// @notice What `unwrap` of `amount` pays in each of the registry's `revenueTokens`, rounded down. It gathers first:
    ///         simulate it, or call it.
    function incomeDown(uint256 amount) external returns (address[] memory tokens, uint256[] memory income);

    /// @notice What `wrap` asks for in each of the registry's `revenueTokens`, rounded up. It gathers first, too.
    function incomeUp(uint256 amount) external returns (address[] memory tokens, uint256[] memory income);

    /// @notice The shares' `perShare` in `token` from which on wrapped shares have earned, atomic units x 2^64.
    function startOf(address token) external view returns (uint256);

    /// @notice The shares.
    function SHARES() external view returns (IShares);

    /// @notice The version of this contract, as "major.minor.patch".
    function VERSION() external view returns (string memory);
}
