// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LevelsBase} from "../LevelsBase.t.sol";

/// @notice What reading a level costs, were it a transaction, and what setting all ten costs.
contract LevelsGas is LevelsBase {
    function test_read() public {
        levels.benefitsOf(bob);
        vm.snapshotGasLastCall("deals", "level_read");
    }

    function test_set() public {
        vm.prank(owner);
        levels.setLevels(_rows());
        vm.snapshotGasLastCall("deals", "levels_set_same");
    }
}
