// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../src/interfaces/IBatchSettlement.sol";
import {ITill} from "../../src/interfaces/ITill.sol";
import {Till} from "../../src/payments/Till.sol";
import {BlacklistToken} from "../mocks/BlacklistToken.sol";
import {FailingPayee} from "../mocks/FailingPayee.sol";
import {TillBase} from "../unit/Till/TillBase.t.sol";
import {Base} from "../Base.t.sol";

/// @notice What a claim key, payers and strangers do to a till, in any order. Keeps separate books, by plain
///         additions.
contract TillHandler is TillBase {
    uint256 private constant CHANNELS = 4;

    BlacklistToken private token;
    address[3] private payees;
    IBatchSettlement.ChannelConfig[] private channels;
    uint256 private serial;

    mapping(address payee => uint256) public expected; // what was split to it
    uint256 public elsewhere; // claimed and not yet split
    uint256 public given; // donated and not yet split
    uint256 public everClaimed;
    uint256 public everGiven; // donated, or taken back from a payee
    uint256 public takenBack;
    uint256 public minted;
    bytes32 public expectedAnchor;

    constructor() {
        setUp();
        token = new BlacklistToken();
        payees = [address(shares), treasury, address(new FailingPayee(FailingPayee.Failure.Revert))];
        vm.prank(owner);
        till.setPayee(payees[2], ITill.PayeeKind.Shares);
        for (uint256 i = 0; i < CHANNELS; ++i) {
            IBatchSettlement.ChannelConfig memory config = _channel();
            (config.receiver, config.receiverAuthorizer) = (address(till), address(till));
            (config.token, config.salt) = (address(token), bytes32(i));
            channels.push(config);
        }
    }

    /// @dev Whatever is called, no payee gets more than today's cap left it room for.
    modifier withinCaps() {
        uint256[3] memory most;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 room = till.roomToday(payees[i], address(token));
            uint256 held = token.balanceOf(payees[i]);
            most[i] = room > type(uint256).max - held ? type(uint256).max : held + room;
        }
        _;
        for (uint256 i = 0; i < 3; ++i) {
            assertLe(token.balanceOf(payees[i]), most[i], "within the day's cap");
        }
    }

    function deposit(uint256 which, uint128 amount) external {
        _fund(channels[which % CHANNELS], uint128(bound(amount, 1, 1e12)));
    }

    function claimAndSplit(uint256 seed, uint256 count, uint256 weight, uint256 remainder, uint64 receiptCount)
        external
        withinCaps
    {
        (IBatchSettlement.VoucherClaim[] memory rows, uint128 gained) = _someRows(seed, bound(count, 1, CHANNELS));
        ITill.Split[] memory splits = _parts(gained, weight);
        address remainderTo = payees[remainder % 3];
        bytes32 root = keccak256(abi.encode(seed));
        vm.prank(claimKey);
        till.claimAndSplit(
            abi.encodeCall(IBatchSettlement.claim, (rows)), address(token), splits, remainderTo, root, receiptCount
        );
        _book(splits);
        expected[remainderTo] += elsewhere;
        elsewhere = 0;
        everClaimed += gained;
        if (receiptCount != 0) expectedAnchor = keccak256(abi.encode(expectedAnchor, root, receiptCount));
    }

    function claimWithSignature(uint256 seed, uint256 count) external {
        (IBatchSettlement.VoucherClaim[] memory rows, uint128 gained) = _someRows(seed, bound(count, 1, CHANNELS));
        settlement.claimWithSignature(rows, _sign(CLAIM_KEY, _batchDigest(rows)));
        elsewhere += gained;
        everClaimed += gained;
    }

    function strangerClaims(uint128 amount) external {
        amount = uint128(bound(amount, 1, 1e12));
        minted += amount;
        _strangerClaims(address(token), amount);
        elsewhere += amount;
        everClaimed += amount;
    }

    function settle() external {
        settlement.settle(address(till), address(token));
    }

    function donate(uint256 amount) external {
        amount = bound(amount, 1, 1e12);
        token.mint(address(till), amount);
        minted += amount;
        given += amount;
        everGiven += amount;
    }

    function split(uint256 part, uint256 weight, uint256 remainder) external withinCaps {
        uint256 available = elsewhere + given;
        if (available == 0) return;
        part = bound(part, 0, available);
        ITill.Split[] memory splits = _parts(part, weight);
        address remainderTo = payees[remainder % 3];
        vm.prank(claimKey);
        till.split(address(token), splits, remainderTo);
        _book(splits);
        expected[remainderTo] += available - part;
        (elsewhere, given) = (0, 0);
    }

    function blacklist(uint256 which, bool on) external {
        token.blacklist(payees[which % 3], on);
    }

    function payOwed(uint256 which) external withinCaps {
        address payee = payees[which % 3];
        if (till.owed(payee, address(token)) == 0 || token.blacklisted(payee)) return;
        if (till.roomToday(payee, address(token)) == 0) return;
        vm.prank(stranger);
        till.payOwed(payee, address(token));
    }

    function setDailyCap(uint256 which, uint96 cap) external {
        vm.prank(owner);
        till.setDailyCap(which % 4 == 3 ? address(0) : payees[which % 4], address(token), uint96(bound(cap, 0, 1e12)));
    }

    function takeBackOwed(uint256 which, uint256 amount) external {
        address payee = payees[which % 3];
        amount = bound(amount, 0, till.owed(payee, address(token)));
        vm.prank(owner);
        till.takeBackOwed(payee, address(token), amount);
        expected[payee] -= amount;
        takenBack += amount;
        given += amount;
        everGiven += amount;
    }

    function wait(uint256 duration) external {
        skip(bound(duration, 0, 1 days));
    }

    function refund(uint256 which, uint128 amount) external {
        vm.prank(claimKey);
        till.refund(channels[which % CHANNELS], uint128(bound(amount, 1, 1e12)));
    }

    // --- what the invariants look at -----------------------------------------------------------------------------

    function subject() external view returns (Till, BlacklistToken, address[3] memory) {
        return (till, token, payees);
    }

    /// @dev Every unit minted is with the payer, a payee, the till or the settlement; this lists who may have none.
    function bystanders() external view returns (address[5] memory) {
        return [owner, claimKey, stranger, session, address(collector)];
    }

    function payerHolds() external view returns (uint256) {
        return token.balanceOf(payer);
    }

    function _fund(IBatchSettlement.ChannelConfig memory config, uint128 amount) private {
        token.mint(payer, amount);
        minted += amount;
        _depositByAllowance(config, amount);
    }

    /// @dev Rows that raise some channels, and what they bring in all.
    function _someRows(uint256 seed, uint256 count)
        private
        returns (IBatchSettlement.VoucherClaim[] memory rows, uint128 gained)
    {
        rows = new IBatchSettlement.VoucherClaim[](count);
        for (uint256 i = 0; i < count; ++i) {
            IBatchSettlement.ChannelConfig memory config = channels[i];
            (uint128 balance, uint128 claimed) = settlement.channels(_channelId(config));
            uint256 draw = uint256(keccak256(abi.encode(seed, i, ++serial)));
            uint128 total = uint128(bound(draw, claimed, balance));
            rows[i] = _row(config, balance, total, SESSION_KEY);
            gained += total - claimed;
        }
    }

    /// @dev Two parts of `sum`, or one, or none if there is nothing to split.
    function _parts(uint256 sum, uint256 weight) private view returns (ITill.Split[] memory) {
        if (sum == 0) return new ITill.Split[](0);
        uint256 first = bound(weight, 0, sum);
        if (first == 0 || first == sum) return _splits(payees[weight % 3], sum);
        return _splits(payees[weight % 3], first, payees[(weight >> 8) % 3], sum - first);
    }

    function _book(ITill.Split[] memory splits) private {
        for (uint256 i = 0; i < splits.length; ++i) {
            expected[splits[i].payTo] += splits[i].amount;
        }
    }
}

