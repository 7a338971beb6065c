// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {TestDollar} from "../../src/devnet/TestDollar.sol";
import {IBatchSettlement} from "../../src/interfaces/IBatchSettlement.sol";
import {BatchSettlement} from "../../src/payments/BatchSettlement.sol";
import {Base} from "../Base.t.sol";
import {PaymentsBase} from "../PaymentsBase.t.sol";

/// @notice What payers, receivers and strangers do to a settlement, in any order; every call is one that succeeds.
contract SettlementHandler is PaymentsBase {
    uint256 private constant PAYERS = 3;
    uint256 private constant CHANNELS = 8;

    IBatchSettlement.ChannelConfig[] private channels;
    address[2] private receivers;
    TestDollar[2] private tokens;
    uint256 private clock;
    uint256 private serial;

    mapping(uint256 channel => uint128) public signedCeiling;
    mapping(uint256 channel => uint128) public lastClaimed;
    mapping(address token => uint256) public donated;
    mapping(address token => mapping(address payer => uint256)) public minted;

    constructor() {
        setUp();
        clock = time();
        receivers = [receiver, actor("second receiver")];
        tokens = [dollar, _deployDollar()];
        for (uint256 i = 0; i < CHANNELS; ++i) {
            channels.push(
                IBatchSettlement.ChannelConfig({
                    payer: i == 0 ? payer : actor(string.concat("payer ", vm.toString(i % PAYERS))),
                    payerAuthorizer: i == 0 ? address(0) : session, // the first payer signs itself
                    receiver: receivers[i & 1],
                    receiverAuthorizer: authorizer,
                    token: address(tokens[(i >> 1) & 1]),
                    withdrawDelay: uint40(15 minutes << (i % 4)),
                    salt: bytes32(i)
                })
            );
        }
        minted[address(dollar)][payer] = dollar.balanceOf(payer);
    }

    modifier atOurTime() {
        vm.warp(clock);
        _;
    }

    function deposit(uint256 which, uint128 amount) external atOurTime {
        IBatchSettlement.ChannelConfig memory config = channels[which % CHANNELS];
        amount = uint128(bound(amount, 1, 1e12));
        TestDollar(config.token).mint(config.payer, amount);
        minted[config.token][config.payer] += amount;
        _depositByAllowance(config, amount);
    }

    function claim(uint256 seed, uint256 count) external atOurTime {
        IBatchSettlement.VoucherClaim[] memory rows = _someRows(seed, bound(count, 1, CHANNELS));
        vm.prank(authorizer);
        settlement.claim(rows);
        _remember();
    }

    function claimWithSignature(uint256 seed, uint256 count) external atOurTime {
        IBatchSettlement.VoucherClaim[] memory rows = _someRows(seed, bound(count, 1, CHANNELS));
        settlement.claimWithSignature(rows, _sign(AUTHORIZER_KEY, _batchDigest(rows)));
        _remember();
    }

    function settle(uint256 seed) external atOurTime {
        settlement.settle(receivers[seed & 1], address(tokens[(seed >> 1) & 1]));
    }

    function initiateWithdraw(uint256 which, uint128 amount) external atOurTime {
        IBatchSettlement.ChannelConfig memory config = channels[which % CHANNELS];
        (, uint40 initiatedAt) = settlement.pendingWithdrawals(_channelId(config));
        uint128 left = _unclaimed(config);
        if (initiatedAt != 0 || left == 0) return;
        vm.prank(config.payer);
        settlement.initiateWithdraw(config, uint128(bound(amount, 1, left)));
    }

    function finalizeWithdraw(uint256 which, uint256 later) external atOurTime {
        IBatchSettlement.ChannelConfig memory config = channels[which % CHANNELS];
        (, uint40 initiatedAt) = settlement.pendingWithdrawals(_channelId(config));
        if (initiatedAt == 0) return;
        uint256 due = uint256(initiatedAt) + config.withdrawDelay;
        if (clock < due) clock = due + bound(later, 0, 1 hours);
        vm.warp(clock);
        vm.prank(config.payerAuthorizer == address(0) ? config.payer : config.payerAuthorizer);
        settlement.finalizeWithdraw(config);
    }

    function refund(uint256 which, uint128 amount, bool signed) external atOurTime {
        IBatchSettlement.ChannelConfig memory config = channels[which % CHANNELS];
        amount = uint128(bound(amount, 1, 1e12));
        if (signed) {
            bytes32 id = _channelId(config);
            uint256 nonce = settlement.refundNonce(id);
            settlement.refundWithSignature(
                config, amount, nonce, _sign(AUTHORIZER_KEY, _refundDigest(id, nonce, amount))
            );
        } else {
            vm.prank(config.receiver);
            settlement.refund(config, amount);
        }
    }

    function donate(uint256 seed, uint256 amount) external atOurTime {
        amount = bound(amount, 0, 1e12);
        tokens[seed & 1].mint(address(settlement), amount);
        donated[address(tokens[seed & 1])] += amount;
    }

    // --- what the invariants look at -----------------------------------------------------------------------------

    function subject() external view returns (BatchSettlement) {
        return settlement;
    }

    function configs() external view returns (IBatchSettlement.ChannelConfig[] memory) {
        return channels;
    }

    function receiverAt(uint256 i) external view returns (address) {
        return receivers[i];
    }

    function token(uint256 i) external view returns (address) {
        return address(tokens[i]);
    }

    /// @dev Rows of some channels, repeats and stale totals included, none of which may fail.
    function _someRows(uint256 seed, uint256 count) private returns (IBatchSettlement.VoucherClaim[] memory rows) {
        rows = new IBatchSettlement.VoucherClaim[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i, ++serial)));
            uint256 which = draw % CHANNELS;
            IBatchSettlement.ChannelConfig memory config = channels[which];
            (uint128 balance,) = settlement.channels(_channelId(config));
            uint128 total = uint128(bound(draw >> 8, 0, balance));
            uint128 ceiling = uint128(bound(draw >> 136, total, 1e15));
            if (ceiling > signedCeiling[which]) signedCeiling[which] = ceiling;
            rows[i] = _row(config, ceiling, total, which == 0 ? PAYER_KEY : SESSION_KEY);
        }
    }

    function _remember() private {
        for (uint256 i = 0; i < CHANNELS; ++i) {
            (, uint128 claimed) = settlement.channels(_channelId(channels[i]));
            assertLe(lastClaimed[i], claimed, "a claimed total fell");
            lastClaimed[i] = claimed;
        }
    }

    function _unclaimed(IBatchSettlement.ChannelConfig memory config) private view returns (uint128) {
        (uint128 balance, uint128 claimed) = settlement.channels(_channelId(config));
        return balance - claimed;
    }
}

