// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AirdropBase} from "../AirdropBase.t.sol";

/// @notice Whoever claims, locks or sweeps in whatever order: each entry pays once, its own amount, and no unit is lost.
contract AirdropInvariant is AirdropBase {
    uint256 private constant ACTORS = 16; // so few that entries are claimed more than once
    mapping(uint256 index => bool) private _paid;
    mapping(uint256 index => bool) private _locked;
    uint256 private _out;
    bool private _swept;

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(this);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() public view returns (FuzzSelector[] memory selectors) {
        selectors = new FuzzSelector[](1);
        selectors[0].addr = address(this);
        selectors[0].selectors = new bytes4[](4);
        selectors[0].selectors[0] = this.claimOne.selector;
        selectors[0].selectors[1] = this.lockOne.selector;
        selectors[0].selectors[2] = this.sweepRest.selector;
        selectors[0].selectors[3] = this.letTimePass.selector;
    }

    function claimOne(uint256 index) external {
        index %= ACTORS;
        bytes32[] memory proof = _proof(index);
        bool open = _open(index);
        if (!open) vm.expectRevert();
        airdrop.claim(index, _accountOf(index), _amountOf(index), proof);
        if (open) (_paid[index], _out) = (true, _out + _amountOf(index));
    }

    function lockOne(uint256 index, uint256 weeks_) external {
        index %= ACTORS;
        bytes32[] memory proof = _proof(index);
        bool open = _open(index);
        weeks_ = bound(weeks_, 1, 52);
        if (!open) vm.expectRevert();
        vm.prank(_accountOf(index));
        airdrop.claimAndLock(index, _amountOf(index), weeks_, proof);
        if (open) (_locked[index], _out) = (true, _out + _amountOf(index));
    }

    function sweepRest() external {
        bool over = time() >= airdrop.deadline();
        if (!over) vm.expectRevert();
        airdrop.sweep();
        _swept = _swept || over;
    }

    function letTimePass(uint256 seconds_) external {
        skip(bound(seconds_, 0, DURATION / 16));
    }

    function invariant_each_entry_pays_once_and_no_unit_is_lost() public view {
        for (uint256 i = 0; i < ACTORS; ++i) {
            assertEq(token.balanceOf(_accountOf(i)), _paid[i] ? _amountOf(i) : 0, "paid");
            assertEq(escrow.lockedOf(_accountOf(i)), _locked[i] ? _amountOf(i) : 0, "locked");
            assertTrue(airdrop.isClaimed(i) == (_paid[i] || _locked[i]), "marked");
        }
        uint256 left = SUPPLY / 2 - _out;
        assertEq(token.balanceOf(address(airdrop)), _swept ? 0 : left, "left");
        assertEq(token.balanceOf(treasury), SUPPLY / 2 + (_swept ? left : 0), "treasury");
    }

    function _open(uint256 index) private view returns (bool) {
        return !_paid[index] && !_locked[index] && time() < airdrop.deadline();
    }
}
