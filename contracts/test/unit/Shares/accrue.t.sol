// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shares} from "../../../src/assets/Shares.sol";
import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {IShares} from "../../../src/interfaces/IShares.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";
import {PlainToken} from "../../mocks/PlainToken.sol";
import {RevertingToken} from "../../mocks/RevertingToken.sol";

contract AccrueTest is AssetsBase {
    function test_books_fee_royalty_and_income() public {
        (, Shares child) = _registerChild("child", 2_000);
        money.mint(address(child), 1_000_000);
        vm.expectEmit(address(child));
        emit IShares.Accrued(
            child.assetId(), address(money), 1_000_000, 25_000, 1_000_000, 25_000, (775_000 * 2 ** 64) / SUPPLY
        );
        assertEq(child.accrue(address(money)), 1_000_000, "noticed");

        IShares.Revenue memory revenue = child.revenue(address(money));
        assertEq(revenue.gross, 1_000_000, "gross");
        assertEq(revenue.feeCredited, 25_000, "fee");
        assertEq(revenue.remainder, (775_000 * 2 ** 64) % SUPPLY, "remainder kept");
        assertEq(revenue.paidOut, 0, "nothing moved");
        assertEq(child.pendingRoyalty(address(shares), address(money)), 200_000, "royalty");
        assertEq(money.balanceOf(address(child)), 1_000_000, "all there");
        assertEq(child.accruedTokens()[0], address(money), "listed locally");
    }

    function test_notices_nothing_twice() public {
        _earn(shares, 1_000_000);
        _collect(shares, alice);
        shares.release(address(money));
        assertEq(shares.accrue(address(money)), 0, "what was paid out is not new");
        money.mint(address(shares), 7);
        assertEq(shares.accrue(address(money)), 7, "what came since is");
    }

    function test_charges_the_fee_of_the_day() public {
        _earn(shares, 1_000_000);
        _setFee(1_000);
        _earn(shares, 1_000_000);
        _setFee(0);
        _earn(shares, 1_000_000);
        assertEq(shares.revenue(address(money)).feeCredited, 25_000 + 100_000, "fees");
    }

    /// @dev Any split of a sum into arrivals: royalties exact, holders and fee short of less than one unit an arrival.
    function test_loses_nothing_in_small_arrivals(uint8[40] memory arrivals) public {
        Shares child = _childOfFour();
        uint256 gross;
        uint256 fee;
        for (uint256 i; i < arrivals.length; ++i) {
            _earn(child, arrivals[i]);
            gross += arrivals[i];
            fee += uint256(arrivals[i]) * FEE_BPS / 10_000;
        }
        IShares.Revenue memory revenue = child.revenue(address(money));
        assertEq(revenue.gross, gross, "gross");
        assertEq(revenue.feeCredited, fee, "fee");
        uint256 holders = gross - fee - gross / 2;
        assertEq(
            revenue.perShare * SUPPLY + revenue.remainder, holders * 2 ** 64, "the accumulator holds the rest exactly"
        );
        uint256 royalties;
        IShares.Parent[] memory parents = child.parents();
        for (uint256 i; i < parents.length; ++i) {
            uint256 due = child.pendingRoyalty(parents[i].shares, address(money));
            assertEq(due, gross * 1_250 / 10_000, "royalty");
            royalties += due;
        }
        assertLe(fee + royalties + child.pending(alice, address(money)), gross, "never more than there is");
    }

    /// @dev Four parents' royalties rounded one by one would take 4 out of the 1 unit that arrives here.
    function test_single_units_never_underflow() public {
        Shares child = _childOfFour();
        for (uint256 i = 1; i < 100; ++i) {
            money.mint(address(child), 1);
            assertEq(child.accrue(address(money)), 1, "noticed");
            assertLe(4 * (i * 1_250 / 10_000) + child.pending(alice, address(money)), i, "owed at most what came");
        }
    }

    function test_saturates_instead_of_reverting(uint256 first, uint256 second) public {
        _setFee(1_000);
        first = bound(first, type(uint96).max, type(uint256).max / 2);
        second = bound(second, 0, type(uint256).max / 2);
        money.mint(address(shares), first);
        shares.accrue(address(money));
        money.mint(address(shares), second);
        shares.accrue(address(money));
        IShares.Revenue memory revenue = shares.revenue(address(money));
        uint256 total = first + second;
        assertEq(revenue.gross, total < type(uint112).max ? total : type(uint112).max, "gross at most its width");
        assertLe(revenue.feeCredited, type(uint96).max, "fee at most its width");
        assertLe(revenue.feeCredited + shares.pending(alice, address(money)), revenue.gross, "owed at most gross");
        _collect(shares, alice);
        shares.release(address(money));
        _give(shares, bob, 1);
    }

    function test_what_did_not_fit_is_noticed_never_and_blocks_nothing() public {
        money.mint(address(shares), type(uint128).max);
        assertEq(shares.accrue(address(money)), type(uint112).max, "as much as fits");
        assertEq(shares.accrue(address(money)), 0, "full");
        assertTrue(_collect(shares, alice) > 0, "paid");
    }

    function test_a_shrinking_balance_is_no_news() public {
        _earn(shares, 1_000_000);
        money.burn(address(shares), 400_000);
        assertEq(shares.accrue(address(money)), 0, "nothing new");
        money.mint(address(shares), 400_001);
        assertEq(shares.accrue(address(money)), 1, "only what exceeds what was booked");
    }

    function test_keeps_tokens_apart() public {
        vm.deal(address(shares), 2 ether);
        shares.wrap();
        _earn(shares, 1_000_000);
        assertEq(shares.revenue(address(native)).gross, 2 ether, "native");
        assertEq(shares.revenue(address(money)).gross, 1_000_000, "money");
        assertEq(shares.accruedTokens().length, 2, "both known");
    }

    function test_a_broken_token_stops_only_itself() public {
        RevertingToken broken = new RevertingToken();
        _list(address(broken));
        broken.mint(address(shares), 1_000);
        shares.accrue(address(broken));
        broken.setBroken(true);
        vm.expectRevert(abi.encodeWithSelector(RevertingToken.Broken.selector));
        shares.accrue(address(broken));
        _earn(shares, 1_000_000);
        _give(shares, bob, SUPPLY / 2);
        assertTrue(_collect(shares, alice) > 0, "collect of another token");
        broken.setBroken(false);
        vm.prank(alice);
        assertTrue(shares.collect(address(broken)) > 0, "income from before the transfer is kept");
    }

    function test_reverts_whenTokenIsNotListed() public {
        PlainToken unlisted = new PlainToken();
        unlisted.mint(address(shares), 1_000);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.NotRevenueToken.selector, address(unlisted)));
        shares.accrue(address(unlisted));
        assertEq(shares.pending(alice, address(unlisted)), 0, "nothing pending either");
        _list(address(unlisted));
        assertEq(shares.accrue(address(unlisted)), 1_000, "once listed, it counts");
    }

    function _childOfFour() private returns (Shares child) {
        IAssetRegistry.Registration memory registration = _registration("child");
        registration.parents = new IShares.Parent[](4);
        for (uint256 i; i < 4; ++i) {
            (, Shares parent) = _register(alice, _registration(bytes32(i)));
            registration.parents[i] = IShares.Parent(address(parent), 1_250);
        }
        (, child) = _register(alice, registration);
    }
}
