// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DealId} from "../types/DealId.sol";
import {IDealPolicy} from "./IDealPolicy.sol";
import {IDealRoom} from "./IDealRoom.sol";

/// @title IAllowList
/// @notice A deal policy that all deals of a deal room can share: each issuer keeps the list of its own deal.
///
/// A list starts empty: until the issuer allows an account, no account can subscribe. The issuer may change the list while
/// the deal sells. That changes who may pay in from then on, and nothing of what was paid in.
/// @dev It has no owner and holds nothing.
interface IAllowList is IDealPolicy {
    /// @notice The issuer of a deal allowed an account to subscribe, or no longer allows it.
    event AccountSet(DealId indexed deal, address indexed account, bool allowed);

    /// @notice The deal room has no code.
    error InvalidDealRoom(address room);

    /// @notice Only the issuer of the deal may do this.
    error NotTheIssuer(DealId deal, address caller);

    /// @notice Allows accounts to subscribe to a deal, or no longer. Issuer of the deal only.
    /// @param accounts Whom; one that is so already is not written again.
    /// @param allowed Whether they may.
    function setAccounts(DealId deal, address[] calldata accounts, bool allowed) external;

    /// @notice The deal room whose issuers keep lists here.
    function ROOM() external view returns (IDealRoom);

    /// @notice Version of this contract.
    function VERSION() external view returns (string memory);
}
