// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {IBatchSettlement} from "./IBatchSettlement.sol";

/// @title ITill
/// @notice An operator's till: receives what channels pay and splits it to the assets that earned it.
///
/// The till's life. An operator deploys one till and names it receiver and receiver authorizer of every channel, so
/// that one deposit serves all assets. The owner, a cold key, lists the payees (each asset's Shares, the operator's
/// treasury) and the claim keys. A claim key, hot, batches what channels were charged into `claimAndSplit`: the till
/// claims, settles, checks that the splits sum up to what this very batch brought, pays each payee, lets Shares accrue,
/// and chains the root of the batch's receipts into `anchor`. Nothing ever flows to an address the owner did not list,
/// and no payee is paid more in a day than the owner's cap for it.
///
/// What a stolen claim key can do until it is removed: give payers back what is unclaimed, and misattribute income among
/// the payees. Payees are Shares, whose shares can be bought: the thief may hold those of a payee. That is what the caps
/// are for. What a split attributes above a payee's cap stays here, booked as owed, and is paid on the following days,
/// each day up to the cap; before that, the owner can take the booking back. So a thief gets at most a day's cap of a
/// payee for each day that passes unnoticed (two around midnight UTC), and claims are never held up.
///
/// Money also comes in by other doors: a batch claimed by `claimWithSignature`, a stranger's channel that names this
/// till as receiver, a plain transfer. Such money is *unsplit*. `split` attributes it. So that no account can stop the
/// operator's batches by slipping one unit in before them, `claimAndSplit` compares the splits only with what its own
/// batch added, and first sends what was claimed elsewhere to a payee named for the purpose.
///
/// A payee that cannot be paid (the token refuses it, say) delays no other: its part is booked as owed, and anyone may
/// send it on later by `payOwed`. A payee whose `accrue` fails has its money; anyone may accrue later.
///
/// Always true, for an honest token: all splits ever, less what the owner took back, + unsplit = all that was ever claimed
/// or given; the till holds at least what it owes; no payee is paid more than was split to it, nor more in a day than its
/// cap.
///
/// @dev If the token refuses to pay this till, `claimAndSplit` reverts, yet claims can still be secured within the
///      channels' delay by `claimWithSignature`, and settled and split once the token relents. Fee-on-transfer and
///      rebasing tokens must not be used: what they withhold is missing to the payee paid last, whose part is then
///      booked as owed.
interface ITill is IERC1271 {
    /// @notice What the till does with a payee: refuse it, pay it, or pay it and have it accrue.
    enum PayeeKind {
        None,
        Plain,
        Shares
    }

    /// @notice One part of the money.
    /// @param payTo The payee.
    /// @param amount Atomic units, not zero.
    struct Split {
        address payTo;
        uint256 amount;
    }

    /// @notice A claim key was added or removed.
    event ClaimKeySet(address indexed key, bool allowed);

    /// @notice A payee was added, changed or removed.
    event PayeeSet(address indexed payTo, PayeeKind kind);

    /// @notice A payee was paid its part. `totalSplit`: all this till ever split in `token`, this part included.
    event Paid(address indexed payTo, address indexed token, uint256 amount, uint256 totalSplit);

    /// @notice A payee could not be paid its part, which is now owed to it. `totalSplit` as in `Paid`.
    event Deferred(address indexed payTo, address indexed token, uint256 amount, uint256 totalSplit, uint256 owed);

    /// @notice A payee has had today's cap; this part is owed to it. `totalSplit` as in `Paid`.
    event Capped(address indexed payTo, address indexed token, uint256 amount, uint256 totalSplit, uint256 owed);

    /// @notice The owner capped what a payee is paid a day; for the zero address all payees without a cap of their own.
    event DailyCapSet(address indexed payTo, address indexed token, uint256 cap);

    /// @notice The owner took back what was booked as owed to a payee; it is unsplit again. `owed` is what remains owed.
    event OwedTakenBack(address indexed payTo, address indexed token, uint256 amount, uint256 owed);

