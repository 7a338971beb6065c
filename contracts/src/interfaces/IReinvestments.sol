// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IReinvestments
/// @notice Adds a staker's revenue to its lock: claims it to a reinvestor, which buys platform tokens and locks them.
interface IReinvestments {
    /// @notice The account is due no revenue now.
    error NothingToReinvest(address account);

    /// @notice The deadline has passed.
    error ReinvestmentExpired(uint256 deadline);

    /// @notice The signature is not the account's, or is over other values, or was used.
    error InvalidReinvestmentSignature(address account);

    /// @notice Claims the caller's revenue and adds what it buys to the caller's lock, all or nothing.
    /// @param reinvestor One of the contracts that the owner lets lock for others.
    /// @param minOut The least to buy, atomic units of the platform token.
    /// @param deadline The last second in which it may happen, Unix seconds.
    /// @return bought What was added to the lock for the revenue, atomic units of the platform token.
    function reinvest(address reinvestor, uint256 minOut, uint256 deadline) external returns (uint256 bought);

    /// @notice `reinvest` for an account that signed it (EIP-712, or ERC-1271). Anyone may send it, once.
    /// @dev `Reinvestment(address account,address reinvestor,uint256 minOut,uint256 nonce,uint256 deadline)`, with the
    ///      account's nonce, which delegations by signature count too.
    /// @param account Whose revenue and lock.
    /// @param reinvestor As for `reinvest`.
    /// @param minOut As for `reinvest`.
    /// @param deadline As for `reinvest`.
    /// @param signature The account's.
    /// @return bought As for `reinvest`.
    function reinvestBySig(
        address account,
        address reinvestor,
        uint256 minOut,
        uint256 deadline,
        bytes calldata signature
    ) external returns (uint256 bought);
}
