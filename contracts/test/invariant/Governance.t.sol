// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Base} from "../Base.t.sol";
import {GovernanceHandler} from "./GovernanceHandler.sol";

contract GovernanceInvariantTest is Base {
    GovernanceHandler private handler;

    function setUp() public {
        handler = new GovernanceHandler();
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory selectors) {
        selectors = new FuzzSelector[](1);
        selectors[0].addr = address(handler);
        bytes4[9] memory verbs = [
            handler.lock.selector,
            handler.extend.selector,
            handler.propose.selector,
            handler.vote.selector,
            handler.voteForTogether.selector,
            handler.queue.selector,
            handler.execute.selector,
            handler.cancel.selector,
            handler.pass.selector
        ];
        selectors[0].selectors = new bytes4[](verbs.length);
        for (uint256 i = 0; i < verbs.length; ++i) {
            selectors[0].selectors[i] = verbs[i];
        }
    }

    /// @dev One dollar for each proposal that was executed, and each of those had its quorum, its majority and its delay.
    function invariant_the_treasury_pays_only_what_was_decided() public view {
        assertEq(handler.paid(), handler.executed(), "paid");
        assertEq(handler.unfounded(), 0, "unfounded");
    }

    function invariant_no_role_moves() public view {
        assertTrue(handler.holdsAllRoles(), "roles");
    }

    /// @dev The handler can go all the way: the invariants above are about something.
    function test_a_proposal_goes_through_by_the_handler() public {
        handler.lock(0, 999_999e18, 51); // the largest amount and 52 weeks, as `bound` folds
        handler.lock(1, 999_999e18, 51);
        _pass(9 days);
        handler.propose(0);
        _pass(2 days);
        handler.voteForTogether(0);
        _pass(6 days);
        handler.queue(0);
        _pass(3 days);
        handler.execute(0);
        assertEq(handler.executed(), 1, "executed");
        assertEq(handler.paid(), 1, "paid");
    }

    /// @dev Steps of at most three days, as `bound` folds.
    function _pass(uint256 duration) private {
        for (; duration != 0; duration -= duration < 3 days ? duration : 3 days) {
            handler.pass((duration < 3 days ? duration : 3 days) - 1 hours);
        }
    }
}
