// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IShares} from "./IShares.sol";

/// @title IWrappedShares
/// @notice Revenue shares in a form that any pool, vault or wallet can hold without losing income.
///
/// Why: income of shares is owed to the address that holds them, and a pool never collects. One wrapped share stands for
/// one share and for an equal part of all income that the wrapped shares have earned and that is not paid out yet, the
/// *pot*. So income is not owed to holders by name: it makes each wrapped share worth more, and who unwraps one takes its
/// part along, also out of a pool or a vault.
///
/// A wrapped share's life. `wrap` takes the shares and, for each revenue token, the part of the pot that the new wrapped
/// shares will represent: a later caller pays for the income that is there already, and neither gains nor loses by it.
/// Meanwhile it is a plain ERC-20. `unwrap` gives back the share and pays the part of the pot.
///
/// Always true: there are as many wrapped shares as shares here (more of these, if someone sent some without wrapping
/// them); all wrapped shares together represent the whole pot; no wrap or unwrap lowers what the others represent.
/// When the last one is unwrapped, nothing of the pot is left.
/// @dev Income that the shares have not accrued, and what their asset's children owe them, is in no pot yet: it falls to
///      who holds wrapped shares when it comes in. Each wrap and unwrap accrues and collects first. A transfer policy of the
///      shares binds the wrapped shares, too.
interface IWrappedShares is IERC20 {
    /// @notice Shares were wrapped; `income` was paid into the pot, one amount for each of the registry's `revenueTokens`.
    event Wrapped(address indexed from, address indexed to, uint256 amount, uint256[] income);

    /// @notice Shares were unwrapped; `income` was paid to `to`, one amount for each of `tokens`.
    event Unwrapped(address indexed from, address indexed to, uint256 amount, address[] tokens, uint256[] income);

    /// @notice Income came into the pot.
    event Gathered(address indexed token, uint256 amount);

    /// @notice The shares' transfer policy refuses this.
    error TransferRefused(address policy, address from, address to, uint256 amount);

    /// @notice The pot takes more of the token than the caller allowed.
    error IncomeAboveMax(address token, uint256 income, uint256 most);

    /// @notice Two lists that belong together differ in length.
    error LengthMismatch(uint256 first, uint256 second);

    /// @notice Tokens are not in strictly ascending order; so one is there twice, perhaps.
    error TokensNotAscending(address token);

    /// @notice Only revenue tokens are paid out.
    error NotRevenueToken(address token);

    /// @notice The token delivered another amount than it was asked for.
    error WrongAmountReceived(address token, uint256 received, uint256 expected);

    /// @notice Wraps shares of the caller, and takes the new wrapped shares' part of the pot by the caller's allowances.
    /// @param amount Shares, 6 decimals.
    /// @param to Who gets the wrapped shares.
    /// @param maxIncome The most to pay in each of the registry's `revenueTokens`, in their order.
    function wrap(uint256 amount, address to, uint256[] calldata maxIncome) external;

    /// @notice Unwraps shares of the caller, and pays their part of the pot.
    /// @param amount Shares, 6 decimals.
    /// @param to Who gets the shares and the income.
    /// @param tokens The revenue tokens to be paid in, in ascending order. The part in a token that is left out falls to
    ///        the others: so no broken token can lock shares.
    /// @return income What was paid in each of `tokens`, rounded down.
    function unwrap(uint256 amount, address to, address[] calldata tokens) external returns (uint256[] memory income);

    /// @notice Collects what the shares have earned in `token` into the pot. Anyone may call.
    /// @return amount What came in.
    function gather(address token) external returns (uint256 amount);

    /// @notice What `amount` wrapped shares represent in each of the registry's `revenueTokens`, beside as many shares:
    ///         what `unwrap` pays, rounded down. It counts what the shares have earned and is not gathered yet.
    function incomeDown(uint256 amount) external view returns (address[] memory tokens, uint256[] memory income);

    /// @notice What `wrap` asks for in each of the registry's `revenueTokens`, rounded up.
    function incomeUp(uint256 amount) external view returns (address[] memory tokens, uint256[] memory income);

    /// @notice The shares.
    function SHARES() external view returns (IShares);

    /// @notice The version of this contract, as "major.minor.patch".
    function VERSION() external view returns (string memory);
}
