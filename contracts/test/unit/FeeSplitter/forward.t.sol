// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IFeeSplitter} from "../../../src/interfaces/IFeeSplitter.sol";
import {IVoteEscrow} from "../../../src/interfaces/IVoteEscrow.sol";
import {FeeSplitter} from "../../../src/staking/FeeSplitter.sol";
import {VoteEscrow} from "../../../src/staking/VoteEscrow.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";
import {PlainToken} from "../../mocks/PlainToken.sol";

/// @notice A source of fees that forwards again while it is asked to release.
contract ForwardingSource {
    function release(address token) external returns (uint256) {
        return IFeeSplitter(msg.sender).forward(token, new address[](0));
    }
}

contract FeeSplitterForwardTest is AssetsBase {
    uint256 private constant STAKE = 1 << 70; // so that the weight is a power of two, and rates are exact

    address internal treasury = actor("treasury");
    address internal staker = actor("staker");
    PlainToken internal token;
    VoteEscrow internal escrow;
    FeeSplitter internal splitter;

    function setUp() public override {
        super.setUp();
        token = new PlainToken();
        escrow = VoteEscrow(deploy("VoteEscrow.sol:VoteEscrow", abi.encode(owner, token, money, 0, 0)));
        splitter = _splitter(address(escrow), treasury);
        vm.prank(owner);
        registry.setFeeSink(address(splitter));
        token.mint(staker, STAKE);
        vm.startPrank(staker);
        token.approve(address(escrow), STAKE);
        escrow.lock(STAKE, 32);
        vm.stopPrank();
    }

    function _splitter(address escrow_, address treasury_) private returns (FeeSplitter) {
        return FeeSplitter(payable(deploy("FeeSplitter.sol:FeeSplitter", abi.encode(escrow_, treasury_))));
    }

    function _sources() private view returns (address[] memory sources) {
        sources = new address[](1);
        sources[0] = address(shares);
    }

    function test_fees_in_the_revenue_token_are_booked_for_the_stakers() public {
        _earn(shares, 1_000_000);
        vm.expectEmit(address(splitter));
        emit IFeeSplitter.Forwarded(address(money), address(escrow), 25_000);
        assertEq(splitter.forward(address(money), _sources()), 25_000, "sent on");
        (uint256 waiting, uint256 held, uint256 week) = escrow.revenue();
        assertEq(waiting, 25_000, "waits for the end of the week");
        assertEq(held, 25_000, "held");
        assertEq(week, time() / 7 days, "the running week");
        assertEq(splitter.forward(address(money), _sources()), 0, "nothing twice");
    }

    function test_weeks_that_are_over_are_closed_and_pay() public {
        skip(7 days);
        _earn(shares, 1_000_000);
        splitter.forward(address(money), _sources());
        skip(7 days);
        splitter.forward(address(money), new address[](0));
        (uint256 due,) = escrow.claimable(staker);
        assertEq(due, 25_000, "the only staker");
    }

    function test_what_was_sent_to_the_escrow_itself_is_booked_too() public {
        money.mint(address(escrow), 7);
        assertEq(splitter.forward(address(money), new address[](0)), 0, "nothing was here");
        (uint256 waiting,,) = escrow.revenue();
        assertEq(waiting, 7, "booked");
    }

    function test_other_tokens_go_to_the_treasury() public {
        vm.deal(address(shares), 1 ether);
        shares.wrap();
        assertEq(splitter.forward(address(native), _sources()), 0.025 ether, "the fee");
        token.mint(address(splitter), 5);
        splitter.forward(address(token), new address[](0));
        assertEq(native.balanceOf(treasury), 0.025 ether, "wrapped coin");
        assertEq(token.balanceOf(treasury), 5, "the platform token");
        assertEq(splitter.sinkOf(address(native)), treasury, "sink of others");
        assertEq(splitter.sinkOf(address(money)), address(escrow), "sink of revenue");
    }

    function test_native_coin_goes_to_the_treasury() public {
        vm.deal(address(this), 3);
        (bool sent,) = address(splitter).call{value: 3}("");
        assertTrue(sent, "taken");
        assertEq(splitter.forward(address(0), new address[](0)), 3, "sent on");
        assertEq(treasury.balance, 3, "received");
    }

    function test_reverts_whenTheTreasuryRefusesCoin() public {
        FeeSplitter other = _splitter(address(escrow), address(money));
        vm.deal(address(other), 3);
        vm.expectRevert(abi.encodeWithSelector(IFeeSplitter.CoinRefused.selector, address(money), 3));
        other.forward(address(0), new address[](0));
    }

    function test_a_source_that_forwards_meanwhile_changes_nothing() public {
        address[] memory sources = new address[](2);
        (sources[0], sources[1]) = (address(new ForwardingSource()), address(shares));
        money.mint(address(splitter), 100);
        _earn(shares, 1_000_000);
        assertEq(splitter.forward(address(money), sources), 25_000, "what it left");
        (uint256 waiting,,) = escrow.revenue();
        assertEq(waiting, 25_100, "all of it is booked");
    }

    function test_keeps_nothing_and_loses_nothing(uint64 income, uint64 gift) public {
        money.mint(address(shares), income);
        shares.accrue(address(money));
        money.mint(address(splitter), gift);
        uint256 fee = uint256(income) * FEE_BPS / 10_000;
        assertEq(splitter.forward(address(money), _sources()), fee + gift, "sent on");
        assertEq(money.balanceOf(address(splitter)), 0, "kept");
        assertEq(money.balanceOf(address(escrow)), fee + gift, "received");
    }

    function test_reverts_whenAnAddressIsMissing() public {
        vm.expectRevert(abi.encodeWithSelector(IFeeSplitter.InvalidAddress.selector, staker));
        this.make(staker, treasury);
        vm.expectRevert(abi.encodeWithSelector(IFeeSplitter.InvalidAddress.selector, address(0)));
        this.make(address(escrow), address(0));
    }

    function make(address escrow_, address treasury_) external {
        _splitter(escrow_, treasury_);
    }

    function test_shows_its_terms() public view {
        assertEq(address(splitter.ESCROW()), address(escrow), "escrow");
        assertEq(splitter.TREASURY(), treasury, "treasury");
        assertTrue(IVoteEscrow(address(splitter.ESCROW())).REVENUE_TOKEN() == money, "revenue token");
    }
}
