// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IVoteEscrow} from "../interfaces/IVoteEscrow.sol";
import {TwoStepOwner} from "../lib/TwoStepOwner.sol";
import {
    Lock,
    LockRow,
    MAX_AMOUNT,
    MAX_WEEKS,
    Parameters,
    Part,
    Penalties,
    Pot,
    PotRow,
    PrefixRow,
    Stream,
    Sum,
    SumRow
} from "../types/EscrowRows.sol";
import {Delegations} from "./Delegations.sol";
import {Reinvestments} from "./Reinvestments.sol";

/// @title VoteEscrow
/// @notice See IVoteEscrow for what it is and how a lock lives.
/// @dev The arithmetic is exact: weight = amount x (end - week), and the total follows from its slope, in integers. The
///      revenue R of a week with total weight T has the rate r = R x 2^96 / T. With the prefix sums A = sum(r) and
///      B = sum(r x week), the weeks c+1 to w owe a lock amount x (end x (A_w - A_c) - (B_w - B_c)): two reads, however
///      many weeks. A lock that renews itself is owed amount x weeks x (A_w - A_c).
contract VoteEscrow is IVoteEscrow, Delegations, Reinvestments, TwoStepOwner, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IVoteEscrow
    string public constant VERSION = "1.0.0";
    /// @inheritdoc IVoteEscrow
    uint256 public constant MIN_EXIT_PENALTY_BPS = 1_000;
    /// @inheritdoc IVoteEscrow
    uint256 public constant MAX_EXIT_PENALTY_BPS = 5_000;

    /// @dev Weeks that a call rolls by itself: 52 of them cost about 2.5 million gas.
    uint256 private constant OWN_ROLL = 52;

    /// @inheritdoc IVoteEscrow
    IERC20 public immutable TOKEN;
    /// @inheritdoc IVoteEscrow
    IERC20 public immutable REVENUE_TOKEN;

    mapping(address account => LockRow) private _locks;
    /// @dev The state that a lock had in the week of a change, which was its last; it is found by the next state's start.
    mapping(address account => mapping(uint256 week => LockRow)) private _locksBefore;
    mapping(address account => uint256) private _penaltiesDue; // atomic units of the platform token, credited
    /// @dev All locks at the start of the week after the rolled one.
    SumRow private _total;
    PotRow private _pot;
    Penalties private _penalties;
    Parameters private _parameters;
    /// @dev Total weight at the week's start (high 160 bits), and the amounts whose last week with weight it is (low 96).
    mapping(uint256 week => uint256) private _weeks;
    mapping(uint256 week => PrefixRow) private _revenueSums;
    mapping(uint256 week => PrefixRow) private _penaltySums;

    /// @inheritdoc IVoteEscrow
    mapping(address locker => bool) public lockers;

    /// @param owner Sets the parameters, within their bounds.
    /// @param token The token to lock.
    /// @param revenueToken The token that revenue is paid in.
    /// @param scoreFloor_ As for `setScoreFloor`.
    /// @param exitPenaltyBps_ As for `setExitPenalty`.
    constructor(address owner, IERC20 token, IERC20 revenueToken, uint256 scoreFloor_, uint256 exitPenaltyBps_)
        EIP712("Usufruct VoteEscrow", "1")
        Ownable(owner)
    {
        require(address(token).code.length != 0 && token.totalSupply() <= MAX_AMOUNT, InvalidToken(address(token)));
        require(
            address(revenueToken).code.length != 0 && address(revenueToken) != address(token),
            InvalidToken(address(revenueToken))
        );
        TOKEN = token;
        REVENUE_TOKEN = revenueToken;
        uint256 current = week();
        _pot = Pot({amount: 0, held: 0, week: current, penalized: false}).pack();
        _total = Sum({weight: 0, slope: 0, week: current + 1, penalized: false}).pack();
        _setScoreFloor(scoreFloor_);
        _setExitPenalty(exitPenaltyBps_);
    }

    // -- locks ---------------------------------------------------------------------------------------------------------

    /// @inheritdoc IVoteEscrow
    function lock(uint256 amount, uint256 weeks_) external nonReentrant {
        _lock(amount, weeks_);
    }

    /// @inheritdoc IVoteEscrow
    function lockWithPermit(uint256 amount, uint256 weeks_, Permit calldata permit) external nonReentrant {
        _permit(amount, permit);
        _lock(amount, weeks_);
    }

    /// @inheritdoc IVoteEscrow
    function lockFor(address holder, uint256 amount, uint256 weeks_) external nonReentrant {
        _requireLocker(msg.sender);
        require(weeks_ != 0, InvalidWeeks(weeks_));
        require(holder != address(0) && holder != address(this), InvalidRecipient(holder));
        (Lock memory held, Sum memory total) = _open(holder);
        if (held.principal() == 0) return _create(holder, held, total, amount, weeks_);

        uint256 left = held.weeksLeft(total.week);
        require(weeks_ <= left, LockTooShort(holder, left, weeks_));
        _add(holder, held, total, amount);
    }

    /// @inheritdoc IVoteEscrow
    function increase(uint256 amount) external nonReentrant {
        _increase(amount);
    }

    /// @inheritdoc IVoteEscrow
    function increaseWithPermit(uint256 amount, Permit calldata permit) external nonReentrant {
        _permit(amount, permit);
        _increase(amount);
    }

    /// @inheritdoc IVoteEscrow
    function extend(uint256 weeks_) external nonReentrant {
        (Lock memory held, Sum memory total) = _openOwn();
        uint256 left = held.weeksLeft(total.week);
        require(weeks_ <= MAX_WEEKS, InvalidWeeks(weeks_));
        require(weeks_ > left, NotLonger(weeks_, left));
        if (held.renewal != 0) _replace(msg.sender, held, total, held.amount, 0, weeks_);
        else _replace(msg.sender, held, total, held.amount, total.week + weeks_, 0);
    }

    /// @inheritdoc IVoteEscrow
    function startRenewal() external nonReentrant {
        (Lock memory held, Sum memory total) = _openOwn();
        require(held.renewal == 0, RenewalIs(true));
        require(held.end > total.week, LockEnding(msg.sender, held.end * 1 weeks));
        _replace(msg.sender, held, total, held.amount, 0, held.end - total.week);
    }

    /// @inheritdoc IVoteEscrow
    function stopRenewal() external nonReentrant {
        (Lock memory held, Sum memory total) = _openOwn();
        require(held.renewal != 0, RenewalIs(false));
        _replace(msg.sender, held, total, held.amount, total.week + held.renewal, 0);
    }

    /// @inheritdoc IVoteEscrow
    function withdraw(address to) external nonReentrant returns (uint256 amount) {
        Lock memory held = _locks[msg.sender].unpack();
        amount = held.principal();
        require(amount != 0, NothingLocked(msg.sender));
        require(held.renewal == 0 && held.end <= week(), NotEnded(msg.sender, held.end * 1 weeks));

        held.withdrawn = true;
        _locks[msg.sender] = held.pack();
        emit Withdrawn(msg.sender, to, amount);
        _pay(TOKEN, to, amount);
    }

    /// @inheritdoc IVoteEscrow
    function exitEarly(uint256 maxPenalty, address to) external nonReentrant returns (uint256 amount) {
        uint256 bps = _parameters.exitPenaltyBps;
        require(bps != 0, EarlyExitClosed());
        (Lock memory held, Sum memory total) = _openOwn();
        require(held.renewal != 0 || held.end >= total.week, Ended(msg.sender, held.end * 1 weeks));
        uint256 penalty = held.exitPenaltyUp(total.week - 1, bps);
        require(penalty <= maxPenalty, PenaltyAboveMax(penalty, maxPenalty));
        amount = held.amount - penalty;

        if (penalty != 0 && !total.penalized) {
            total.penalized = true;
            Pot memory pot = _pot.unpack();
            pot.penalized = true;
            _pot = pot.pack();
        }
        _penalties.fresh += uint128(penalty);
        _replace(msg.sender, held, total, 0, 0, 0);
        emit ExitedEarly(msg.sender, to, amount, penalty);
        _pay(TOKEN, to, amount);
    }

    // -- revenue -------------------------------------------------------------------------------------------------------

    /// @inheritdoc IVoteEscrow
    function notify() external nonReentrant returns (uint256 amount) {
        _rollAll();
        Pot memory pot = _pot.unpack();
        amount = Math.saturatingSub(Math.min(REVENUE_TOKEN.balanceOf(address(this)), MAX_AMOUNT), pot.held);
        if (amount == 0) return 0;
        pot.amount += amount;
        pot.held += amount;
        _pot = pot.pack();
        emit RevenueBooked(pot.week, amount);
    }

    /// @inheritdoc IVoteEscrow
    function roll(uint256 maxWeeks) external nonReentrant {
        _roll(maxWeeks);
    }

    /// @inheritdoc IVoteEscrow
    function claim(address to) external returns (uint256 amount) {
        return _claim(msg.sender, to);
    }

    /// @inheritdoc IVoteEscrow
    function claimPenalties(address to) external nonReentrant returns (uint256 amount) {
        _creditOf(msg.sender);
        amount = _penaltiesDue[msg.sender];
        if (amount == 0) return 0;
        _penaltiesDue[msg.sender] = 0;
        emit PenaltiesClaimed(msg.sender, to, amount);
        _pay(TOKEN, to, amount);
    }

    // -- votes ---------------------------------------------------------------------------------------------------------

    /// @notice The votes of the running week, in scores.
    function getVotes(address account) external view returns (uint256) {
        return _votesDown(account, week());
    }

    /// @notice The votes at a time that has passed: those of its week's start.
    function getPastVotes(address account, uint256 timepoint) external view returns (uint256) {
        return _votesDown(account, _pastWeek(timepoint));
    }

    /// @notice The total score at a time that has passed: that of its week's start.
    function getPastTotalSupply(uint256 timepoint) external view returns (uint256) {
        return _scoreDown(totalWeightAt(_pastWeek(timepoint)));
    }

    // -- owner ---------------------------------------------------------------------------------------------------------

    /// @inheritdoc IVoteEscrow
    function setScoreFloor(uint256 scoreFloor_) external onlyOwner {
        _rollAll(); // weeks that are over keep the floor they had
        _setScoreFloor(scoreFloor_);
    }

    /// @inheritdoc IVoteEscrow
    function setExitPenalty(uint256 exitPenaltyBps_) external onlyOwner {
        _setExitPenalty(exitPenaltyBps_);
    }

    /// @inheritdoc IVoteEscrow
    function setLocker(address locker, bool allowed) external onlyOwner {
        lockers[locker] = allowed;
        emit LockerSet(locker, allowed);
    }

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @inheritdoc IVoteEscrow
    function lockOf(address account) external view returns (LockView memory) {
        Lock memory held = _locks[account].unpack();
        if (held.principal() == 0) return LockView(0, 0, 0);
        uint256 end = held.renewal != 0 ? week() + 1 + held.renewal : held.end;
        return LockView(held.amount, end * 1 weeks, held.renewal);
    }

    /// @inheritdoc IVoteEscrow
    function scoreOf(address account) external view returns (uint256) {
        return _scoreDown(_stateAt(account, week()).weightAt(week()));
    }

    /// @inheritdoc IVoteEscrow
    function totalScore() external view returns (uint256) {
        return _scoreDown(totalWeightAt(week()));
    }

    /// @inheritdoc IVoteEscrow
    function weightAt(address account, uint256 week_) external view returns (uint256) {
        require(week_ <= week() + 1, OutOfBounds(week_, 0, week() + 1));
        return _stateAt(account, week_).weightAt(week_);
    }

    /// @inheritdoc IVoteEscrow
    function totalWeightAt(uint256 week_) public view returns (uint256) {
        require(week_ <= week() + 1, OutOfBounds(week_, 0, week() + 1));
        Sum memory total = _total.unpack();
        if (week_ < total.week) return _weeks[week_] >> 96;
        _carry(total, _weeks, week_);
        return total.weight;
    }

    /// @inheritdoc IVoteEscrow
    function claimable(address account) external view returns (uint256 revenue_, uint256 penalties) {
        Lock memory held = _locks[account].unpack();
        Pot memory pot = _pot.unpack();
        penalties = _penaltiesDue[account] + _credit(account, held, pot.week, pot.penalized);
        return (held.credited, penalties);
    }

    /// @inheritdoc IVoteEscrow
    function exitPenaltyOf(address account) external view returns (uint256) {
        Lock memory held = _locks[account].unpack();
        return held.principal() == 0 ? 0 : held.exitPenaltyUp(week(), _parameters.exitPenaltyBps);
    }

    /// @inheritdoc IVoteEscrow
    function endAfter(uint256 weeks_) external view returns (uint256) {
        require(weeks_ != 0 && weeks_ <= MAX_WEEKS, InvalidWeeks(weeks_));
        return (week() + 1 + weeks_) * 1 weeks;
    }

    /// @inheritdoc IVoteEscrow
    function week() public view returns (uint256) {
        return block.timestamp / 1 weeks;
    }

    /// @inheritdoc IVoteEscrow
    function revenue() external view returns (uint256 waiting, uint256 held, uint256 rolledWeek) {
        Pot memory pot = _pot.unpack();
        return (pot.amount, pot.held, pot.week);
    }

    /// @inheritdoc IVoteEscrow
    function waitingPenalties() external view returns (uint256 earlier, uint256 fresh) {
        return (_penalties.earlier, _penalties.fresh);
    }

    /// @inheritdoc IVoteEscrow
    function scoreFloor() external view returns (uint256) {
        return _parameters.scoreFloor;
    }

    /// @inheritdoc IVoteEscrow
    function exitPenaltyBps() external view returns (uint256) {
        return _parameters.exitPenaltyBps;
    }

    // -- changes of a lock ---------------------------------------------------------------------------------------------

    function _lock(uint256 amount, uint256 weeks_) private {
        (Lock memory held, Sum memory total) = _open(msg.sender);
        require(held.principal() == 0, AlreadyLocked(msg.sender, held.amount));
        _create(msg.sender, held, total, amount, weeks_);
    }

    function _increase(uint256 amount) private {
        (Lock memory held, Sum memory total) = _openOwn();
        require(held.renewal != 0 || held.end > total.week, LockEnding(msg.sender, held.end * 1 weeks));
        _add(msg.sender, held, total, amount);
    }

    function _create(address account, Lock memory held, Sum memory total, uint256 amount, uint256 weeks_) private {
        require(weeks_ != 0 && weeks_ <= MAX_WEEKS, InvalidWeeks(weeks_));
        require(amount != 0 && amount <= MAX_AMOUNT, InvalidAmount(amount));
        _replace(account, held, total, amount, total.week + weeks_, 0);
        _take(amount);
    }

    function _add(address account, Lock memory held, Sum memory total, uint256 amount) private {
        require(amount != 0 && amount <= MAX_AMOUNT - held.amount, InvalidAmount(amount));
        _replace(account, held, total, held.amount + amount, held.end, held.renewal);
        _take(amount);
    }

    /// @dev The caller's lock, opened for a change.
    function _openOwn() private returns (Lock memory held, Sum memory total) {
        (held, total) = _open(msg.sender);
        require(held.principal() != 0, NothingLocked(msg.sender));
    }

    /// @dev Opens a lock for a change that counts from the next week, which is `total.week`: credits the weeks that are over,
    ///      and keeps the state of the running week, unless an earlier change in this week did so.
    function _open(address account) private returns (Lock memory held, Sum memory total) {
        total = _rollAll();
        uint256 current = total.week - 1;
        LockRow row = _locks[account];
        held = row.unpack();
        if (held.start == total.week) return (held, total);

        if (held.start != 0) {
            uint256 penalties = _credit(account, held, current, total.penalized);
            if (penalties != 0) _penaltiesDue[account] += penalties;
            _locksBefore[account][current] = row;
        }
        held.unpaid = held.weightAt(current) == 0 ? total.week : current;
        held.start = total.week;
    }

    /// @dev Gives an opened lock its new state, and the sums, too.
    function _replace(address account, Lock memory held, Sum memory total, uint256 amount, uint256 end, uint256 renewal)
        private
    {
        Part memory old = held.partAt(total.week);
        (held.amount, held.end, held.renewal, held.withdrawn) = (amount, end, renewal, false);
        Part memory fresh = held.partAt(total.week);

        total.replace(old, fresh);
        _moveEnding(_weeks, old, fresh);
        _total = total.pack();
        _locks[account] = held.pack();
        if (held.delegated) _redelegate(delegates(account), total.week, old, fresh);
        emit LockChanged(account, amount, end * 1 weeks, renewal);
    }

    /// @inheritdoc Delegations
    function _noteDelegated(address account, bool delegated)
        internal
        override
        nonReentrant
        returns (Part memory part, uint256 next)
    {
        (Lock memory held, Sum memory total) = _open(account);
        held.delegated = delegated;
        _locks[account] = held.pack();
        return (held.partAt(total.week), total.week);
    }

    // -- weeks ---------------------------------------------------------------------------------------------------------

    /// @dev Rolls to the running week. Reverts if more than `OWN_ROLL` weeks are open.
    function _rollAll() private returns (Sum memory total) {
        total = _total.unpack();
        uint256 next = week() + 1;
        if (total.week == next) return total;
        _roll(OWN_ROLL);
        total = _total.unpack();
        require(total.week == next, NotRolled(total.week - 1, next - 1));
    }

    /// @dev Closes up to `most` weeks that are over, each in turn: divides its money, and notes the next week's total.
    function _roll(uint256 most) private {
        Pot memory pot = _pot.unpack();
        uint256 stop = Math.min(week(), Math.saturatingAdd(pot.week, most));
        if (pot.week >= stop) return;
        Sum memory total = _total.unpack();
        // slither-disable-start uninitialized-local (zero until anyone paid a penalty)
        Penalties memory waiting;
        Stream memory fines;
        // slither-disable-end uninitialized-local
        if (pot.penalized) {
            waiting = _penalties;
            (fines.amount, fines.sums) = (waiting.earlier, _penaltySums[pot.week - 1].unpack());
        }
        Stream memory income = Stream(pot.amount, 0, _revenueSums[pot.week - 1].unpack());
        uint256 floor = Math.max(_parameters.scoreFloor * MAX_WEEKS, 1);

        for (uint256 i = pot.week; i < stop; ++i) {
            uint256 weight = _weeks[i] >> 96;
            if (weight >= floor) _spread(i, weight, income, fines);
            if (income.sums.a != 0) _revenueSums[i] = income.sums.pack();
            if (fines.sums.a != 0) _penaltySums[i] = fines.sums.pack();
            (fines.amount, waiting.fresh) = (fines.amount + waiting.fresh, 0);
            _weeks[i + 1] |= total.weight << 96;
            _carry(total, _weeks, i + 2);
        }
        (pot.amount, pot.week, waiting.earlier) = (income.amount, stop, uint128(fines.amount));
        _pot = pot.pack();
        _total = total.pack();
        if (pot.penalized) _penalties = waiting;
    }

    /// @dev Divides what both streams hold by the weight of a week that is over.
    function _spread(uint256 week_, uint256 weight, Stream memory income, Stream memory fines) private {
        if (income.amount == 0 && fines.amount == 0) return;
        income.spread(week_, weight);
        fines.spread(week_, weight);
        emit WeekSpread(week_, weight, income.spent, fines.spent);
    }

    // -- credit --------------------------------------------------------------------------------------------------------

    /// @inheritdoc Reinvestments
    function _claim(address account, address to) internal override nonReentrant returns (uint256 amount) {
        (Lock memory held, Pot memory pot) = _creditOf(account);
        amount = held.credited;
        if (amount == 0) return 0;
        held.credited = 0;
        pot.held -= amount;
        _locks[account] = held.pack();
        _pot = pot.pack();
        emit RevenueClaimed(account, to, amount);
        _pay(REVENUE_TOKEN, to, amount);
    }

    /// @dev A lock with all rolled weeks credited, not stored yet. Rolls what a call may; pays what is rolled.
    function _creditOf(address account) private returns (Lock memory held, Pot memory pot) {
        pot = _pot.unpack();
        if (pot.week != week()) {
            _roll(OWN_ROLL);
            pot = _pot.unpack();
        }
        held = _locks[account].unpack();
        uint256 penalties = _credit(account, held, pot.week, pot.penalized);
        if (penalties != 0) {
            _penaltiesDue[account] += penalties;
            _locks[account] = held.pack();
        }
    }

    /// @dev Credits the weeks before `current` that are not credited yet. Revenue is credited in `held`.
    function _credit(address account, Lock memory held, uint256 current, bool penalized)
        private
        view
        returns (uint256 penalties)
    {
        if (held.unpaid >= current) return 0;
        if (held.unpaid < held.start) {
            Lock memory before = _locksBefore[account][held.unpaid].unpack();
            held.credited += _dueDown(_revenueSums, before, held.unpaid, held.start);
            if (penalized) penalties = _dueDown(_penaltySums, before, held.unpaid, held.start);
            held.unpaid = held.start;
        }
        uint256 stop = held.renewal != 0 ? current : Math.min(current, held.end);
        if (held.unpaid < stop) {
            held.credited += _dueDown(_revenueSums, held, held.unpaid, stop);
            if (penalized) penalties += _dueDown(_penaltySums, held, held.unpaid, stop);
        }
        held.unpaid = current;
    }

    /// @dev What the weeks from `from` until before `stop` owe a lock that has weight in all of them.
    function _dueDown(mapping(uint256 week => PrefixRow) storage sums, Lock memory held, uint256 from, uint256 stop)
        private
        view
        returns (uint256)
    {
        return held.dueDown(sums[from - 1].unpack(), sums[stop - 1].unpack());
    }

    // -- votes and scores ----------------------------------------------------------------------------------------------

    /// @dev The state that counts in `week_`.
    function _stateAt(address account, uint256 week_) private view returns (Lock memory held) {
        held = _locks[account].unpack();
        while (held.start > week_) {
            held = _locksBefore[account][held.start - 1].unpack();
        }
    }

    function _votesDown(address account, uint256 week_) private view returns (uint256) {
        Lock memory held = _stateAt(account, week_);
        uint256 own = held.delegated ? 0 : held.weightAt(week_);
        return _scoreDown(own + _receivedAt(account, week_));
    }

    function _pastWeek(uint256 timepoint) private view returns (uint256) {
        require(timepoint < clock(), ERC5805FutureLookup(timepoint, clock()));
        return timepoint / 1 weeks;
    }

    // -- tokens and parameters -----------------------------------------------------------------------------------------

    /// @inheritdoc Reinvestments
    function _requireLocker(address account) internal view override {
        require(lockers[account], NotALocker(account));
    }

    function _permit(uint256 amount, Permit calldata permit) private {
        try IERC20Permit(address(TOKEN))
            .permit(msg.sender, address(this), amount, permit.deadline, permit.v, permit.r, permit.s) {}
            catch {} // front-run, or superfluous: the allowance decides
    }

    function _take(uint256 amount) private {
        uint256 before = TOKEN.balanceOf(address(this));
        TOKEN.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = TOKEN.balanceOf(address(this)) - before;
        // slither-disable-next-line incorrect-equality (every way out is locked meanwhile)
        require(received == amount, WrongAmountReceived(address(TOKEN), received, amount));
    }

    function _pay(IERC20 token, address to, uint256 amount) private {
        require(to != address(0) && to != address(this), InvalidRecipient(to));
        if (amount != 0) token.safeTransfer(to, amount);
    }

    function _setScoreFloor(uint256 scoreFloor_) private {
        uint256 most = TOKEN.totalSupply() / 100;
        require(scoreFloor_ <= most, OutOfBounds(scoreFloor_, 0, most));
        _parameters.scoreFloor = uint128(scoreFloor_);
        emit ScoreFloorSet(scoreFloor_);
    }

    function _setExitPenalty(uint256 exitPenaltyBps_) private {
        require(
            exitPenaltyBps_ == 0
                || (exitPenaltyBps_ >= MIN_EXIT_PENALTY_BPS && exitPenaltyBps_ <= MAX_EXIT_PENALTY_BPS),
            OutOfBounds(exitPenaltyBps_, MIN_EXIT_PENALTY_BPS, MAX_EXIT_PENALTY_BPS)
        );
        _parameters.exitPenaltyBps = uint16(exitPenaltyBps_);
        emit ExitPenaltySet(exitPenaltyBps_);
    }
}
