// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVoteEscrow} from "./IVoteEscrow.sol";

/// @title IFeeSplitter
/// @notice A fee sink: what arrives in the escrow's revenue token goes to the stakers, everything else to the treasury.
///
/// Anyone may forward at any time; the caller has no influence on the amounts. The contract has no owner and keeps nothing.
interface IFeeSplitter {
    /// @notice The balance in a token was forwarded.
    /// @param token An ERC-20; zero: native coin.
    event Forwarded(address indexed token, address indexed to, uint256 amount);

    /// @notice An address that cannot be used: an escrow without code, or no treasury.
    error InvalidAddress(address account);

    /// @notice The treasury refused native coin.
    error CoinRefused(address treasury, uint256 amount);

    /// @notice Releases fees to this contract and forwards its whole balance in the token. Revenue of the escrow is booked
    ///         for the running week, and weeks that are over are closed.
    /// @param token An ERC-20; zero: native coin.
    /// @param sources Contracts with `release(token)`, such as the shares of assets and the exchange. May be empty.
    /// @return amount Amount forwarded, atomic units.
    function forward(address token, address[] calldata sources) external returns (uint256 amount);

    /// @notice The recipient of a token.
    function sinkOf(address token) external view returns (address);

    /// @notice The escrow whose stakers get its revenue token.
    function ESCROW() external view returns (IVoteEscrow);

    /// @notice The recipient of every other token.
    function TREASURY() external view returns (address);

    /// @notice The version of this contract, as "major.minor.patch".
    function VERSION() external view returns (string memory);
}
