// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ILockFor} from "./ILockFor.sol";
import {IReinvestments} from "./IReinvestments.sol";

/// @title IVoteEscrow
/// @notice Locks platform tokens for 1 to 52 weeks. A lock has a Staking Score, which brings votes and a part of the revenue.
///
/// A lock's life. `lock` takes tokens for a number of weeks. Weeks start on Thursday, 00:00 UTC. A lock counts from the start
/// of the next week, and ends that many weeks later. At the start of each week its *weight* is amount x weeks left, and its
/// *score* is weight / 52: a lock of 52 weeks starts with a score of its amount. `increase` adds tokens, `extend` makes it
/// longer. `startRenewal` holds the weight at amount x weeks left, until `stopRenewal`; from then it decays to the end. After the end,
/// `withdraw` returns the tokens. `exitEarly` returns them before, less a penalty for the other stakers, if the owner allows.
///
/// Revenue, votes and scores use the weight at the start of the week. Every change counts from the next week.
///
/// Revenue. Anyone may send the revenue token here; `notify` books it for the running week. When a week is over, `roll`
/// divides its revenue by weight. While the total score is under a floor, revenue is carried to the next week. `claim` pays
/// what an account is due, over any number of weeks at the same cost.
///
/// Always true: an account is paid at most its part of the revenue, and all together at most what came in; the weights of all
/// locks add up to the total weight, exactly; the contract holds the tokens of every lock; no revenue token, revenue or
/// week that was not rolled can stop `withdraw`.
/// @dev The platform token must deliver what it is asked to, which is checked, and must not rebase. Platform tokens that are
///      sent here without a lock are lost to their sender. Votes (ERC-5805) are scores: rounded down, so all votes together
///      may be some units below `getPastTotalSupply`. A score decays each week without an event; `DelegateVotesChanged` is
///      emitted when a delegate's received votes change, in scores of the coming week, without the delegate's own.
interface IVoteEscrow is IERC5805, ILockFor, IReinvestments {
    /// @notice A lock, as it will count from the next week on.
    /// @param amount Atomic units of the platform token; 0: no lock, or withdrawn.
    /// @param endsAt When it can be withdrawn, Unix seconds; while it renews itself: when, if renewal stopped now.
    /// @param renewalWeeks Weeks that it is held at; 0 if it does not renew itself.
    struct LockView {
        uint256 amount;
        uint256 endsAt;
        uint256 renewalWeeks;
    }

    /// @notice An ERC-2612 permit of the platform token for the amount to lock.
    struct Permit {
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice A lock was made or changed. `endsAt` is 0 while it renews itself, for `renewalWeeks` weeks.
    event LockChanged(address indexed account, uint256 amount, uint256 endsAt, uint256 renewalWeeks);

    /// @notice The tokens of a lock that had ended were returned.
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    /// @notice A lock ended early: `amount` was returned, `penalty` goes to the other stakers.
    event ExitedEarly(address indexed account, address indexed to, uint256 amount, uint256 penalty);

    /// @notice Revenue came in and was booked for week `week`.
    event RevenueBooked(uint256 indexed week, uint256 amount);

    /// @notice Week `week` is over: `revenue` and `penalties` were divided by its total weight.
    event WeekSpread(uint256 indexed week, uint256 weight, uint256 revenue, uint256 penalties);

    /// @notice An account was paid its revenue.
    event RevenueClaimed(address indexed account, address indexed to, uint256 amount);

    /// @notice An account was paid its part of penalties.
    event PenaltiesClaimed(address indexed account, address indexed to, uint256 amount);

    /// @notice The owner set the total score under which revenue is carried.
    event ScoreFloorSet(uint256 scoreFloor);

    /// @notice The owner set the penalty of an early exit with 52 weeks left, hundredths of a per cent; 0: no early exit.
    event ExitPenaltySet(uint256 exitPenaltyBps);

    /// @notice The owner set whether `locker` may lock for others.
    event LockerSet(address indexed locker, bool allowed);

    /// @notice A platform or revenue token that cannot be used: one without code, both the same, or a supply above 2^96.
    error InvalidToken(address token);

    /// @notice The amount to lock is 0, or the lock would hold 2^96 or more.
    error InvalidAmount(uint256 amount);

    /// @notice A lock lasts 1 to 52 weeks.
    error InvalidWeeks(uint256 weeks_);

    /// @notice Tokens cannot be sent to this address: zero, or this contract.
    error InvalidRecipient(address to);

