// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IBatchSettlement} from "../interfaces/IBatchSettlement.sol";
import {IShares} from "../interfaces/IShares.sol";
import {ITill} from "../interfaces/ITill.sol";
import {TwoStepOwner} from "../lib/TwoStepOwner.sol";
import {Allowance, packAllowance} from "../types/Allowance.sol";

/// @title Till
/// @notice Receives what an operator's channels pay and splits it to the assets; `ITill` describes how.
contract Till is ITill, TwoStepOwner, ReentrancyGuardTransient {
    using LowLevelCall for address;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev What was ever split in one token, in atomic units, by where it came from. One slot.
    struct TokenTotals {
        uint128 claimed;
        uint128 donated;
    }

    string public constant VERSION = "1.0.0";

    /// @inheritdoc ITill
    IBatchSettlement public immutable settlement;

    /// @inheritdoc ITill
    mapping(address key => bool) public claimKeys;
    /// @inheritdoc ITill
    mapping(address payTo => PayeeKind) public payees;
    /// @inheritdoc ITill
    mapping(address token => TokenTotals) public totalSplit;
    /// @inheritdoc ITill
    mapping(address payTo => mapping(address token => uint256)) public owed; // atomic units
    /// @inheritdoc ITill
    mapping(address token => uint256) public totalOwed; // atomic units
    /// @inheritdoc ITill
    bytes32 public anchor;
    /// @dev The zero address, which is never a payee, holds the caps of all payees without one of their own.
    mapping(address payTo => mapping(address token => Allowance)) private _allowances;

    modifier onlyClaimKey() {
        require(claimKeys[msg.sender], NotAClaimKey(msg.sender));
        _;
    }

    /// @param owner The cold key that lists payees and claim keys.
    /// @param settlement_ The settlement contract whose channels this till serves, for good.
    constructor(address owner, IBatchSettlement settlement_) Ownable(owner) {
        require(address(settlement_) != address(0), InvalidSettlement());
        settlement = settlement_;
    }

    /// @inheritdoc ITill
    function claimAndSplit(
        bytes calldata claimCall,
        address token,
        Split[] calldata splits,
        address remainderTo,
        bytes32 receiptsRoot,
        uint64 receiptCount
    ) external onlyClaimKey nonReentrant {
        require(bytes4(claimCall) == IBatchSettlement.claim.selector, NotAClaim(bytes4(claimCall)));

        uint128 claimedBefore = _totalClaimed(token);
        if (!address(settlement).callNoReturn(claimCall)) LowLevelCall.bubbleRevert();
        uint128 claimedAfter = _totalClaimed(token);
        settlement.settle(address(this), token);

        uint256 sum = _sum(splits);
        require(sum == claimedAfter - claimedBefore, SplitMismatch(sum, claimedAfter - claimedBefore));

        TokenTotals memory totals = totalSplit[token];
        totalSplit[token].claimed = claimedAfter;
        if (receiptCount != 0) _anchor(receiptsRoot, receiptCount);
        _pay(token, splits, remainderTo, claimedBefore - totals.claimed, uint256(totals.claimed) + totals.donated);
    }

    /// @inheritdoc ITill
    function split(address token, Split[] calldata splits, address remainderTo) external onlyClaimKey nonReentrant {
        (uint256 claimed, uint256 donated) = unsplit(token);
        uint256 available = claimed + donated;
        uint256 sum = _sum(splits);
        require(available != 0, NothingToSplit(token));
        require(sum <= available, SplitExceedsUnsplit(sum, available));

        TokenTotals memory totals = totalSplit[token];
        totalSplit[token] = TokenTotals(totals.claimed + claimed.toUint128(), totals.donated + donated.toUint128());
        settlement.settle(address(this), token);
        // What is owed grows after a transfer because only then it is known that it failed; all of it is locked.
        // slither-disable-next-line reentrancy-no-eth
        _pay(token, splits, remainderTo, available - sum, uint256(totals.claimed) + totals.donated);
    }

    /// @inheritdoc ITill
    function payOwed(address payTo, address token) external nonReentrant {
        uint256 due = owed[payTo][token];
        require(due != 0, NothingOwed(payTo, token));
        Allowance allowance = _allowances[payTo][token];
        uint256 room = _roomOf(allowance, token);
        uint256 amount = Math.min(due, room);
        require(amount != 0, CapReached(payTo, token, (_today() + 1) * 1 days));

        owed[payTo][token] = due - amount;
        totalOwed[token] -= amount;
        if (room != type(uint256).max) _count(payTo, token, allowance, amount);

        emit OwedPaid(payTo, token, amount);
        IERC20(token).safeTransfer(payTo, amount);
        if (payees[payTo] == PayeeKind.Shares) _accrue(payTo, token);
    }

    /// @inheritdoc ITill
    function refund(IBatchSettlement.ChannelConfig calldata config, uint128 amount) external onlyClaimKey nonReentrant {
        settlement.refund(config, amount);
    }

    /// @inheritdoc ITill
    function anchorReceipts(bytes32 receiptsRoot, uint64 receiptCount) external onlyClaimKey {
        _anchor(receiptsRoot, receiptCount);
    }

    /// @inheritdoc ITill
    function setClaimKey(address key, bool allowed) external onlyOwner {
        require(key != address(0), InvalidClaimKey(key));
        claimKeys[key] = allowed;
        emit ClaimKeySet(key, allowed);
    }

    /// @inheritdoc ITill
    function setPayee(address payTo, PayeeKind kind) external onlyOwner {
        require(
            payTo != address(0) && payTo != address(this) && payTo != address(settlement)
                && (kind != PayeeKind.Shares || payTo.code.length != 0),
            InvalidPayee(payTo, kind)
        );
        payees[payTo] = kind;
        emit PayeeSet(payTo, kind);
    }

    /// @inheritdoc ITill
    function setDailyCap(address payTo, address token, uint96 cap) external onlyOwner {
        uint256 today = _today();
        _allowances[payTo][token] = packAllowance(cap, today, _allowances[payTo][token].paidOn(today));
        emit DailyCapSet(payTo, token, cap);
    }

    /// @inheritdoc ITill
    function takeBackOwed(address payTo, address token, uint256 amount) external onlyOwner nonReentrant {
        uint256 due = owed[payTo][token];
        require(amount <= due, NotOwed(payTo, token, amount, due));
        owed[payTo][token] = due - amount;
        totalOwed[token] -= amount;
        emit OwedTakenBack(payTo, token, amount, due - amount);
    }

    /// @inheritdoc ITill
    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        if (msg.sender != address(settlement)) return 0xffffffff;
        // A failed recovery yields the zero address, which is never a claim key.
        // slither-disable-next-line unused-return
        (address signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
        return claimKeys[signer] ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    /// @inheritdoc ITill
    function unsplit(address token) public view returns (uint256 claimed, uint256 donated) {
        (uint128 totalClaimed, uint128 totalSettled) = settlement.receivers(address(this), token);
        claimed = totalClaimed - totalSplit[token].claimed;
        uint256 held = IERC20(token).balanceOf(address(this)) + totalClaimed - totalSettled;
        // Saturating: a token that withheld a fee leaves less here than is owed and unsplit.
        donated = Math.saturatingSub(held, totalOwed[token] + claimed);
    }

    /// @inheritdoc ITill
    function dailyCap(address payTo, address token) external view returns (uint256 cap) {
        return _capOf(_allowances[payTo][token], token);
    }

    /// @inheritdoc ITill
    function roomToday(address payTo, address token) external view returns (uint256) {
        return _roomOf(_allowances[payTo][token], token);
    }

    /// @dev Pays the rest and each part, and lets Shares accrue. `paid` is what was split before, for the events'
    ///      totals.
    function _pay(address token, Split[] calldata splits, address remainderTo, uint256 rest, uint256 paid) private {
        PayeeKind kind = _kindOf(remainderTo);
        if (rest != 0) _payOne(token, remainderTo, kind, rest, paid += rest);
        for (uint256 i = 0; i < splits.length; ++i) {
            address payTo = splits[i].payTo;
            uint256 amount = splits[i].amount;
            require(amount != 0, ZeroSplit(payTo));
            _payOne(token, payTo, _kindOf(payTo), amount, paid += amount);
        }
    }

    /// @dev Never fails for the payee's sake: what cannot be paid is booked as owed, as is what is above the day's cap.
    function _payOne(address token, address payTo, PayeeKind kind, uint256 amount, uint256 paid) private {
        Allowance allowance = _allowances[payTo][token];
        uint256 room = _roomOf(allowance, token);
        uint256 part = Math.min(amount, room);
        if (part != 0) {
            if (IERC20(token).trySafeTransfer(payTo, part)) {
                emit Paid(payTo, token, part, paid - (amount - part));
                if (room != type(uint256).max) _count(payTo, token, allowance, part);
                if (kind == PayeeKind.Shares) _accrue(payTo, token);
            } else {
                emit Deferred(payTo, token, amount, paid, _owe(payTo, token, amount));
                return;
            }
        }
        if (part != amount) emit Capped(payTo, token, amount - part, paid, _owe(payTo, token, amount - part));
    }

    function _owe(address payTo, address token, uint256 amount) private returns (uint256 due) {
        totalOwed[token] += amount;
        return owed[payTo][token] += amount;
    }

    /// @dev Counts what is paid against today's cap; with it, it is at most a cap, and fits.
    function _count(address payTo, address token, Allowance allowance, uint256 amount) private {
        uint256 today = _today();
        _allowances[payTo][token] = packAllowance(allowance.cap(), today, allowance.paidOn(today) + amount);
    }

    /// @dev A low-level call that ignores what comes back: no answer of the payee, however long or odd, can revert it.
    function _accrue(address payTo, address token) private {
        if (!payTo.callNoReturn(abi.encodeCall(IShares.accrue, (token)))) emit AccrueFailed(payTo, token);
    }

    /// @dev What can still be paid today; the highest number without a cap.
    function _roomOf(Allowance allowance, address token) private view returns (uint256) {
        uint256 cap = _capOf(allowance, token);
        return cap == 0 ? type(uint256).max : Math.saturatingSub(cap, allowance.paidOn(_today()));
    }

    function _capOf(Allowance allowance, address token) private view returns (uint256) {
        uint256 cap = allowance.cap();
        return cap != 0 ? cap : _allowances[address(0)][token].cap();
    }

    function _today() private view returns (uint256) {
        return block.timestamp / 1 days;
    }

    function _anchor(bytes32 receiptsRoot, uint64 receiptCount) private {
        bytes32 previous = anchor;
        bytes32 next = keccak256(abi.encode(previous, receiptsRoot, receiptCount));
        anchor = next;
        emit Anchored(next, previous, receiptsRoot, receiptCount);
    }

    function _totalClaimed(address token) private view returns (uint128 totalClaimed) {
        // slither-disable-next-line unused-return
        (totalClaimed,) = settlement.receivers(address(this), token);
    }

    function _kindOf(address payTo) private view returns (PayeeKind kind) {
        kind = payees[payTo];
        require(kind != PayeeKind.None, NotAPayee(payTo));
    }

    function _sum(Split[] calldata splits) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < splits.length; ++i) {
            sum += splits[i].amount;
        }
    }
}
