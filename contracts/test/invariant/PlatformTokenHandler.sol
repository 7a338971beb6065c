// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PlatformToken} from "../../src/staking/PlatformToken.sol";
import {Base} from "../Base.t.sol";

/// @notice Holders who trade, an owner who funds an airdrop, and a bridge that burns and mints what it may.
contract PlatformTokenHandler is Base {
    uint256 public constant HOLDERS = 4;

    PlatformToken private immutable _token;
    address private immutable _owner;
    address private immutable _airdrop;
    address private immutable _bridge;

    uint256 public burned;
    uint256 public minted;

    constructor(PlatformToken token, address owner, address airdrop, address bridge) {
        (_token, _owner, _airdrop, _bridge) = (token, owner, airdrop, bridge);
    }

    function holder(uint256 i) public pure returns (address) {
        return vm.addr(0xBEEF + i % HOLDERS);
    }

    function trade(uint256 from, uint256 to, uint256 amount) external {
        amount = bound(amount, 0, _token.balanceOf(holder(from)));
        vm.prank(holder(from));
        require(_token.transfer(holder(to), amount));
    }

    function fund(uint256 amount) external {
        amount = bound(amount, 0, _token.airdropReserve());
        vm.prank(_owner);
        _token.fundAirdrop(_airdrop, amount);
    }

    function bridgeOut(uint256 from, uint256 amount) external {
        amount = bound(amount, 0, _token.balanceOf(holder(from)));
        vm.prank(holder(from));
        _token.approve(_bridge, amount);
        vm.prank(_bridge);
        _token.crosschainBurn(holder(from), amount);
        burned += amount;
    }

    function bridgeIn(uint256 to, uint256 amount) external {
        amount = bound(amount, 0, 2 * (burned - minted) + 1);
        bool fits = amount <= burned - minted;
        if (!fits) vm.expectRevert();
        vm.prank(_bridge);
        _token.crosschainMint(holder(to), amount);
        if (fits) minted += amount;
    }
}
