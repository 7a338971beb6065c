// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVoteEscrow} from "../../src/interfaces/IVoteEscrow.sol";
import {MAX_AMOUNT, MAX_WEEKS} from "../../src/types/EscrowRows.sol";
import {Base} from "../Base.t.sol";
import {PlainToken} from "../mocks/PlainToken.sol";

/// @notice Proofs about VoteEscrow, in its shipped bytecode, for all amounts that two stakers can lock.
/// @dev Weeks and durations are numbers, so that the contract's loops over weeks end. Amounts are symbols.
contract VoteEscrowProofs is Base {
    uint256 private constant FIRST = 2_950; // the week of the first locks
    address private constant ALICE = address(0xA11CE);
    address private constant BOB = address(0xB0B);

    IVoteEscrow private _escrow;

    function setUp() public {
        vm.warp(FIRST * 1 weeks + 3 days);
        PlainToken token = new PlainToken();
        _escrow =
            IVoteEscrow(deploy("VoteEscrow.sol:VoteEscrow", abi.encode(address(this), token, new PlainToken(), 0, 0)));
        _fund(token, ALICE);
        _fund(token, BOB);
    }

    /// @notice Lock, increase, extend, withdraw: the total weight is the sum of the stakers' weights in every week.
    function check_the_total_is_the_sum_of_the_stakers(uint96 first, uint96 second, uint96 more) external {
        vm.prank(ALICE);
        _escrow.lock(first, 2);
        vm.prank(BOB);
        _escrow.lock(second, 1);
        vm.prank(ALICE);
        _escrow.increase(more);
        _checkTotal(FIRST);

        vm.warp((FIRST + 1) * 1 weeks);
        vm.prank(BOB);
        _escrow.extend(2);
        _checkTotal(FIRST + 1);

        vm.warp((FIRST + 3) * 1 weeks);
        vm.prank(ALICE);
        _escrow.withdraw(ALICE);
        _checkTotal(FIRST + 3);
    }

    /// @notice A score is amount x weeks left / 52, rounded down.
    function check_a_score_is_rounded_down(uint96 amount) external {
        vm.prank(ALICE);
        _escrow.lock(amount, MAX_WEEKS);
        _checkScore(amount, 52);
        _checkScore(amount, 51);
        _checkScore(amount, 17);
        _checkScore(amount, 1);
    }

    function _fund(PlainToken token, address account) private {
        token.mint(account, MAX_AMOUNT / 2);
        vm.prank(account);
        token.approve(address(_escrow), type(uint256).max);
    }

    /// @dev In the running week and the next.
    function _checkTotal(uint256 week) private view {
        _checkTotalAt(week);
        _checkTotalAt(week + 1);
    }

    function _checkTotalAt(uint256 week) private view {
        assert(_escrow.totalWeightAt(week) == _escrow.weightAt(ALICE, week) + _escrow.weightAt(BOB, week));
    }

    function _checkScore(uint256 amount, uint256 left) private {
        vm.warp((FIRST + 1 + MAX_WEEKS - left) * 1 weeks);
        assert(_escrow.scoreOf(ALICE) == amount * left / 52);
    }
}
