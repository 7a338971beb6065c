// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AirdropBase} from "../AirdropBase.t.sol";
import {PlatformTokenHandler} from "./PlatformTokenHandler.sol";

/// @notice Whatever holders, owner and bridge do, the supply is the cap less what is on other chains, and all of it is held.
contract PlatformTokenInvariant is AirdropBase {
    PlatformTokenHandler private _handler;

    function setUp() public override {
        super.setUp();
        token = _token(_terms(), _allocations());
        airdrop = _airdrop(_root(), address(0));
        address bridge = actor("bridge");
        vm.prank(owner);
        token.setTokenBridge(bridge);
        _handler = new PlatformTokenHandler(token, owner, address(airdrop), bridge);
        for (uint256 i = 0; i < _handler.HOLDERS(); ++i) {
            address holder = _handler.holder(i);
            vm.prank(treasury);
            require(token.transfer(holder, SUPPLY / 8));
        }
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function invariant_the_supply_never_passes_the_cap() public view {
        assertLe(token.totalSupply(), token.cap(), "cap");
        assertEq(token.totalSupply() + _handler.burned(), token.cap() + _handler.minted(), "burned and minted");
    }

    function invariant_balances_sum_up_to_the_supply() public view {
        uint256 sum = token.airdropReserve() + token.balanceOf(address(airdrop)) + token.balanceOf(treasury);
        for (uint256 i = 0; i < _handler.HOLDERS(); ++i) {
            sum += token.balanceOf(_handler.holder(i));
        }
        assertEq(sum, token.totalSupply(), "sum");
    }
}