    /// @notice The account has a lock. Use `increase` and `extend`; after its end `extend` or `withdraw`.
    error AlreadyLocked(address account, uint256 amount);

    /// @notice The account has no tokens locked.
    error NothingLocked(address account);

    /// @notice The lock has no weight after this week. Extend it first.
    error LockEnding(address account, uint256 endsAt);

    /// @notice The lock would not end later than it does.
    error NotLonger(uint256 weeks_, uint256 weeksLeft);

    /// @notice The lock has fewer weeks left than were asked for. Its holder can extend it.
    error LockTooShort(address account, uint256 weeksLeft, uint256 weeks_);

    /// @notice The lock has not ended; 0: it renews itself.
    error NotEnded(address account, uint256 endsAt);

    /// @notice The lock has ended: use `withdraw`.
    error Ended(address account, uint256 endsAt);

    /// @notice The lock renews itself already, or does not.
    error RenewalIs(bool on);

    /// @notice The owner has not opened early exits.
    error EarlyExitClosed();

    /// @notice The penalty is above what the caller allowed.
    error PenaltyAboveMax(uint256 penalty, uint256 maxPenalty);

    /// @notice Weeks must be rolled first: `week` of `current`. Call `roll`.
    error NotRolled(uint256 week, uint256 current);

    /// @notice The platform token delivered another amount than it was asked for.
    error WrongAmountReceived(address token, uint256 received, uint256 expected);

    /// @notice The owner has not allowed this address to lock for others.
    error NotALocker(address caller);

    /// @notice A value is not within its bounds.
    error OutOfBounds(uint256 value, uint256 least, uint256 most);

    /// @notice Votes of a time that has not passed.
    error ERC5805FutureLookup(uint256 timepoint, uint48 clock);

    // -- locks ---------------------------------------------------------------------------------------------------------

    /// @notice Locks tokens of the caller, who has no lock.
    /// @param amount Atomic units, by the caller's allowance.
    /// @param weeks_ 1 to 52, from the start of the next week.
    function lock(uint256 amount, uint256 weeks_) external;

    /// @notice `lock` with a permit instead of an allowance.
    /// @param permit For `amount`. One that was used already is passed over.
    function lockWithPermit(uint256 amount, uint256 weeks_, Permit calldata permit) external;

    /// @notice Locks tokens of the caller for `holder`. Only for callers that the owner has allowed, such as an airdrop that
    ///         asks its claimants first: a dust lock of 52 weeks would be in its holder's way.
    /// @dev If `holder` has a lock, the tokens are added to it; it is never made longer, and must have `weeks_` weeks left.
    /// @param holder Whose the lock is; withdraws, claims and votes.
    /// @param amount Atomic units, by the caller's allowance.
    /// @param weeks_ 1 to 52.
    function lockFor(address holder, uint256 amount, uint256 weeks_) external override;

    /// @notice Adds tokens to the caller's lock; its end stays.
    /// @param amount Atomic units, by the caller's allowance.
    function increase(uint256 amount) external;

    /// @notice `increase` with a permit instead of an allowance.
    /// @param permit For `amount`. One that was used already is passed over.
    function increaseWithPermit(uint256 amount, Permit calldata permit) external;

    /// @notice Makes the caller's lock longer; one that has ended is locked again.
    /// @param weeks_ Weeks from the start of the next week: more than it has left, at most 52.
    function extend(uint256 weeks_) external;

    /// @notice Holds the caller's lock at the weeks that it has left at the start of the next week.
    function startRenewal() external;

    /// @notice Lets the caller's lock decay again: it ends its renewal weeks after the start of the next week.
    function stopRenewal() external;

    /// @notice Returns the tokens of the caller's lock after its end. Needs neither a roll nor the revenue token, and what
    ///         revenue is due stays due.
    /// @param to Who gets the tokens.
    /// @return amount Atomic units.
    function withdraw(address to) external returns (uint256 amount);

    /// @notice Ends the caller's lock now, less the penalty. Its weight of the running week stays.
    /// @param maxPenalty The most to lose, atomic units.
    /// @param to Who gets the tokens.
    /// @return amount What was paid, atomic units.
    function exitEarly(uint256 maxPenalty, address to) external returns (uint256 amount);

    // -- revenue -------------------------------------------------------------------------------------------------------

    /// @notice Books what came in of the revenue token for the running week. Anyone may call.
    /// @return amount Atomic units; 0 if nothing came in.
    function notify() external returns (uint256 amount);

