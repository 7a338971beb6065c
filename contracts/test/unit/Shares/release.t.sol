// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IShares} from "../../../src/interfaces/IShares.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";
import {BlacklistToken} from "../../mocks/BlacklistToken.sol";

contract ReleaseTest is AssetsBase {
    function test_pays_credited_fees_to_the_sink() public {
        _earn(shares, 1_000_000);
        vm.expectEmit(address(shares));
        emit IShares.Released(id, address(money), sink, 25_000, 25_000);
        assertEq(shares.release(address(money)), 25_000, "paid");
        assertEq(money.balanceOf(sink), 25_000, "received");
        assertEq(shares.release(address(money)), 0, "nothing twice");
        _earn(shares, 1_000_000);
        assertEq(shares.release(address(money)), 25_000, "the next one");
        assertEq(shares.revenue(address(money)).feeReleased, 50_000, "total");
    }

    function test_a_blacklisted_sink_delays_nobody_and_can_be_replaced() public {
        BlacklistToken token = new BlacklistToken();
        _list(address(token));
        token.mint(address(shares), 1_000_000);
        shares.accrue(address(token));
        token.blacklist(sink, true);
        vm.expectRevert(abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, sink));
        shares.release(address(token));
        vm.prank(alice);
        assertEq(shares.collect(address(token)), 974_999, "the holder");
        vm.prank(owner);
        registry.setFeeSink(carol);
        assertEq(shares.release(address(token)), 25_000, "paid to the new sink");
        assertEq(token.balanceOf(carol), 25_000, "received");
    }

    function test_pays_nothing_in_an_unknown_token() public {
        assertEq(shares.release(address(this)), 0, "nothing credited");
    }
}
