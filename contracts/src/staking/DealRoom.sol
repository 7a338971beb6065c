// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IDealPolicy} from "../interfaces/IDealPolicy.sol";
import {IDealRoom} from "../interfaces/IDealRoom.sol";
import {ILevels} from "../interfaces/ILevels.sol";
import {IVoteEscrow} from "../interfaces/IVoteEscrow.sol";
import {TwoStepOwner} from "../lib/TwoStepOwner.sol";
import {DealId} from "../types/DealId.sol";
import {
    Deal,
    DealRow,
    packSums,
    Subscription,
    SubscriptionRow,
    SumsRow,
    Tier,
    TierRow,
    Window
} from "../types/DealRows.sol";

/// @title DealRoom
/// @notice See IDealRoom for what a deal is and how it lives.
/// @dev A window fills what the windows before it left of the hard cap, so two sums tell what an account gets: what was paid
///      before its window, and what was paid into it. Only its sums tell the money of one deal from that of others:
///      balances are read to check what came in, and for nothing else.
contract DealRoom is IDealRoom, TwoStepOwner, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev The fee of deals to come. One slot.
    struct Fee {
        address sink;
        uint16 bps;
    }

    /// @dev A deal's terms and its sums.
    struct Record {
        DealRow terms;
        SumsRow book; // paid in; of it, by accounts that are allotted
        SumsRow results; // allocated; to be refunded
        SumsRow taken; // proceeds, with the fee; tokens returned
        TierRow[11] tiers; // by level, 0 to 10
        mapping(uint256 window => SumsRow) windows; // paid before it; paid into it
        mapping(address account => SubscriptionRow) subscriptions;
    }

    /// @inheritdoc IDealRoom
    string public constant VERSION = "1.0.0";
    /// @inheritdoc IDealRoom
    uint16 public constant MAX_FEE_BPS = 500;
    /// @inheritdoc IDealRoom
    uint256 public constant MIN_FOR_SALE = 1e9;
    /// @inheritdoc IDealRoom
    uint256 public constant MAX_SALE = 90 days;
    /// @inheritdoc IDealRoom
    uint256 public constant MAX_VESTING_DAYS = 3_650;

    uint256 private constant BPS = 10_000;
    uint256 private constant TOP = 10; // the highest level

    /// @inheritdoc IDealRoom
    ILevels public immutable LEVELS;
    IVoteEscrow private immutable ESCROW;

    /// @inheritdoc IDealRoom
    Fee public platformFee;
    /// @inheritdoc IDealRoom
    mapping(address token => uint256) public feesDue;
    mapping(DealId deal => Record) private _deals;

    /// @param owner Sets the fee.
    /// @param levels The levels whose thresholds deals copy.
    /// @param feeSink Gets the fees.
    /// @param feeBps Hundredths of a per cent.
    constructor(address owner, ILevels levels, address feeSink, uint16 feeBps) Ownable(owner) {
        require(address(levels).code.length != 0, InvalidLevels(address(levels)));
        LEVELS = levels;
        ESCROW = levels.ESCROW();
        _setFee(feeSink, feeBps);
    }

    // -- issuers -------------------------------------------------------------------------------------------------------

    /// @inheritdoc IDealRoom
    function create(Terms calldata terms, bytes32 salt) external nonReentrant returns (DealId id) {
        _checkTerms(terms);
        id = DealId.wrap(keccak256(abi.encode(block.chainid, address(this), msg.sender, salt, terms)));
        Record storage record = _deals[id];
        Deal memory deal = record.terms.read();
        require(deal.closesAt == 0, DealExists(id));

        (deal.saleToken, deal.forSale) = (terms.saleToken, terms.forSale);
        (deal.paymentToken, deal.hardCap, deal.softCap) = (terms.paymentToken, terms.hardCap, terms.softCap);
        (deal.closesAt, deal.cliffDays, deal.vestingDays) = (terms.closesAt, terms.cliffDays, terms.vestingDays);
        (deal.issuer, deal.policy, deal.feeBps) = (msg.sender, address(terms.policy), platformFee.bps);
        record.terms.write(deal);
        uint256[10] memory thresholds = LEVELS.thresholds();
        _writeTiers(record, terms, thresholds);
        emit DealCreated(id, msg.sender, terms, thresholds, deal.feeBps);
        _take(deal.saleToken, deal.forSale);
    }

    /// @inheritdoc IDealRoom
    function cancel(DealId id) external {
        (Record storage record, Deal memory deal) = _ownDeal(id);
        require(block.timestamp < deal.closesAt, DealClosed(id, deal.closesAt));
        uint256 paid = record.book.first();
        require(paid == 0, DealStarted(id, paid));
        deal.closesAt = block.timestamp;
        record.terms.sale = deal.packSale();
        emit DealCancelled(id);
    }

    /// @inheritdoc IDealRoom
    function takeProceeds(DealId id, address to) external nonReentrant returns (uint256 amount) {
        (Record storage record, Deal memory deal) = _ownDeal(id);
        _checkSucceeded(id, record, deal);
        (uint256 proceeds, uint256 tokens) = record.taken.unpack();
        (uint256 due,) = _issuersPart(record, deal);
        require(due > proceeds, NothingDue(id, msg.sender));

        uint256 fee = (due - proceeds) * deal.feeBps / BPS;
        amount = due - proceeds - fee;
        record.taken = packSums(due, tokens);
        feesDue[deal.paymentToken] += fee;
        emit ProceedsTaken(id, to, amount, fee);
        _pay(deal.paymentToken, to, amount);
    }

    /// @inheritdoc IDealRoom
    function takeUnsold(DealId id, address to) external nonReentrant returns (uint256 amount) {
        (Record storage record, Deal memory deal) = _ownDeal(id);
        _checkClosed(id, deal);
        (uint256 proceeds, uint256 tokens) = record.taken.unpack();
        (, uint256 due) = _issuersPart(record, deal);
        require(due > tokens, NothingDue(id, msg.sender));

        amount = due - tokens;
        record.taken = packSums(proceeds, due);
        emit TokensReturned(id, to, amount);
        _pay(deal.saleToken, to, amount);
    }

    // -- subscribers ---------------------------------------------------------------------------------------------------

    /// @inheritdoc IDealRoom
    function subscribe(DealId id, uint256 amount) external nonReentrant {
        (Record storage record, Deal memory deal) = _deal(id);
        require(block.timestamp < deal.closesAt, DealClosed(id, deal.closesAt));
        (uint256 level, Tier memory tier) = _levelIn(record, msg.sender);
        require(tier.cap != 0, LevelNotAdmitted(msg.sender, level));
        require(tier.isOpen(block.timestamp), NotOpen(msg.sender, level, tier.opensAt));
        bool allowed = deal.policy == address(0) || IDealPolicy(deal.policy).canSubscribe(id, msg.sender);
        require(allowed, RefusedByPolicy(deal.policy, msg.sender));

        uint256 window = _windowNow(record, level);
        _addToSubscription(record, window, amount, tier.cap);
        _addToWindow(id, record, deal, window, amount);
        emit Subscribed(id, msg.sender, amount, level, window);
        _take(deal.paymentToken, amount);
    }

    /// @inheritdoc IDealRoom
    function claim(DealId id, address to) external nonReentrant returns (uint256 amount) {
        (Record storage record, Deal memory deal) = _deal(id);
        _checkSucceeded(id, record, deal);
        (Subscription memory own, uint256 allocation,) = _allot(id, record, deal, msg.sender);
        amount = deal.vestedDown(allocation, block.timestamp) - own.claimed;
        require(amount != 0, NothingDue(id, msg.sender));

        own.claimed += amount;
        record.subscriptions[msg.sender] = own.pack();
        emit Claimed(id, msg.sender, to, amount);
        _pay(deal.saleToken, to, amount);
    }

    /// @inheritdoc IDealRoom
    function refund(DealId id, address to) external nonReentrant returns (uint256 amount) {
        (Record storage record, Deal memory deal) = _deal(id);
        _checkClosed(id, deal);
        Subscription memory own;
        (own,, amount) = _allot(id, record, deal, msg.sender);
        require(amount != 0 && !own.refunded, NothingDue(id, msg.sender));

        own.refunded = true;
        record.subscriptions[msg.sender] = own.pack();
        emit Refunded(id, msg.sender, to, amount);
        _pay(deal.paymentToken, to, amount);
    }

    // -- anyone --------------------------------------------------------------------------------------------------------

    /// @inheritdoc IDealRoom
    function allot(DealId id, address account) external nonReentrant {
        (Record storage record, Deal memory deal) = _deal(id);
        _checkClosed(id, deal);
        (Subscription memory subscription,,) = _allot(id, record, deal, account);
        record.subscriptions[account] = subscription.pack();
    }

    /// @inheritdoc IDealRoom
    function releaseFees(address token) external nonReentrant returns (uint256 amount) {
        amount = feesDue[token];
        if (amount == 0) return 0;
        address sink = platformFee.sink;
        feesDue[token] = 0;
        emit FeesReleased(token, sink, amount);
        _pay(token, sink, amount);
    }

    // -- owner ---------------------------------------------------------------------------------------------------------

    /// @inheritdoc IDealRoom
    function setFee(address sink, uint16 feeBps) external onlyOwner {
        _setFee(sink, feeBps);
    }

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @inheritdoc IDealRoom
    function dealOf(DealId id) external view returns (DealView memory all) {
        Record storage record = _deals[id];
        Deal memory deal = record.terms.read();
        (all.issuer, all.saleToken, all.paymentToken) = (deal.issuer, deal.saleToken, deal.paymentToken);
        (all.policy, all.forSale) = (deal.policy, deal.forSale);
        (all.hardCap, all.softCap) = (deal.hardCap, deal.softCap);
        (all.closesAt, all.cliffDays, all.vestingDays) = (deal.closesAt, deal.cliffDays, deal.vestingDays);
        all.feeBps = deal.feeBps;
        all.paid = record.book.first();
        (all.proceedsTaken, all.tokensTaken) = record.taken.unpack();
        if (deal.closesAt == 0) all.phase = Phase.Unknown;
        else if (block.timestamp < deal.closesAt) all.phase = Phase.Selling;
        else all.phase = all.paid < deal.softCap ? Phase.Failed : Phase.Succeeded;
    }

    /// @inheritdoc IDealRoom
    function levelTermsOf(DealId id, uint256 level)
        external
        view
        returns (uint256 threshold, uint256 cap, uint256 opensAt)
    {
        Tier memory tier = _deals[id].tiers[level].unpack();
        return (tier.threshold, tier.cap, tier.opensAt);
    }

    /// @inheritdoc IDealRoom
    function levelIn(DealId id, address account) external view returns (uint256 level) {
        (Record storage record,) = _deal(id);
        (level,) = _levelIn(record, account);
    }

    /// @inheritdoc IDealRoom
    function subscriptionOf(DealId id, address account) external view returns (SubscriptionView memory all) {
        Record storage record = _deals[id];
        Deal memory deal = record.terms.read();
        Subscription memory subscription = record.subscriptions[account].unpack();
        (all.paid, all.claimed) = (subscription.paid, subscription.claimed);
        (all.allocation, all.refundable) = _resultOf(record, deal, subscription);
        if (subscription.refunded) all.refundable = 0;
        if (block.timestamp < deal.closesAt) return all;
        all.claimable = deal.vestedDown(all.allocation, block.timestamp) - all.claimed;
    }

    // -- terms ---------------------------------------------------------------------------------------------------------

    function _checkTerms(Terms calldata terms) private view {
        require(terms.saleToken.code.length != 0, InvalidDealToken(terms.saleToken));
        require(
            terms.paymentToken.code.length != 0 && terms.paymentToken != terms.saleToken,
            InvalidDealToken(terms.paymentToken)
        );
        address policy = address(terms.policy);
        require(policy == address(0) || policy.code.length != 0, InvalidPolicy(policy));
        require(
            terms.forSale >= MIN_FOR_SALE && terms.softCap != 0 && terms.softCap <= terms.hardCap,
            InvalidAmounts(terms.forSale, terms.hardCap, terms.softCap)
        );
        require(
            terms.closesAt > block.timestamp && terms.closesAt <= block.timestamp + MAX_SALE
                && terms.cliffDays <= terms.vestingDays && terms.vestingDays <= MAX_VESTING_DAYS,
            InvalidDates(terms.closesAt, terms.cliffDays, terms.vestingDays)
        );
    }

    /// @dev Checks the levels' terms and copies them with the thresholds. Level 0 needs no score.
    function _writeTiers(Record storage record, Terms calldata terms, uint256[10] memory thresholds) private {
        Tier memory below = Tier(0, 0, terms.closesAt - 1);
        for (uint256 level = 0; level <= TOP; ++level) {
            Tier memory tier = Tier(0, terms.levels[level].cap, terms.levels[level].opensAt);
            bool valid = tier.cap == 0
                ? below.cap == 0 && tier.opensAt == 0 && level != TOP
                : tier.cap >= below.cap && tier.cap <= terms.hardCap && tier.opensAt <= below.opensAt
                    && tier.opensAt >= block.timestamp;
            require(valid, InvalidLevelTerms(level, tier.cap, tier.opensAt));
            if (level != 0) tier.threshold = thresholds[level - 1];
            record.tiers[level] = tier.pack();
            if (tier.cap != 0) below = tier;
        }
    }

    function _setFee(address sink, uint16 feeBps) private {
        require(feeBps <= MAX_FEE_BPS && sink != address(0) && sink != address(this), InvalidDealFee(sink, feeBps));
        platformFee = Fee({sink: sink, bps: feeBps});
        emit FeeSet(sink, feeBps);
    }

    // -- levels and windows --------------------------------------------------------------------------------------------

    /// @dev The highest level whose threshold the account's score reaches, by bisection.
    function _levelIn(Record storage record, address account) private view returns (uint256 level, Tier memory tier) {
        uint256 score = ESCROW.scoreOf(account);
        tier = record.tiers[0].unpack();
        uint256 above = TOP + 1;
        while (above - level > 1) {
            uint256 middle = (level + above) / 2;
            Tier memory candidate = record.tiers[middle].unpack();
            if (candidate.threshold <= score) (level, tier) = (middle, candidate);
            else above = middle;
        }
    }

    /// @dev The lowest level that is open now, which names the window; `level` is open. By bisection: those above are open.
    function _windowNow(Record storage record, uint256 level) private view returns (uint256 window) {
        window = level;
        uint256 first = 0;
        while (first < window) {
            uint256 middle = (first + window) / 2;
            if (record.tiers[middle].unpack().isOpen(block.timestamp)) window = middle;
            else first = middle + 1;
        }
    }

    /// @dev Counts the payment for the caller. Every cap is at most the hard cap, so it fits.
    function _addToSubscription(Record storage record, uint256 window, uint256 amount, uint256 cap) private {
        Subscription memory own = record.subscriptions[msg.sender].unpack();
        uint256 left = Math.saturatingSub(cap, own.paid);
        require(amount != 0 && amount <= left, InvalidAmount(amount, left));
        require(own.paid == 0 || own.window == window, OtherWindow(msg.sender, own.window, window));
        (own.paid, own.window) = (own.paid + amount, window);
        record.subscriptions[msg.sender] = own.pack();
    }

    /// @dev Counts the payment for its window, and for the deal. All windows before it are over.
    function _addToWindow(DealId id, Record storage record, Deal memory deal, uint256 window, uint256 amount) private {
        uint256 paid = record.book.first();
        (uint256 before, uint256 inWindow) = record.windows[window].unpack();
        if (inWindow == 0) before = paid;
        require(before < deal.hardCap, SoldOut(id));
        require(paid + amount <= type(uint96).max, TooMuchPaid(id, paid + amount));
        record.windows[window] = packSums(before, inWindow + amount);
        record.book = packSums(paid + amount, 0);
    }

    // -- after the sale ------------------------------------------------------------------------------------------------

    /// @dev Puts an account's allocation and refund in the deal's sums, once. The caller stores the subscription.
    function _allot(DealId id, Record storage record, Deal memory deal, address account)
        private
        returns (Subscription memory subscription, uint256 allocation, uint256 refund_)
    {
        subscription = record.subscriptions[account].unpack();
        require(subscription.paid != 0, NothingDue(id, account));
        (allocation, refund_) = _resultOf(record, deal, subscription);
        if (subscription.allotted) return (subscription, allocation, refund_);

        subscription.allotted = true;
        (uint256 paid, uint256 allotted) = record.book.unpack();
        (uint256 allocated, uint256 refunds) = record.results.unpack();
        record.book = packSums(paid, allotted + subscription.paid);
        record.results = packSums(allocated + allocation, refunds + refund_);
        emit Allotted(id, account, allocation, refund_);
    }

    /// @dev What an account gets: tokens and a refund. If the soft cap was not reached, all is refunded.
    function _resultOf(Record storage record, Deal memory deal, Subscription memory subscription)
        private
        view
        returns (uint256 allocation, uint256 refund_)
    {
        uint256 paid = record.book.first();
        if (paid < deal.softCap) return (0, subscription.paid);
        (uint256 before, uint256 inWindow) = record.windows[subscription.window].unpack();
        Window memory window = Window(before, inWindow);
        allocation = deal.allocationDown(window, subscription.paid);
        refund_ = deal.excessDown(window, subscription.paid);
    }

    /// @dev All that is the issuer's of a deal that has closed, taken or not: proceeds, with the fee, and tokens. Until all
    ///      accounts are allotted, as if none of their results were rounded down.
    function _issuersPart(Record storage record, Deal memory deal)
        private
        view
        returns (uint256 proceeds, uint256 tokens)
    {
        (uint256 paid, uint256 allotted) = record.book.unpack();
        if (paid < deal.softCap) return (0, deal.forSale);
        if (paid == allotted) {
            (uint256 allocated, uint256 refunds) = record.results.unpack();
            return (paid - refunds, deal.forSale - allocated);
        }
        proceeds = Math.min(paid, deal.hardCap);
        tokens = deal.forSale - proceeds * deal.forSale / deal.hardCap;
    }

    // -- checks --------------------------------------------------------------------------------------------------------

    function _deal(DealId id) private view returns (Record storage record, Deal memory deal) {
        record = _deals[id];
        deal = record.terms.read();
        require(deal.closesAt != 0, UnknownDeal(id));
    }

    function _ownDeal(DealId id) private view returns (Record storage record, Deal memory deal) {
        (record, deal) = _deal(id);
        require(msg.sender == deal.issuer, NotTheIssuer(id, msg.sender));
    }

    function _checkClosed(DealId id, Deal memory deal) private view {
        require(block.timestamp >= deal.closesAt, DealSelling(id, deal.closesAt));
    }

    function _checkSucceeded(DealId id, Record storage record, Deal memory deal) private view {
        _checkClosed(id, deal);
        uint256 paid = record.book.first();
        require(paid >= deal.softCap, DealFailed(id, paid, deal.softCap));
    }

    // -- tokens --------------------------------------------------------------------------------------------------------

    function _take(address token, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        // slither-disable-next-line incorrect-equality (every way out is locked meanwhile)
        require(received == amount, WrongAmountReceived(token, received, amount));
    }

    function _pay(address token, address to, uint256 amount) private {
        require(to != address(0) && to != address(this), InvalidRecipient(to));
        if (amount != 0) IERC20(token).safeTransfer(to, amount);
    }
}
