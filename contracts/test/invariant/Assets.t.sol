// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shares} from "../../src/assets/Shares.sol";
import {IAccessPass} from "../../src/interfaces/IAccessPass.sol";
import {IShares} from "../../src/interfaces/IShares.sol";
import {PassId} from "../../src/types/PassId.sol";
import {AssetsBase} from "../AssetsBase.t.sol";
import {PlainToken} from "../mocks/PlainToken.sol";
import {AssetsHandler} from "./AssetsHandler.sol";

/// @notice Grandparent, parent and child; five holders, the parents' own Shares among the holders of the child; four revenue
///         tokens; fees that change; passes in all their states. Whatever happens in whatever order, the books are right.
contract AssetsInvariant is AssetsBase {
    AssetsHandler private _handler;

    function setUp() public override {
        super.setUp();
        PlainToken third = new PlainToken();
        PlainToken fourth = new PlainToken();
        _list(address(third));
        _list(address(fourth));
        _handler = new AssetsHandler(registry, pass, [address(native), address(money), address(third), address(fourth)]);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// @dev After each step, for the asset and token it was about.
    function invariant_shares_conserve_value() public {
        _checkBooks(_handler.lastAsset(), _handler.lastToken());
    }

    /// @dev Credits out are escrowed, all of them, at their price; the pass contract holds just the escrow.
    function invariant_passes_are_covered() public view {
        uint256 escrow;
        for (uint256 p; p < _handler.PLANS(); ++p) {
            PassId plan = _handler.plans(p);
            IAccessPass.Plan memory state = pass.plan(plan);
            escrow += state.escrow;
            assertLe(uint256(state.outstanding) * state.price, uint256(state.escrow) * state.credits, "covered");
            uint256 found;
            for (uint256 h; h < _handler.HOLDERS(); ++h) {
                address holder = _handler.holders(h);
                found += pass.balanceOf(holder, PassId.unwrap(plan)) + pass.activated(plan, holder, meter);
            }
            bool swept = state.expiry != 0 && time() >= state.expiry && state.outstanding == 0;
            assertTrue(found == state.outstanding || swept, "circulating and activated are what is out");
        }
        assertEq(money.balanceOf(address(pass)), escrow, "escrow is all there is");
    }

    /// @dev Withholding activation, by a pause or by the meter, opens refunds; a meter named later does so for good.
    function invariant_credits_that_cannot_be_activated_are_refundable() public view {
        for (uint256 p; p < _handler.PLANS(); ++p) {
            PassId plan = _handler.plans(p);
            (address current,) = registry.meterOf(plan.assetOf());
            if (registry.paused() || current == address(0) || _handler.renamed(p)) {
                assertLe(pass.circulatingRefundableAt(plan), time(), "open");
            }
        }
    }

    /// @dev At the end of each run: all books are right, no unit was made or lost, and every party can leave, one after the
    ///      other, the last one too.
    function afterInvariant() public {
        for (uint256 t; t < _handler.TOKENS(); ++t) {
            _checkTotal(PlainToken(_handler.tokens(t)));
            for (uint256 a; a < _handler.ASSETS(); ++a) {
                _checkBooks(a, t);
            }
            _payEverybody(_handler.tokens(t));
        }
    }

    /// @dev The balance is what came less what went; what is owed never exceeds it; and the difference is dust, below one
    ///      unit for each time that something was rounded.
    function _checkBooks(uint256 a, uint256 t) private {
        Shares asset = _handler.assets(a);
        address token = _handler.tokens(t);
        asset.accrue(token);
        IShares.Revenue memory books = asset.revenue(token);
        uint256 balance = PlainToken(token).balanceOf(address(asset));
        assertEq(books.gross, _handler.sent(address(asset), token), "gross is all that ever came");
        assertEq(balance, books.gross - books.paidOut, "the balance is what the books say");
        uint256 owed = _owed(asset, token, books);
        assertLe(owed, balance, "solvent");
        assertLe(balance - owed, _handler.roundings(address(asset)), "value conserved but for dust");
        assertLe(books.feeCredited * 10, books.gross, "fee at most a tenth");
    }

    function _checkTotal(PlainToken token) private view {
        uint256 total = token.balanceOf(address(pass)) + token.balanceOf(sink);
        for (uint256 a; a < _handler.ASSETS(); ++a) {
            total += token.balanceOf(address(_handler.assets(a)));
        }
        for (uint256 h; h < _handler.HOLDERS(); ++h) {
            total += token.balanceOf(_handler.holders(h));
        }
        assertEq(total, token.totalSupply(), "every unit found");
    }

    function _payEverybody(address token) private {
        _handler.assets(1).collectFrom(address(_handler.assets(2)), token);
        _handler.assets(0).collectFrom(address(_handler.assets(2)), token);
        _handler.assets(0).collectFrom(address(_handler.assets(1)), token);
        for (uint256 a; a < _handler.ASSETS(); ++a) {
            Shares asset = _handler.assets(a);
            asset.release(token);
            for (uint256 h; h < _handler.HOLDERS(); ++h) {
                uint256 due = asset.pending(_handler.holders(h), token);
                vm.prank(_handler.holders(h));
                assertEq(asset.collect(token), due, "paid what was due");
            }
            IShares.Revenue memory books = asset.revenue(token);
            assertEq(books.feeReleased, books.feeCredited, "fee paid");
            assertLe(
                books.gross - books.paidOut,
                _handler.roundings(address(asset)) + _handler.HOLDERS(),
                "only dust remains"
            );
        }
    }

    function _owed(Shares asset, address token, IShares.Revenue memory books) private view returns (uint256 owed) {
        owed = books.feeCredited - books.feeReleased;
        for (uint256 h; h < _handler.HOLDERS(); ++h) {
            owed += asset.pending(_handler.holders(h), token);
        }
        for (uint256 a; a < _handler.ASSETS(); ++a) {
            address other = address(_handler.assets(a));
            owed += asset.pending(other, token) + asset.pendingRoyalty(other, token);
        }
    }
}