contract PaymentsTillInvariants is Base {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    TillHandler private handler;
    Till private till;
    BlacklistToken private token;
    address[3] private payees;

    function setUp() public {
        handler = new TillHandler();
        (till, token, payees) = handler.subject();
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](13);
        selectors[0] = TillHandler.deposit.selector;
        selectors[1] = TillHandler.claimAndSplit.selector;
        selectors[2] = TillHandler.claimWithSignature.selector;
        selectors[3] = TillHandler.strangerClaims.selector;
        selectors[4] = TillHandler.settle.selector;
        selectors[5] = TillHandler.donate.selector;
        selectors[6] = TillHandler.split.selector;
        selectors[7] = TillHandler.blacklist.selector;
        selectors[8] = TillHandler.payOwed.selector;
        selectors[9] = TillHandler.refund.selector;
        selectors[10] = TillHandler.setDailyCap.selector;
        selectors[11] = TillHandler.takeBackOwed.selector;
        selectors[12] = TillHandler.wait.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Each payee has, or is owed, what was split to it: no more, no less.
    function invariant_payeesGetTheirParts() public view {
        uint256 owed;
        uint256 split;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 owedToOne = till.owed(payees[i], address(token));
            assertEq(token.balanceOf(payees[i]) + owedToOne, handler.expected(payees[i]), "payee");
            owed += owedToOne;
            split += handler.expected(payees[i]);
        }
        (uint128 claimed, uint128 donated) = till.totalSplit(address(token));
        assertEq(till.totalOwed(address(token)), owed, "total owed");
        assertEq(uint256(claimed) + donated, split + handler.takenBack(), "total split");
    }

    /// @dev Split + unsplit = everything that ever came, by each door.
    function invariant_nothingIsLost() public view {
        (uint128 claimed, uint128 donated) = till.totalSplit(address(token));
        (uint256 unsplitClaimed, uint256 unsplitDonated) = till.unsplit(address(token));
        assertEq(unsplitClaimed, handler.elsewhere(), "unsplit, claimed");
        assertEq(unsplitDonated, handler.given(), "unsplit, donated");
        assertEq(claimed + unsplitClaimed, handler.everClaimed(), "claimed");
        assertEq(donated + unsplitDonated, handler.everGiven(), "donated");
    }

    function invariant_theTillHoldsWhatItOwes() public view {
        (uint128 claimed, uint128 settled) = till.settlement().receivers(address(till), address(token));
        uint256 waiting = handler.elsewhere() - (claimed - settled);
        assertEq(
            token.balanceOf(address(till)), till.totalOwed(address(token)) + waiting + handler.given(), "till balance"
        );
    }

    /// @dev Every unit is with its payer, in escrow, in the till, or with a payee.
    function invariant_valueIsConserved() public view {
        uint256 sum =
            handler.payerHolds() + token.balanceOf(address(till.settlement())) + token.balanceOf(address(till));
        for (uint256 i = 0; i < 3; ++i) {
            sum += token.balanceOf(payees[i]);
        }
        assertEq(sum, handler.minted(), "minted");
        address[5] memory bystanders = handler.bystanders();
        for (uint256 i = 0; i < 5; ++i) {
            assertEq(token.balanceOf(bystanders[i]), 0, "bystander");
        }
    }

    function invariant_anchorsChain() public view {
        assertEq(till.anchor(), handler.expectedAnchor(), "anchor");
    }
}
