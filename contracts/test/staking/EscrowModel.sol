// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What a vote escrow should do, written plainly: at the start of each week every lock's weight is noted, and when the
///         week is over its money is divided among these weights, one by one. No prefix sums, no slopes, no checkpoints.
contract EscrowModel {
    uint256 public constant USERS = 4;
    uint256 private constant MAX_RATE = 1 << 104;

    struct State {
        uint256 amount;
        uint256 end;
        uint256 renewal;
        uint256 delegatee;
    }

    State[USERS] public states;
    mapping(uint256 week => uint256[USERS]) public weights;
    mapping(uint256 week => uint256[USERS]) public delegatees;
    uint256[USERS] public revenueDue; // x 2^96
    uint256[USERS] public penaltiesDue; // x 2^96
    uint256 public pot;
    uint256 public earlier;
    uint256 public fresh;
    uint256 public floor;
    uint256 public week;

    constructor(uint256 week_) {
        week = week_;
        for (uint256 i = 0; i < USERS; ++i) {
            states[i].delegatee = i;
        }
        _start();
    }

    function set(uint256 user, uint256 amount, uint256 end, uint256 renewal) external {
        (states[user].amount, states[user].end, states[user].renewal) = (amount, end, renewal);
    }

    function setDelegatee(uint256 user, uint256 delegatee) external {
        states[user].delegatee = delegatee;
    }

    function setFloor(uint256 score) external {
        floor = score * 52;
    }

    function book(uint256 amount) external {
        pot += amount;
    }

    function punish(uint256 penalty) external {
        fresh += penalty;
    }

    function passTo(uint256 week_) external {
        while (week < week_) {
            _close();
            ++week;
            _start();
        }
    }

    /// @notice The weight of `user` if `week_` began with the locks as they are.
    function weightOf(uint256 user, uint256 week_) public view returns (uint256) {
        State memory state = states[user];
        if (state.renewal != 0) return state.amount * state.renewal;
        return state.end > week_ ? state.amount * (state.end - week_) : 0;
    }

    function totalAt(uint256 week_) public view returns (uint256 total) {
        for (uint256 i = 0; i < USERS; ++i) {
            total += weights[week_][i];
        }
    }

    function votesAt(uint256 user, uint256 week_) external view returns (uint256 votes) {
        for (uint256 i = 0; i < USERS; ++i) {
            if (delegatees[week_][i] == user) votes += weights[week_][i];
        }
    }

    function _start() private {
        for (uint256 i = 0; i < USERS; ++i) {
            weights[week][i] = weightOf(i, week);
            delegatees[week][i] = states[i].delegatee;
        }
    }

    function _close() private {
        uint256 total = totalAt(week);
        if (total != 0 && total >= floor) {
            pot -= _divide(pot, total, revenueDue);
            earlier -= _divide(earlier, total, penaltiesDue);
        }
        (earlier, fresh) = (earlier + fresh, 0);
    }

    /// @dev Rounded down for each, so what leaves the pot is rounded up.
    function _divide(uint256 amount, uint256 total, uint256[USERS] storage due) private returns (uint256) {
        uint256 rate = (amount << 96) / total;
        if (rate > MAX_RATE) rate = MAX_RATE;
        for (uint256 i = 0; i < USERS; ++i) {
            due[i] += weights[week][i] * rate;
        }
        return (total * rate + (1 << 96) - 1) >> 96;
    }
}
