// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDealRoom} from "../../src/interfaces/IDealRoom.sol";
import {DealRoom} from "../../src/staking/DealRoom.sol";
import {DealId} from "../../src/types/DealId.sol";
import {Base} from "../Base.t.sol";
import {PlainToken} from "../mocks/PlainToken.sol";
import {DealModel} from "./DealModel.sol";

/// @notice Four stakers, an issuer and anyone, on three deals with the same tokens, in any order; a slow model beside each.
contract DealsHandler is Base {
    uint256 public constant DEALS = 3;
    uint256 public constant USERS = 4;
    uint256 private constant SALE = 40 hours;

    DealRoom private immutable _room;
    PlainToken private immutable _sale;
    PlainToken private immutable _dollar;
    address private immutable _issuer;
    uint256 private immutable _start;

    DealId[DEALS] public deals;
    DealModel[DEALS] public models;
    address[USERS] public users;
    mapping(uint256 deal => mapping(address account => uint256)) public claimed;
    mapping(uint256 deal => mapping(address account => uint256)) public refunded;
    uint256[DEALS] public proceeds;
    uint256[DEALS] public returned;

    constructor(DealRoom room, PlainToken sale, PlainToken dollar, address issuer, address[USERS] memory users_) {
        (_room, _sale, _dollar, _issuer, _start, users) = (room, sale, dollar, issuer, time(), users_);
    }

    /// @notice Creates the deals: they differ in price, caps, windows and vesting.
    function prepare(uint256 seed) external {
        for (uint256 i = 0; i < USERS; ++i) {
            _dollar.mint(users[i], type(uint128).max);
            vm.prank(users[i]);
            _dollar.approve(address(_room), type(uint256).max);
        }
        for (uint256 i = 0; i < DEALS; ++i) {
            IDealRoom.Terms memory terms = _terms(uint256(keccak256(abi.encode(seed, i))));
            _sale.mint(_issuer, terms.forSale);
            vm.startPrank(_issuer);
            _sale.approve(address(_room), terms.forSale);
            deals[i] = _room.create(terms, bytes32(i));
            vm.stopPrank();
            models[i] = new DealModel(terms.forSale, terms.hardCap, terms.softCap);
        }
    }

    function _terms(uint256 seed) private view returns (IDealRoom.Terms memory terms) {
        (terms.saleToken, terms.paymentToken) = (address(_sale), address(_dollar));
        terms.forSale = uint96(bound(seed, 1e9, seed % 2 == 0 ? 1e12 : 1e27));
        terms.hardCap = uint96(bound(seed >> 8, 10, seed % 3 == 0 ? 1e4 : 1e15));
        terms.softCap = uint96(bound(seed >> 16, 1, terms.hardCap));
        terms.closesAt = uint40(_start + SALE);
        terms.vestingDays = uint16(bound(seed >> 24, 0, 20));
        terms.cliffDays = uint16(bound(seed >> 32, 0, terms.vestingDays));
        uint256 opensAt = _start + SALE / 2;
        uint256 cap = bound(seed >> 40, 1, terms.hardCap);
        for (uint256 level = 0; level <= 10; ++level) {
            seed = uint256(keccak256(abi.encode(seed)));
            terms.levels[level] = IDealRoom.LevelTerms(uint96(cap), uint40(opensAt));
            opensAt -= bound(seed, 0, SALE / 22);
            cap = bound(seed >> 128, cap, terms.hardCap);
        }
    }

    // -- what they do --------------------------------------------------------------------------------------------------

    function subscribe(uint256 deal, uint256 user, uint256 amount) external {
        (DealId id, address account) = (deals[deal % DEALS], users[user % USERS]);
        (, uint256 cap, uint256 opensAt) = _room.levelTermsOf(id, _room.levelIn(id, account));
        uint256 paid = _room.subscriptionOf(id, account).paid;
        if (paid >= cap) return;
        if (time() < opensAt) vm.warp(opensAt);
        amount = bound(amount, 1, amount % 2 == 0 ? cap - paid : (cap - paid + 9) / 10);
        vm.prank(account);
        try _room.subscribe(id, amount) {
            models[deal % DEALS].pay(account, _lowestOpen(id), amount);
        } catch (bytes memory reason) {
            _assertExpected(id, bytes4(reason));
        }
    }

    function claim(uint256 deal, uint256 user) public {
        (DealId id, address account) = (deals[deal % DEALS], users[user % USERS]);
        uint256 claimable = _room.subscriptionOf(id, account).claimable;
        if (claimable == 0) return;
        vm.prank(account);
        assertEq(_room.claim(id, account), claimable, "claimed what was shown");
        claimed[deal % DEALS][account] += claimable;
    }

    function refund(uint256 deal, uint256 user) public {
        (DealId id, address account) = (deals[deal % DEALS], users[user % USERS]);
        uint256 refundable = _room.subscriptionOf(id, account).refundable;
        if (_selling() || refundable == 0) return;
        vm.prank(account);
        assertEq(_room.refund(id, account), refundable, "refunded what was shown");
        refunded[deal % DEALS][account] += refundable;
    }

    function allot(uint256 deal, uint256 user) public {
        (DealId id, address account) = (deals[deal % DEALS], users[user % USERS]);
        if (_selling() || _room.subscriptionOf(id, account).paid == 0) return;
        _room.allot(id, account);
    }

    function takeProceeds(uint256 deal) public {
        uint256 i = deal % DEALS;
        vm.prank(_issuer);
        try _room.takeProceeds(deals[i], _issuer) {
            proceeds[i] = _room.dealOf(deals[i]).proceedsTaken;
        } catch {} // nothing due
    }

    function takeUnsold(uint256 deal) public {
        vm.prank(_issuer);
        try _room.takeUnsold(deals[deal % DEALS], _issuer) returns (uint256 amount) {
            returned[deal % DEALS] += amount;
        } catch {} // nothing due
    }

    function releaseFees() external {
        _room.releaseFees(address(_dollar));
    }

    function pass(uint256 duration) external {
        skip(bound(duration, 1, 8 hours));
    }

    function passDays(uint256 duration) external {
        if (!_selling()) skip(bound(duration, 1, 5 days));
    }

    /// @notice Goes to the end of all vesting, and has everyone take what is theirs.
    function finish() external {
        if (time() < _start + 30 days) vm.warp(_start + 30 days);
        for (uint256 i = 0; i < DEALS; ++i) {
            takeProceeds(i); // once before all are allotted
            for (uint256 j = 0; j < USERS; ++j) {
                refund(i, j);
                claim(i, j);
                allot(i, j);
            }
            takeProceeds(i);
            takeUnsold(i);
        }
        _room.releaseFees(address(_dollar));
    }

    // -- what must be so -----------------------------------------------------------------------------------------------

    /// @notice Each account of each deal has what the slow model says, is not above its cap, and got no more than it may.
    function checkAccounts() external view {
        for (uint256 i = 0; i < DEALS; ++i) {
            uint256 allocations = 0;
            for (uint256 j = 0; j < USERS; ++j) {
                allocations += _checkAccount(i, users[j]);
            }
            assertLe(allocations, models[i].forSale(), "allocations are at most what is for sale");
        }
    }

    function _checkAccount(uint256 i, address account) private view returns (uint256 allocation) {
        uint256 own;
        uint256 refund_;
        (own, allocation, refund_) = models[i].resultOf(account);
        IDealRoom.SubscriptionView memory shown = _room.subscriptionOf(deals[i], account);
        (, uint256 topCap,) = _room.levelTermsOf(deals[i], 10);
        assertLe(own, topCap, "cap");
        assertEq(shown.paid, own, "paid");
        assertEq(shown.allocation, allocation, "allocation");
        assertEq(shown.claimed, claimed[i][account], "claimed");
        assertLe(shown.claimed + shown.claimable, allocation, "claims");
        assertEq(shown.refundable + refunded[i][account], refund_, "refund");
    }

    /// @notice Paid in is paid out and held; so are the tokens for sale.
    function checkMoney() external view {
        uint256 dollars = _room.feesDue(address(_dollar));
        uint256 tokens = 0;
        for (uint256 i = 0; i < DEALS; ++i) {
            uint256 paid = models[i].paid();
            assertEq(_room.dealOf(deals[i]).paid, paid, "paid");
            dollars += paid - proceeds[i];
            tokens += models[i].forSale() - returned[i];
            for (uint256 j = 0; j < USERS; ++j) {
                dollars -= refunded[i][users[j]];
                tokens -= claimed[i][users[j]];
            }
        }
        assertEq(_dollar.balanceOf(address(_room)), dollars, "dollars are held");
        assertEq(_sale.balanceOf(address(_room)), tokens, "tokens are held");
    }

    /// @notice After `finish` nothing stays here, not a unit.
    function checkEmpty() external view {
        assertEq(_dollar.balanceOf(address(_room)), 0, "dollars");
        assertEq(_sale.balanceOf(address(_room)), 0, "tokens");
    }

    function _selling() private view returns (bool) {
        return time() < _start + SALE;
    }

    function _lowestOpen(DealId id) private view returns (uint256 level) {
        for (level = 0; level < 10; ++level) {
            (,, uint256 opensAt) = _room.levelTermsOf(id, level);
            if (opensAt <= time()) return level;
        }
    }

    /// @dev A subscription that is within its level's time and cap is refused for these reasons only.
    function _assertExpected(DealId id, bytes4 reason) private view {
        bool known = reason == IDealRoom.OtherWindow.selector || reason == IDealRoom.SoldOut.selector
            || (reason == IDealRoom.DealClosed.selector && time() >= _room.dealOf(id).closesAt);
        assertTrue(known, "refused for another reason");
    }
}
