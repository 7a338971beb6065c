// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VoteEscrow} from "../../src/staking/VoteEscrow.sol";
import {Base} from "../Base.t.sol";
import {PlainToken} from "../mocks/PlainToken.sol";
import {EscrowModel} from "./EscrowModel.sol";

/// @notice Stakers who do all they can in any order, on the contract and on the slow model; each answer is compared.
contract EscrowHandler is Base {
    uint256 private constant WEEK = 7 days;
    uint256 private constant USERS = 4;
    uint256 private constant FUNDS = 1e25;

    VoteEscrow private immutable _escrow;
    PlainToken private immutable _token;
    PlainToken private immutable _dollar;
    EscrowModel public immutable model;
    address private immutable _owner;
    uint256 private immutable _firstWeek;
    address[USERS] public users;

    /// @notice Revenue that came in and went out; penalties that were paid.
    uint256 public paidIn;
    uint256 public paidOut;
    uint256 public punished;
    uint256 public penaltiesOut;
    uint256[USERS] public revenuePaid;
    uint256[USERS] public penaltiesPaid;
    /// @notice How often a staker's due may have been rounded down.
    uint256[USERS] public roundings;

    constructor(VoteEscrow escrow, PlainToken token, PlainToken dollar, address owner) {
        (_escrow, _token, _dollar, _owner, _firstWeek) = (escrow, token, dollar, owner, _now());
        model = new EscrowModel(_now());
        users = [actor("ann"), actor("ben"), actor("cat"), actor("dan")];
    }

    function prepare() external {
        for (uint256 i = 0; i < USERS; ++i) {
            _token.mint(users[i], FUNDS);
            vm.prank(users[i]);
            _token.approve(address(_escrow), type(uint256).max);
        }
    }

    // -- locks ---------------------------------------------------------------------------------------------------------

    function lock(uint256 seed, uint256 amount, uint256 weeks_) external {
        uint256 i = _start(seed);
        if (_principal(i) != 0) return _increaseOrExtend(i, amount, weeks_);
        (amount, weeks_) = (_amount(amount), bound(weeks_, 1, 52));
        vm.prank(users[i]);
        _escrow.lock(amount, weeks_);
        model.set(i, amount, _now() + 1 + weeks_, 0);
    }

    function change(uint256 seed, uint256 amount, uint256 weeks_) external {
        uint256 i = _start(seed);
        if (_principal(i) != 0) _increaseOrExtend(i, amount, weeks_);
    }

    function renew(uint256 seed) external {
        uint256 i = _start(seed);
        (uint256 amount, uint256 end, uint256 renewal,) = model.states(i);
        uint256 next = _now() + 1;
        if (_principal(i) == 0 || (renewal == 0 && end <= next)) return;
        vm.prank(users[i]);
        if (renewal != 0) {
            _escrow.stopRenewal();
            model.set(i, amount, next + renewal, 0);
        } else {
            _escrow.startRenewal();
            model.set(i, amount, 0, end - next);
        }
    }

    function withdraw(uint256 seed) external {
        uint256 i = bound(seed, 0, USERS - 1);
        (, uint256 end, uint256 renewal,) = model.states(i);
        uint256 principal = _principal(i);
        if (principal == 0 || renewal != 0 || end > _now()) return;
        vm.prank(users[i]);
        assertEq(_escrow.withdraw(users[i]), principal, "all of it");
        model.passTo(_now());
        model.set(i, 0, 0, 0);
    }

    function exitEarly(uint256 seed, uint256 bps) external {
        uint256 i = _start(seed);
        (uint256 amount, uint256 end, uint256 renewal,) = model.states(i);
        if (amount == 0 || (renewal == 0 && end <= _now())) return;
        bps = bound(bps, 1_000, 5_000);
        vm.prank(_owner);
        _escrow.setExitPenalty(bps);
        uint256 left = renewal != 0 ? renewal + 1 : end - _now();
        uint256 penalty = _ceil(amount * bps * (left > 52 ? 52 : left), 520_000);
        assertEq(_escrow.exitPenaltyOf(users[i]), penalty, "as said before");
        vm.prank(users[i]);
        assertEq(_escrow.exitEarly(penalty, users[i]), amount - penalty, "the rest");
        model.set(i, 0, 0, 0);
        model.punish(penalty);
        punished += penalty;
    }

    function delegate(uint256 seed, uint256 to) external {
        uint256 i = _start(seed);
        to = bound(to, 0, USERS - 1);
        vm.prank(users[i]);
        _escrow.delegate(users[to]);
        model.setDelegatee(i, to);
    }

    // -- money ---------------------------------------------------------------------------------------------------------

    function earn(uint256 amount) external {
        _catchUp();
        amount = amount % 4 == 0 ? bound(amount, 0, 5) : bound(amount, 1, 1e15);
        _dollar.mint(address(_escrow), amount);
        assertEq(_escrow.notify(), amount, "booked");
        model.book(amount);
        paidIn += amount;
    }

    function claim(uint256 seed) external {
        uint256 i = _start(seed);
        vm.prank(users[i]);
        uint256 amount = _escrow.claim(users[i]);
        revenuePaid[i] += amount;
        paidOut += amount;
        _compare(model.revenueDue(i), revenuePaid[i], roundings[i], "revenue as week by week");
    }

    function claimPenalties(uint256 seed) external {
        uint256 i = _start(seed);
        vm.prank(users[i]);
        uint256 amount = _escrow.claimPenalties(users[i]);
        penaltiesPaid[i] += amount;
        penaltiesOut += amount;
        _compare(model.penaltiesDue(i), penaltiesPaid[i], roundings[i], "penalties as week by week");
    }

    function setFloor(uint256 score) external {
        _catchUp();
        score = bound(score, 0, 1e24);
        if (score % 2 == 0) score = 0;
        uint256 most = _token.totalSupply() / 100;
        if (score > most) score = most;
        vm.prank(_owner);
        _escrow.setScoreFloor(score);
        model.setFloor(score);
    }

    // -- time ----------------------------------------------------------------------------------------------------------

    function passSeconds(uint256 seconds_) external {
        skip(bound(seconds_, 1, 3 days));
    }

    function passToTheWeeksStart(uint256 count) external {
        vm.warp((_now() + bound(count, 1, 3)) * WEEK);
    }

    function passManyWeeks(uint256 count) external {
        vm.warp((_now() + bound(count, 4, 70)) * WEEK);
    }

    function roll(uint256 most) external {
        _escrow.roll(bound(most, 0, 5));
    }

    // -- checks --------------------------------------------------------------------------------------------------------

    /// @notice Compares weights, totals and votes of this week, the coming one, and one of the past.
    function check(uint256 seed) external {
        model.passTo(_now());
        uint256 now_ = _now();
        uint256 past = bound(seed, _firstWeek, now_);
        uint256 moment = past * WEEK + (seed % WEEK);
        if (moment >= time()) moment = time() - 1;
        past = moment / WEEK;
        uint256 coming;
        for (uint256 i = 0; i < USERS; ++i) {
            address user = users[i];
            uint256 weight = model.weightOf(i, now_ + 1);
            coming += weight;
            assertEq(_escrow.weightAt(user, now_ + 1), weight, "coming weight");
            assertEq(_escrow.weightAt(user, now_), model.weights(now_, i), "weight");
            assertEq(_escrow.weightAt(user, past), model.weights(past, i), "past weight");
            assertEq(_escrow.getVotes(user), model.votesAt(i, now_) / 52, "votes");
            assertEq(_escrow.getPastVotes(user, moment), model.votesAt(i, past) / 52, "past votes");
        }
        assertEq(_escrow.totalWeightAt(now_), model.totalAt(now_), "total = sum");
        assertEq(_escrow.totalWeightAt(now_ + 1), coming, "coming total = sum");
        assertEq(_escrow.getPastTotalSupply(moment), model.totalAt(past) / 52, "past total");
    }

    /// @notice Compares the money with what must be there.
    function checkMoney() external view {
        assertLe(paidOut, paidIn, "paid out at most what came in");
        assertLe(penaltiesOut, punished, "penalties, too");
        (uint256 waiting, uint256 held,) = _escrow.revenue();
        assertEq(held, paidIn - paidOut, "held");
        assertEq(_dollar.balanceOf(address(_escrow)), held, "and here");
        (uint256 earlier, uint256 fresh) = _escrow.waitingPenalties();
        (uint256 due, uint256 fines, uint256 locked) = (waiting, earlier + fresh, 0);
        for (uint256 i = 0; i < USERS; ++i) {
            (uint256 revenue, uint256 penalties) = _escrow.claimable(users[i]);
            due += revenue;
            fines += penalties;
            locked += _principal(i);
        }
        assertLe(due, held, "held covers what is due");
        assertLe(fines, punished - penaltiesOut, "so do penalties");
        assertEq(_token.balanceOf(address(_escrow)), locked + punished - penaltiesOut, "every locked token is here");
    }

    /// @notice Everyone takes out all there is; what stays is rounding, and what had no weight to go to.
    function finish() external {
        for (uint256 i = 0; i < USERS; ++i) {
            _start(i);
            (uint256 amount,, uint256 renewal,) = model.states(i);
            if (renewal == 0) continue;
            vm.prank(users[i]);
            _escrow.stopRenewal();
            model.set(i, amount, _now() + 1 + renewal, 0);
        }
        vm.warp((_now() + 54) * WEEK);
        uint256 rounded = _now() - _firstWeek; // less than a unit for each week that was divided
        for (uint256 i = 0; i < USERS; ++i) {
            this.withdraw(i);
            this.claim(i);
            this.claimPenalties(i);
            assertEq(_principal(i), 0, "withdrawn");
            rounded += roundings[i];
        }
        (uint256 waiting, uint256 held,) = _escrow.revenue();
        assertEq(waiting, model.pot(), "carried as in the model");
        assertLe(held - waiting, rounded, "nothing is lost but rounding");
        (uint256 earlier, uint256 fresh) = _escrow.waitingPenalties();
        assertEq(earlier + fresh, model.earlier() + model.fresh(), "penalties are carried, too");
        assertLe(punished - penaltiesOut - earlier - fresh, rounded, "nothing is lost but rounding");
    }

    // -- helpers -------------------------------------------------------------------------------------------------------

    function _increaseOrExtend(uint256 i, uint256 amount, uint256 weeks_) private {
        (uint256 held, uint256 end, uint256 renewal,) = model.states(i);
        uint256 next = _now() + 1;
        uint256 left = renewal != 0 ? renewal : end > next ? end - next : 0;
        if (amount % 2 == 0 && left != 0) {
            amount = _amount(amount);
            vm.prank(users[i]);
            _escrow.increase(amount);
            model.set(i, held + amount, end, renewal);
        } else if (left < 52) {
            weeks_ = bound(weeks_, left + 1, 52);
            vm.prank(users[i]);
            _escrow.extend(weeks_);
            if (renewal != 0) model.set(i, held, 0, weeks_);
            else model.set(i, held, next + weeks_, 0);
        }
    }

    /// @dev Every operation of a staker: the model is brought to now; one more rounding, of two weeks' states.
    function _start(uint256 seed) private returns (uint256 i) {
        _catchUp();
        i = bound(seed, 0, USERS - 1);
        roundings[i] += 2;
    }

    function _catchUp() private {
        model.passTo(_now());
        (,, uint256 rolledWeek) = _escrow.revenue();
        if (_now() - rolledWeek > 52) _escrow.roll(type(uint256).max);
    }

    function _compare(uint256 scaled, uint256 paid, uint256 rounded, string memory what) private pure {
        assertLe(paid, scaled >> 96, what);
        assertLe(scaled >> 96, paid + rounded, what);
    }

    function _principal(uint256 i) private view returns (uint256 amount) {
        (amount,,,) = model.states(i);
    }

    function _amount(uint256 amount) private pure returns (uint256) {
        return amount % 3 == 0 ? bound(amount, 1, 99) : bound(amount, 1, 1e23);
    }

    function _ceil(uint256 a, uint256 b) private pure returns (uint256) {
        return a == 0 ? 0 : (a - 1) / b + 1;
    }

    function _now() private view returns (uint256) {
        return time() / WEEK;
    }
}
