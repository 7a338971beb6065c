// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILevels} from "../src/interfaces/ILevels.sol";
import {IVoteEscrow} from "../src/interfaces/IVoteEscrow.sol";
import {Levels} from "../src/staking/Levels.sol";
import {StakingBase} from "./staking/StakingBase.t.sol";

/// @notice Ten levels: level i needs a score of 100 x i tokens, takes 3 x i per cent off prices, and has i more usual quotas.
///         Alice has level 10, Bob 5, Carol 1, Dave 0, from the start of the week that tests begin in.
abstract contract LevelsBase is StakingBase {
    uint256 internal constant STEP = 100 * ONE;

    Levels internal levels;

    function setUp() public virtual override {
        super.setUp();
        levels = _levels(owner, escrow, _rows());
        _lock(alice, 10 * STEP, 52);
        _lock(bob, 5 * STEP, 52);
        _lock(carol, STEP, 52);
        _nextWeek(1);
    }

    function _levels(address owner_, IVoteEscrow escrow_, ILevels.Level[10] memory rows) internal returns (Levels) {
        return Levels(deploy("Levels.sol:Levels", abi.encode(owner_, escrow_, rows)));
    }

    function _rows() internal pure returns (ILevels.Level[10] memory rows) {
        for (uint256 i = 0; i < 10; ++i) {
            rows[i] = ILevels.Level(uint96((i + 1) * STEP), uint16(300 * (i + 1)), uint32(10_000 * (i + 2)));
        }
    }
}
