// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IDealPolicy} from "../../../src/interfaces/IDealPolicy.sol";
import {IDealRoom} from "../../../src/interfaces/IDealRoom.sol";
import {ILevels} from "../../../src/interfaces/ILevels.sol";
import {DealRoom} from "../../../src/staking/DealRoom.sol";
import {DealId} from "../../../src/types/DealId.sol";
import {DealsBase} from "../../DealsBase.t.sol";
import {FeeToken} from "../../mocks/FeeToken.sol";

contract DealRoomCreateTest is DealsBase {
    function test_a_deal_that_exists_is_funded_and_shows_its_terms() public view {
        assertEq(sale.balanceOf(address(room)), FOR_SALE, "funded");
        IDealRoom.DealView memory all = room.dealOf(deal);
        assertTrue(all.phase == IDealRoom.Phase.Selling, "phase");
        assertEq(all.issuer, issuer, "issuer");
        assertEq(all.saleToken, address(sale), "sale token");
        assertEq(all.paymentToken, address(dollar), "payment token");
        assertEq(all.policy, address(0), "policy");
        assertEq(all.forSale, FOR_SALE, "for sale");
        assertEq(all.hardCap, HARD_CAP, "hard cap");
        assertEq(all.softCap, SOFT_CAP, "soft cap");
        assertEq(all.closesAt, start + 5 days, "closes");
        assertEq(all.cliffDays, 30, "cliff");
        assertEq(all.vestingDays, 300, "vesting");
        assertEq(all.feeBps, FEE_BPS, "fee");
        assertEq(all.paid + all.proceedsTaken + all.tokensTaken, 0, "sums");
        for (uint256 level = 0; level <= 10; ++level) {
            (uint256 threshold, uint256 cap, uint256 opensAt) = room.levelTermsOf(deal, level);
            assertEq(threshold, level * STEP, "threshold");
            assertEq(cap, _terms().levels[level].cap, "cap");
            assertEq(opensAt, _terms().levels[level].opensAt, "opens");
        }
    }

    function test_emits_terms_thresholds_and_fee() public {
        IDealRoom.Terms memory terms = _terms();
        DealId id = DealId.wrap(keccak256(abi.encode(block.chainid, address(room), issuer, bytes32(uint256(7)), terms)));
        uint256[10] memory thresholds = levels.thresholds();
        vm.expectEmit(address(room));
        emit IDealRoom.DealCreated(id, issuer, terms, thresholds, FEE_BPS);
        vm.prank(issuer);
        room.create(terms, bytes32(uint256(7)));
    }

    function test_reverts_whenTheIssuerHasNotAllTheTokens() public {
        vm.prank(issuer);
        require(sale.transfer(dave, FOR_SALE / 2));
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, issuer, FOR_SALE / 2, FOR_SALE)
        );
        vm.prank(issuer);
        room.create(_terms(), bytes32(uint256(1)));
    }

    function test_reverts_whenTheTokenKeepsAFee() public {
        FeeToken taxed = new FeeToken();
        taxed.setCharging(true);
        taxed.mint(issuer, FOR_SALE);
        vm.startPrank(issuer);
        taxed.approve(address(room), FOR_SALE);
        IDealRoom.Terms memory terms = _terms();
        terms.saleToken = address(taxed);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDealRoom.WrongAmountReceived.selector, address(taxed), FOR_SALE - FOR_SALE / 100, FOR_SALE
            )
        );
        room.create(terms, 0);
        vm.stopPrank();
    }

    function test_later_levels_and_fees_do_not_touch_the_deal() public {
        ILevels.Level[10] memory rows = _rows();
        for (uint256 i = 0; i < 10; ++i) {
            rows[i].threshold *= 100;
        }
        vm.startPrank(owner);
        levels.setLevels(rows);
        room.setFee(sink, 500);
        vm.stopPrank();
        assertEq(levels.levelOf(alice), 0, "the new levels");
        assertEq(room.levelIn(deal, alice), 10, "the deal's level");
        assertEq(room.dealOf(deal).feeBps, FEE_BPS, "the deal's fee");
    }

    function test_the_same_terms_need_another_salt_and_other_terms_have_another_id() public {
        IDealRoom.Terms memory terms = _terms();
        _refused(issuer, abi.encodeWithSelector(IDealRoom.DealExists.selector, deal));
        room.create(terms, 0);
        terms.softCap -= 1;
        DealId other = _create(terms);
        assertTrue(DealId.unwrap(other) != DealId.unwrap(deal), "id");
        assertEq(sale.balanceOf(address(room)), 2 * FOR_SALE, "both funded");
    }

    function test_reverts_whenATokenHasNoCode_orBothAreTheSame() public {
        IDealRoom.Terms memory terms = _terms();
        terms.saleToken = dave;
        _refusedTerms(terms, abi.encodeWithSelector(IDealRoom.InvalidDealToken.selector, dave));
        terms = _terms();
        terms.paymentToken = dave;
        _refusedTerms(terms, abi.encodeWithSelector(IDealRoom.InvalidDealToken.selector, dave));
        terms.paymentToken = address(sale);
        _refusedTerms(terms, abi.encodeWithSelector(IDealRoom.InvalidDealToken.selector, address(sale)));
        terms = _terms();
        terms.policy = IDealPolicy(dave);
        _refusedTerms(terms, abi.encodeWithSelector(IDealRoom.InvalidPolicy.selector, dave));
    }

    function test_reverts_whenAmountsCannotBe() public {
        _refusedAmounts(uint96(1e9 - 1), 10, 10);
        _refusedAmounts(uint96(1e9), 10, 0);
        _refusedAmounts(uint96(1e9), 10, 11);
        _refusedAmounts(uint96(1e9), 0, 0);
    }

    function test_reverts_whenDatesCannotBe() public {
        _refusedDates(start, 0, 0);
        _refusedDates(start + 90 days + 1, 0, 0);
        _refusedDates(start + 1 days, 11, 10);
        _refusedDates(start + 1 days, 0, 3_651);
    }

    function test_reverts_whenALevelsTermsCannotBe() public {
        _refusedLevel(10, 0, 0); // the highest level is not admitted
        _refusedLevel(0, 0, start + 2 days); // a time without a cap
        _refusedLevel(5, 40_000 * USD - 1, start + 12 hours); // less than the level below
        _refusedLevel(5, 0, 0);
        _refusedLevel(10, HARD_CAP + 1, start + 1 hours); // more than is for sale
        _refusedLevel(5, 50_000 * USD, start + 1 days + 1); // later than the level below
        _refusedLevel(10, HARD_CAP, start - 1); // in the past
        _refusedLevel(0, 1, start + 5 days); // when the sale has ended
    }

    function test_a_deal_can_be_open_to_all_at_once() public {
        IDealRoom.Terms memory terms = _terms();
        for (uint256 level = 0; level <= 10; ++level) {
            terms.levels[level] = IDealRoom.LevelTerms(uint96(HARD_CAP), uint40(start));
        }
        deal = _create(terms);
        _subscribe(dave, HARD_CAP);
        assertEq(room.dealOf(deal).paid, HARD_CAP, "paid");
    }

    function test_shows_what_it_was_deployed_with() public {
        assertEq(address(room.LEVELS()), address(levels), "levels");
        (address sink_, uint16 bps) = room.platformFee();
        assertEq(sink_, sink, "sink");
        assertEq(bps, FEE_BPS, "fee");
        assertEq(room.owner(), owner, "owner");
        vm.expectRevert(abi.encodeWithSelector(IDealRoom.InvalidLevels.selector, dave));
        new DealRoom(owner, ILevels(dave), sink, FEE_BPS);
    }

    function _refusedTerms(IDealRoom.Terms memory terms, bytes memory reason) private {
        vm.expectRevert(reason);
        _create(terms);
    }

    function _refusedAmounts(uint96 forSale, uint96 hardCap, uint96 softCap) private {
        IDealRoom.Terms memory terms = _terms();
        (terms.forSale, terms.hardCap, terms.softCap) = (forSale, hardCap, softCap);
        _refusedTerms(terms, abi.encodeWithSelector(IDealRoom.InvalidAmounts.selector, forSale, hardCap, softCap));
    }

    function _refusedDates(uint256 closesAt, uint16 cliffDays, uint16 vestingDays) private {
        IDealRoom.Terms memory terms = _terms();
        (terms.closesAt, terms.cliffDays, terms.vestingDays) = (uint40(closesAt), cliffDays, vestingDays);
        _refusedTerms(terms, abi.encodeWithSelector(IDealRoom.InvalidDates.selector, closesAt, cliffDays, vestingDays));
    }

    function _refusedLevel(uint256 level, uint256 cap, uint256 opensAt) private {
        IDealRoom.Terms memory terms = _terms();
        terms.levels[level] = IDealRoom.LevelTerms(uint96(cap), uint40(opensAt));
        _refusedTerms(terms, abi.encodeWithSelector(IDealRoom.InvalidLevelTerms.selector, level, cap, opensAt));
    }
}
