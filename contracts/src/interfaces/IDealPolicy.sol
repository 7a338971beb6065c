// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DealId} from "../types/DealId.sol";

/// @title Who may subscribe to a deal
/// @notice Chosen when a deal is created and then fixed: an allow list, a check of identity, or any other rule by account. It
///         is asked when an account subscribes, and never for a claim or a refund.
/// @dev The deal room calls it with STATICCALL. A policy that reverts blocks subscriptions to its deal, and nothing else.
interface IDealPolicy {
    /// @notice Whether `account` may subscribe to `deal`.
    function canSubscribe(DealId deal, address account) external view returns (bool allowed);
}