    /// @notice A payee was paid what it was owed, or as much of it as today's cap allows.
    event OwedPaid(address indexed payTo, address indexed token, uint256 amount);

    /// @notice A payee has its money, but its `accrue(token)` failed; anyone can call it again.
    event AccrueFailed(address indexed payTo, address indexed token);

    /// @notice Receipts were anchored: `anchor = keccak256(abi.encode(previous, receiptsRoot, receiptCount))`.
    event Anchored(bytes32 indexed anchor, bytes32 indexed previous, bytes32 receiptsRoot, uint64 receiptCount);

    /// @notice The constructor was given the zero address as settlement.
    error InvalidSettlement();

    /// @notice The caller is not a claim key.
    error NotAClaimKey(address caller);

    /// @notice The zero address cannot be a claim key.
    error InvalidClaimKey(address key);

    /// @notice This address cannot be a payee of this kind: zero, the till, the settlement, or Shares without code.
    error InvalidPayee(address payTo, PayeeKind kind);

    /// @notice The owner has not listed this address as a payee.
    error NotAPayee(address payTo);

    /// @notice A part of nothing.
    error ZeroSplit(address payTo);

    /// @notice The calldata to forward is not that of `BatchSettlement.claim`.
    error NotAClaim(bytes4 selector);

    /// @notice The splits sum up to `splits`, but the batch brought `claimed` atomic units of the token.
    error SplitMismatch(uint256 splits, uint256 claimed);

    /// @notice The splits sum up to `splits`, but only `unsplit` atomic units are there.
    error SplitExceedsUnsplit(uint256 splits, uint256 unsplit);

    /// @notice Nothing of this token is unsplit.
    error NothingToSplit(address token);

    /// @notice Nothing of this token is owed to this payee.
    error NothingOwed(address payTo, address token);

    /// @notice Less is owed than was to be taken back.
    error NotOwed(address payTo, address token, uint256 amount, uint256 owed);

    /// @notice The payee has had today's cap; the next payment is possible at `opensAt`, Unix seconds.
    error CapReached(address payTo, address token, uint256 opensAt);

    /// @notice Claims a batch, pays its proceeds out and anchors its receipts, all or nothing. Claim keys only.
    /// @dev Rows in another token, or of channels with another receiver, do not count as proceeds: rows in another
    ///      token leave their money unsplit. `claimCall` is forwarded as it is, so that rows are not encoded twice.
    /// @param claimCall Calldata of `BatchSettlement.claim`.
    /// @param token The ERC-20 of the batch's channels.
    /// @param splits The parts; they sum up to what the batch adds to the till's claimed total in `token`.
    /// @param remainderTo The payee that gets what was claimed elsewhere and not yet split; always a listed one, even
    ///        if there is nothing.
    /// @param receiptsRoot Root over the receipts of the batch's calls.
    /// @param receiptCount How many receipts; zero: none, the anchor stays.
    function claimAndSplit(
        bytes calldata claimCall,
        address token,
        Split[] calldata splits,
        address remainderTo,
        bytes32 receiptsRoot,
        uint64 receiptCount
    ) external;

    /// @notice Pays out everything unsplit: claimed elsewhere, or plainly sent here. Claim keys only.
    /// @param token The ERC-20.
    /// @param splits The parts; they sum up to at most what is unsplit.
    /// @param remainderTo The payee that gets the rest, so that a stranger's extra unit does not make the call fail.
    function split(address token, Split[] calldata splits, address remainderTo) external;

    /// @notice Sends a payee what it is owed, as much as today's cap allows; anyone may call, also after the payee was
    ///         removed.
    /// @param payTo The payee.
    /// @param token The ERC-20.
    function payOwed(address payTo, address token) external;

    /// @notice Gives a channel's unclaimed money back to its payer. Claim keys only.
    /// @param config The channel.
    /// @param amount Atomic units; lowered to what is unclaimed.
    function refund(IBatchSettlement.ChannelConfig calldata config, uint128 amount) external;