contract PaymentsSettlementInvariants is Base {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    SettlementHandler private handler;
    BatchSettlement private settlement;
    bytes32[] private ids;
    address[] private payers; // of each channel
    address[] private tokens; // of each channel
    address[] private receivers; // of each channel

    function setUp() public {
        handler = new SettlementHandler();
        settlement = handler.subject();
        IBatchSettlement.ChannelConfig[] memory configs = handler.configs();
        for (uint256 i = 0; i < configs.length; ++i) {
            ids.push(settlement.getChannelId(configs[i]));
            payers.push(configs[i].payer);
            tokens.push(configs[i].token);
            receivers.push(configs[i].receiver);
        }
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](8);
        selectors[0] = SettlementHandler.deposit.selector;
        selectors[1] = SettlementHandler.claim.selector;
        selectors[2] = SettlementHandler.claimWithSignature.selector;
        selectors[3] = SettlementHandler.settle.selector;
        selectors[4] = SettlementHandler.initiateWithdraw.selector;
        selectors[5] = SettlementHandler.finalizeWithdraw.selector;
        selectors[6] = SettlementHandler.refund.selector;
        selectors[7] = SettlementHandler.donate.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Escrow = unclaimed of all channels + unsettled of all receivers + what strangers gave, to the unit.
    function invariant_escrowIsComplete() public view {
        for (uint256 t = 0; t < 2; ++t) {
            address token = handler.token(t);
            uint256 due = handler.donated(token);
            for (uint256 i = 0; i < ids.length; ++i) {
                if (tokens[i] != token) continue;
                (uint128 balance, uint128 claimed) = settlement.channels(ids[i]);
                due += balance - claimed;
            }
            for (uint256 i = 0; i < 2; ++i) {
                (uint128 claimed, uint128 settled) = settlement.receivers(handler.receiverAt(i), token);
                due += claimed - settled;
            }
            assertEq(IERC20(token).balanceOf(address(settlement)), due, "escrow");
        }
    }

    /// @dev A payer has what it brought less what is in its channels: money came back to it and only to it.
    function invariant_payersGetTheirMoneyBack() public view {
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 inside;
            for (uint256 j = 0; j < ids.length; ++j) {
                if (payers[j] != payers[i] || tokens[j] != tokens[i]) continue;
                (uint128 balance,) = settlement.channels(ids[j]);
                inside += balance;
            }
            uint256 outside = IERC20(tokens[i]).balanceOf(payers[i]);
            assertEq(outside + inside, handler.minted(tokens[i], payers[i]), "payer");
        }
    }

    /// @dev A receiver has exactly what was settled, and its claimed total is that of its channels.
    function invariant_receiversGetWhatWasClaimed() public view {
        for (uint256 r = 0; r < 4; ++r) {
            (address who, address token) = (handler.receiverAt(r & 1), handler.token(r >> 1));
            uint256 sum;
            for (uint256 i = 0; i < ids.length; ++i) {
                if (receivers[i] != who || tokens[i] != token) continue;
                (, uint128 total) = settlement.channels(ids[i]);
                sum += total;
            }
            (uint128 claimed, uint128 settled) = settlement.receivers(who, token);
            assertEq(claimed, sum, "claimed");
            assertEq(IERC20(token).balanceOf(who), settled, "settled");
            assertLe(settled, claimed, "settled beyond claims");
        }
    }

    function invariant_ceilingsHold() public view {
        for (uint256 i = 0; i < ids.length; ++i) {
            (uint128 balance, uint128 claimed) = settlement.channels(ids[i]);
            assertLe(claimed, handler.signedCeiling(i), "beyond the signed ceiling");
            assertLe(claimed, balance, "beyond the balance");
            assertLe(handler.lastClaimed(i), claimed, "a claimed total fell");
        }
    }
}