    /// @notice Closes weeks that are over. Anyone may call. Other calls roll up to 52 weeks themselves.
    /// @param maxWeeks The most weeks to close in this call.
    function roll(uint256 maxWeeks) external;

    /// @notice Pays the revenue that the caller is due of the weeks that are over.
    /// @param to Who gets it.
    /// @return amount Atomic units of the revenue token, rounded down.
    function claim(address to) external returns (uint256 amount);

    /// @notice Pays the caller's part of the penalties of the weeks that are over, in the platform token.
    /// @param to Who gets it.
    /// @return amount Atomic units of the platform token, rounded down.
    function claimPenalties(address to) external returns (uint256 amount);

    // -- owner ---------------------------------------------------------------------------------------------------------

    /// @notice Sets the total score under which revenue is carried to the next week. Owner only.
    /// @param scoreFloor_ Atomic units; at most a hundredth of the platform token's supply.
    function setScoreFloor(uint256 scoreFloor_) external;

    /// @notice Sets the penalty of an early exit with 52 weeks left. Owner only.
    /// @dev The least keeps a lock over the turn of a week, exited at once, dearer than a borrowed lock of one week.
    /// @param exitPenaltyBps_ Hundredths of a per cent of the amount, `MIN_EXIT_PENALTY_BPS` to `MAX_EXIT_PENALTY_BPS`; 0: no
    ///        early exit.
    function setExitPenalty(uint256 exitPenaltyBps_) external;

    /// @notice Sets whether `locker` may lock for others. Owner only.
    function setLocker(address locker, bool allowed) external;

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @notice The account's lock.
    function lockOf(address account) external view returns (LockView memory);

    /// @notice The account's Staking Score of the running week, whether delegated or not, atomic units.
    function scoreOf(address account) external view returns (uint256);

    /// @notice The total Staking Score of the running week, atomic units.
    function totalScore() external view returns (uint256);

    /// @notice The account's weight (amount x weeks left) at the start of a week, which is at most the coming one.
    /// @param week_ Weeks since the Unix epoch.
    function weightAt(address account, uint256 week_) external view returns (uint256);

    /// @notice The total weight at the start of a week, which is at most the coming one.
    /// @param week_ Weeks since the Unix epoch.
    function totalWeightAt(uint256 week_) external view returns (uint256);

    /// @notice What the account is due of the weeks that are rolled. `claim` rolls first: simulate it to see the newest.
    /// @return revenue Atomic units of the revenue token.
    /// @return penalties Atomic units of the platform token.
    function claimable(address account) external view returns (uint256 revenue, uint256 penalties);

    /// @notice What `exitEarly` would keep of the account's lock now, rounded up, atomic units. Does not say whether early
    ///         exits are open.
    function exitPenaltyOf(address account) external view returns (uint256);

    /// @notice When a lock of `weeks_` weeks that is made now ends, Unix seconds.
    function endAfter(uint256 weeks_) external view returns (uint256);

    /// @notice The running week: weeks since the Unix epoch.
    function week() external view returns (uint256);

    /// @notice The books of revenue.
    /// @return waiting For the running week, with what was carried, atomic units.
    /// @return held All that is due to stakers or waits, atomic units.
    /// @return rolledWeek The week that `waiting` is for; the running one if all weeks that are over are rolled.
    function revenue() external view returns (uint256 waiting, uint256 held, uint256 rolledWeek);

    /// @notice Penalties that wait: those of weeks before the rolled one, with what was carried, and its own.
    function waitingPenalties() external view returns (uint256 earlier, uint256 fresh);

    /// @notice The total score under which revenue is carried, atomic units.
    function scoreFloor() external view returns (uint256);

    /// @notice The penalty of an early exit with 52 weeks left, hundredths of a per cent; 0: no early exit.
    function exitPenaltyBps() external view returns (uint256);

    /// @notice Whether `locker` may lock for others.
    function lockers(address locker) external view returns (bool);

    /// @notice The token that is locked.
    function TOKEN() external view returns (IERC20);

    /// @notice The token that revenue is paid in.
    function REVENUE_TOKEN() external view returns (IERC20);

    /// @notice The least that the owner can set as exit penalty but 0, hundredths of a per cent.
    function MIN_EXIT_PENALTY_BPS() external view returns (uint256);

    /// @notice The most that the owner can set as exit penalty, hundredths of a per cent.
    function MAX_EXIT_PENALTY_BPS() external view returns (uint256);

    /// @notice The version of this contract, as "major.minor.patch".
    function VERSION() external view returns (string memory);
}