    /// @notice Anchors receipts of calls that were not paid through a channel. Claim keys only.
    /// @param receiptsRoot Root over the receipts.
    /// @param receiptCount How many.
    function anchorReceipts(bytes32 receiptsRoot, uint64 receiptCount) external;

    /// @notice Adds or removes a claim key. Owner only.
    /// @param key The key's address; an account with a private key if it is to sign for `claimWithSignature`.
    /// @param allowed Whether it is a claim key from now on.
    function setClaimKey(address key, bool allowed) external;

    /// @notice Adds, changes or removes a payee. Owner only. What is owed to it stays owed.
    /// @param payTo The payee.
    /// @param kind What it is from now on.
    function setPayee(address payTo, PayeeKind kind) external;

    /// @notice Caps what a payee is paid of `token` a day (days begin at midnight UTC), at once. Owner only. Two caps can be
    ///         paid within seconds around midnight. What a payee was paid while it had no cap is not counted, so on the day
    ///         that it gets its first cap it can have that in addition: counting it would cost every payment 2,900 gas.
    /// @param payTo The payee; zero: all payees that have no cap of their own.
    /// @param token The ERC-20.
    /// @param cap Atomic units; zero: no separate cap, and for the zero address none at all.
    function setDailyCap(address payTo, address token, uint96 cap) external;

    /// @notice Takes back what is owed to a payee and not paid yet; it is unsplit again. Owner only: against what a stolen
    ///         claim key attributed.
    /// @param payTo The payee.
    /// @param token The ERC-20.
    /// @param amount Atomic units, at most what is owed.
    function takeBackOwed(address payTo, address token, uint256 amount) external;

    /// @notice ERC-1271: a claim key may sign as this till, and only the settlement contract accepts that.
    /// @dev The settlement asks about claim batches and refunds, which bring money here or to the payer. Anyone else,
    ///      for example a token that takes contract signatures for permits or transfers, could be shown a signature
    ///      that a key was tricked into or that was stolen with it, so for any other caller no signature is valid. To
    ///      check one off-chain, simulate the call with the settlement as sender.
    /// @param digest What was signed.
    /// @param signature 65 bytes r, s, v.
    /// @return 0x1626ba7e if valid, 0xffffffff if not.
    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4);

    /// @notice The settlement contract whose channels this till serves.
    function settlement() external view returns (IBatchSettlement);

    /// @notice Whether `key` is a claim key.
    function claimKeys(address key) external view returns (bool);

    /// @notice What `payTo` is to this till.
    function payees(address payTo) external view returns (PayeeKind);

    /// @notice What was ever split in `token`, by where it came from, in atomic units.
    function totalSplit(address token) external view returns (uint128 claimed, uint128 donated);

    /// @notice The most that `payTo` is paid of `token` in a day, in atomic units; zero: no limit.
    function dailyCap(address payTo, address token) external view returns (uint256 cap);

    /// @notice What `payTo` can still be paid of `token` today, in atomic units.
    function roomToday(address payTo, address token) external view returns (uint256);

    /// @notice What could not yet be paid to `payTo`, or not yet within its daily cap, in atomic units.
    function owed(address payTo, address token) external view returns (uint256);

    /// @notice What could not yet be paid to anyone, in atomic units.
    function totalOwed(address token) external view returns (uint256);

    /// @notice What `split` would pay out, in atomic units.
    /// @param token The ERC-20.
    /// @return claimed Claimed on channels, settled or not, and not yet split.
    /// @return donated Sent here without a channel.
    function unsplit(address token) external view returns (uint256 claimed, uint256 donated);

    /// @notice The last link of the receipts' chain; zero: none yet.
    function anchor() external view returns (bytes32);

    /// @notice The version of this contract, as "major.minor.patch".
    function VERSION() external view returns (string memory);
}
