// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDealRoom} from "../src/interfaces/IDealRoom.sol";
import {ILevels} from "../src/interfaces/ILevels.sol";
import {DealRoom} from "../src/staking/DealRoom.sol";
import {DealId} from "../src/types/DealId.sol";
import {LevelsBase} from "./LevelsBase.t.sol";
import {PlainToken} from "./mocks/PlainToken.sol";

/// @notice A deal: a million tokens for 100,000 dollars, at least 20,000. Levels 8 to 10 come an hour from the week's start,
///         levels 5 to 7 twelve hours from it, levels 1 to 4 a day. Level i may pay 10,000 x i dollars. The sale ends after
///         five days; tokens vest over 300 days, with a cliff of 30. Alice has level 10, Bob 5, Carol 1, Dave none.
abstract contract DealsBase is LevelsBase {
    uint256 internal constant USD = 1e6;
    uint256 internal constant FOR_SALE = 1_000_000 * ONE;
    uint256 internal constant HARD_CAP = 100_000 * USD;
    uint256 internal constant SOFT_CAP = 20_000 * USD;
    uint16 internal constant FEE_BPS = 250;

    address internal issuer;
    address internal sink;
    uint256 internal start;
    DealRoom internal room;
    PlainToken internal sale;
    DealId internal deal;

    function setUp() public virtual override {
        super.setUp();
        (issuer, sink, start) = (actor("issuer"), actor("sink"), time());
        sale = new PlainToken();
        room = _room(levels);
        _fund();
        deal = _create(_terms());
    }

    function _room(ILevels levels_) internal returns (DealRoom) {
        return DealRoom(deploy("DealRoom.sol:DealRoom", abi.encode(owner, levels_, sink, FEE_BPS)));
    }

    /// @dev Gives the issuer the tokens of two deals, and everyone dollars, all approved.
    function _fund() internal {
        sale.mint(issuer, 2 * FOR_SALE);
        vm.prank(issuer);
        sale.approve(address(room), type(uint256).max);
        address[4] memory accounts = [alice, bob, carol, dave];
        for (uint256 i = 0; i < 4; ++i) {
            dollar.mint(accounts[i], HARD_CAP);
            vm.prank(accounts[i]);
            dollar.approve(address(room), type(uint256).max);
        }
    }

    function _terms() internal view returns (IDealRoom.Terms memory terms) {
        (terms.saleToken, terms.paymentToken) = (address(sale), address(dollar));
        (terms.forSale, terms.hardCap, terms.softCap) = (uint96(FOR_SALE), uint96(HARD_CAP), uint96(SOFT_CAP));
        (terms.closesAt, terms.cliffDays, terms.vestingDays) = (uint40(start + 5 days), 30, 300);
        for (uint256 level = 1; level <= 10; ++level) {
            uint256 opensAt = start + (level >= 8 ? 1 hours : level >= 5 ? 12 hours : 1 days);
            terms.levels[level] = IDealRoom.LevelTerms(uint96(10_000 * level * USD), uint40(opensAt));
        }
    }

    function _create(IDealRoom.Terms memory terms) internal returns (DealId) {
        vm.prank(issuer);
        return room.create(terms, 0);
    }

    function _subscribe(address account, uint256 amount) internal {
        vm.prank(account);
        room.subscribe(deal, amount);
    }

    function _claimTokens(address account) internal returns (uint256) {
        vm.prank(account);
        return room.claim(deal, account);
    }

    function _refund(address account) internal returns (uint256) {
        vm.prank(account);
        return room.refund(deal, account);
    }

    function _takeProceeds() internal returns (uint256) {
        vm.prank(issuer);
        return room.takeProceeds(deal, issuer);
    }

    function _takeUnsold() internal returns (uint256) {
        vm.prank(issuer);
        return room.takeUnsold(deal, issuer);
    }

    function _openAll() internal {
        vm.warp(start + 1 days);
    }

    function _close() internal {
        vm.warp(start + 5 days);
    }

    function _afterDays(uint256 count) internal {
        vm.warp(start + 5 days + count * 1 days);
    }

    /// @dev Alice pays 40,000 in the first window, Bob 50,000 in the second, Carol 10,000 in the third: exactly the hard cap.
    function _sellOut() internal {
        vm.warp(start + 1 hours);
        _subscribe(alice, 40_000 * USD);
        vm.warp(start + 12 hours);
        _subscribe(bob, 50_000 * USD);
        _openAll();
        _subscribe(carol, 10_000 * USD);
        _close();
    }

    /// @dev Alice pays 80,000 and Bob 50,000, in one window: each gets ten thirteenths.
    function _oversubscribe() internal {
        vm.warp(start + 12 hours);
        _subscribe(alice, 80_000 * USD);
        _subscribe(bob, 50_000 * USD);
        _close();
    }

    /// @dev Carol pays 10,000: less than the soft cap.
    function _miss() internal {
        _openAll();
        _subscribe(carol, 10_000 * USD);
        _close();
    }

    function _is(bytes4 selector) internal view returns (bytes memory) {
        return abi.encodeWithSelector(selector, deal);
    }

    function _is(bytes4 selector, address account) internal view returns (bytes memory) {
        return abi.encodeWithSelector(selector, deal, account);
    }

    function _is(bytes4 selector, uint256 value) internal view returns (bytes memory) {
        return abi.encodeWithSelector(selector, deal, value);
    }

    function _is(bytes4 selector, uint256 first, uint256 second) internal view returns (bytes memory) {
        return abi.encodeWithSelector(selector, deal, first, second);
    }
}
