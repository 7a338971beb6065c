// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title An owner who hands over in two steps and cannot give up
/// @notice A contract without an owner could never drop a stolen key again.
abstract contract TwoStepOwner is Ownable2Step {
    /// @notice Ownership passes to an account that accepts it (`transferOwnership`, `acceptOwnership`), never to none.
    error OwnershipNotRenounceable();

    /// @notice Always reverts.
    function renounceOwnership() public pure override {
        revert OwnershipNotRenounceable();
    }
}
