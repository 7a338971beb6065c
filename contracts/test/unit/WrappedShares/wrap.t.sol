// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Shares} from "../../../src/assets/Shares.sol";
import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {IShares} from "../../../src/interfaces/IShares.sol";
import {IWrappedShares} from "../../../src/interfaces/IWrappedShares.sol";
import {WrappedShares} from "../../../src/market/WrappedShares.sol";
import {AllowListPolicy} from "../../mocks/AllowListPolicy.sol";
import {BlacklistToken} from "../../mocks/BlacklistToken.sol";
import {PlainToken} from "../../mocks/PlainToken.sol";
import {WrapBase} from "./WrapBase.t.sol";

contract WrappedSharesTest is WrapBase {
    function test_no_income_is_stranded() public {
        _wrap(bob, PART);
        _wrap(carol, PART);
        _earn(shares, 30_000e6);
        assertEq(_unwrap(bob, PART), 4_500e6 - 1, "15 % of the income");
        assertEq(_unwrap(carol, PART), 4_500e6 - 1, "and the other 15 %");
        assertEq(shares.balanceOf(bob), PART, "the shares come back");
        _checkEmpty();
    }

    function test_who_wraps_later_pays_for_the_income_that_is_there() public {
        _wrap(bob, PART);
        _earn(shares, 30_000e6);
        _collect(shares, carol); // her own 4,500
        uint256 before = money.balanceOf(carol);
        money.mint(carol, 1);
        (address[] memory tokens, uint256[] memory due) = wrapped.incomeUp(PART);
        assertEq(tokens[1], address(money), "the second revenue token");
        assertEq(due[1], 4_500e6, "what bob's stand for, rounded up");
        _wrap(carol, PART);
        assertEq(before + 1 - money.balanceOf(carol), due[1], "asked and paid");
        assertEq(_unwrap(bob, PART), 4_500e6 - 1, "bob has his own");
        assertEq(_unwrap(carol, PART), 4_500e6 - 1, "and carol hers");
        _checkEmpty();
    }

    function test_income_follows_the_wrapped_share() public {
        _wrap(bob, PART);
        _earn(shares, 30_000e6);
        vm.prank(bob);
        wrapped.transfer(alice, PART);
        assertEq(_unwrap(alice, PART), 4_500e6 - 1, "to who unwraps");
        assertEq(money.balanceOf(bob), 0, "not to who wrapped");
    }

    function test_coin_that_is_not_wrapped_yet_counts() public {
        _wrap(bob, PART);
        vm.deal(address(shares), 100 ether);
        (address[] memory tokens, uint256[] memory income) = wrapped.incomeDown(PART);
        assertEq(tokens[0], address(native), "the first revenue token");
        assertEq(income[0], 15 ether, "pending");
        _unwrap(bob, PART);
        assertEq(native.balanceOf(bob), income[0], "paid");
    }

    function test_anyone_gathers() public {
        _wrap(bob, PART);
        money.mint(address(shares), 30_000e6);
        vm.prank(carol);
        assertEq(wrapped.gather(address(money)), 4_500e6 - 1, "gathered");
        assertEq(money.balanceOf(address(wrapped)), 4_500e6 - 1, "into the pot");
    }

    /// @dev Income from before the wrapper was used need not be paid by the first to wrap.
    function test_the_first_to_wrap_pays_nothing() public {
        _earn(shares, 30_000e6);
        _wrap(bob, PART);
        assertEq(money.balanceOf(bob), 0, "had nothing to pay with");
        assertEq(wrapped.startOf(address(money)), shares.revenue(address(money)).perShare, "income counts from here");
        _unwrap(bob, PART);
        _earn(shares, 30_000e6);
        skip(1);
        _collect(shares, carol);
        _wrap(carol, PART);
        assertEq(
            wrapped.startOf(address(money)), shares.revenue(address(money)).perShare, "and here, when all had left"
        );
    }

    function test_what_is_given_goes_to_all_who_hold_shares() public {
        _wrap(bob, PART);
        _earn(shares, 30_000e6);
        money.mint(address(wrapped), 1_000e6);
        assertEq(wrapped.returnExcess(address(money)), 1_000e6 - 1, "the gift, less a unit that rounding took");
        assertEq(shares.pending(carol, address(money)), 4_500e6 + 150e6 - 1, "15 % of the income, and of the gift");
        assertEq(_unwrap(bob, PART), 4_500e6 + 150e6 - 1, "as much for wrapped ones");
    }

    function test_the_income_of_shares_sent_here_goes_to_all_who_hold_shares() public {
        _wrap(bob, PART);
        vm.prank(carol);
        shares.transfer(address(wrapped), PART);
        _earn(shares, 30_000e6);
        assertEq(wrapped.returnExcess(address(money)), 4_500e6 - 1, "what carol's former shares earned");
        assertEq(_unwrap(bob, PART), 4_500e6 + 675e6 - 1, "bob's, and 15 % of that");
    }

    function test_what_who_unwraps_leaves_goes_to_all_who_hold_shares() public {
        _wrap(bob, PART);
        _wrap(carol, PART);
        _earn(shares, 30_000e6);
        vm.prank(bob);
        wrapped.unwrap(PART, bob, new address[](0));
        assertEq(wrapped.returnExcess(address(money)), 4_500e6 - 1, "bob's");
        assertEq(_unwrap(carol, PART), 4_500e6 + 675e6 - 1, "carol's, and 15 % of bob's");
    }

    function test_other_tokens_that_are_sent_here_go_to_the_shares() public {
        PlainToken stray = new PlainToken();
        stray.mint(address(wrapped), 5);
        assertEq(wrapped.returnExcess(address(stray)), 5, "all");
        assertEq(stray.balanceOf(address(shares)), 5, "for the registry's owner to swap");
        _wrap(bob, PART);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(shares)));
        wrapped.returnExcess(address(shares)); // they are bob's
    }

    function test_reverts_whenThePotAsksForMore() public {
        _wrap(bob, PART);
        _earn(shares, 30_000e6);
        uint256[] memory most = _anyIncome();
        most[1] = 4_500e6 - 1;
        vm.startPrank(carol);
        shares.approve(address(wrapped), PART);
        vm.expectRevert(
            abi.encodeWithSelector(IWrappedShares.IncomeAboveMax.selector, address(money), 4_500e6, most[1])
        );
        wrapped.wrap(PART, carol, most);
        vm.expectRevert(abi.encodeWithSelector(IWrappedShares.LengthMismatch.selector, 2, 1));
        wrapped.wrap(PART, carol, new uint256[](1));
        vm.stopPrank();
    }

    function test_reverts_whenATokenIsTwice_orNone() public {
        _wrap(bob, PART);
        address[] memory tokens = new address[](2);
        (tokens[0], tokens[1]) = (address(money), address(money));
        vm.startPrank(bob);
        vm.expectRevert(abi.encodeWithSelector(IWrappedShares.TokensNotAscending.selector, address(money)));
        wrapped.unwrap(1, bob, tokens);
        tokens = new address[](1);
        tokens[0] = address(shares);
        vm.expectRevert(abi.encodeWithSelector(IWrappedShares.NotRevenueToken.selector, address(shares)));
        wrapped.unwrap(1, bob, tokens);
        vm.stopPrank();
    }

    function test_shares_listed_as_a_revenue_token_are_never_paid_out_as_income() public {
        _list(address(shares));
        _wrapWith3(bob);
        _wrapWith3(carol);
        address[] memory tokens = new address[](1);
        tokens[0] = address(shares);
        vm.prank(bob);
        wrapped.unwrap(PART, bob, tokens);
        assertEq(shares.balanceOf(bob), PART, "as many as were wrapped");
        assertEq(shares.balanceOf(address(wrapped)), PART, "carol's are still there");
    }

    function test_no_broken_token_locks_shares() public {
        BlacklistToken broken = new BlacklistToken();
        _list(address(broken));
        _wrapWith3(bob);
        broken.mint(address(shares), 1_000);
        broken.blacklist(address(wrapped), true);
        _earn(shares, 30_000e6);
        address[] memory tokens = _onlyMoney();
        vm.prank(bob);
        uint256[] memory income = wrapped.unwrap(PART, bob, tokens);
        assertEq(income[0], 4_500e6 - 1, "the other income");
        assertEq(shares.balanceOf(bob), PART, "and the shares");
    }

    function test_a_transfer_policy_binds_wrapped_shares() public {
        AllowListPolicy policy = new AllowListPolicy();
        IAssetRegistry.Registration memory registration = _registration("restricted");
        registration.transferPolicy = address(policy);
        (, Shares restricted) = _register(bob, registration);
        wrapped = WrappedShares(factory.create(address(restricted)));
        vm.startPrank(bob);
        restricted.approve(address(wrapped), PART);
        vm.expectRevert(
            abi.encodeWithSelector(IWrappedShares.TransferRefused.selector, address(policy), bob, bob, PART)
        );
        wrapped.wrap(PART, bob, _anyIncome());
        policy.list(bob, true);
        vm.expectRevert(
            abi.encodeWithSelector(IShares.TransferRefused.selector, address(policy), bob, address(wrapped), PART)
        );
        wrapped.wrap(PART, bob, _anyIncome());
        policy.list(address(wrapped), true);
        wrapped.wrap(PART, bob, _anyIncome());
        vm.expectRevert(abi.encodeWithSelector(IWrappedShares.TransferRefused.selector, address(policy), bob, carol, 1));
        wrapped.transfer(carol, 1);
        policy.list(carol, true);
        wrapped.transfer(carol, 1);
        vm.stopPrank();
    }

    function test_one_wrapper_for_registered_shares_at_a_known_address() public {
        assertEq(factory.create(address(shares)), address(wrapped), "the same again");
        assertEq(factory.wrapperOf(address(shares)), address(wrapped), "known");
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.NotShares.selector, address(money)));
        factory.create(address(money));
    }

    /// @dev Whoever wraps, unwraps and earns in whatever order: what one wrapped share stands for never falls, there are as
    ///      many as shares, and at the end every unit is out.
    function test_books_are_right(uint256 seed) public {
        address[3] memory holders = [alice, bob, carol];
        for (uint256 i = 0; i < 3; ++i) {
            money.mint(holders[i], 1e15);
        }
        for (uint256 step = 0; step < 25; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            address holder = holders[(seed >> 8) % 3];
            if (seed % 3 == 0) _earn(shares, bound(seed >> 16, 1, 1e10));
            else _step(holder, seed % 3 == 1, seed >> 16);
            assertEq(shares.balanceOf(address(wrapped)), wrapped.totalSupply(), "one share for each");
        }
        uint256 money_ = money.totalSupply();
        for (uint256 i = 0; i < 3; ++i) {
            _unwrap(holders[i], wrapped.balanceOf(holders[i]));
            _collect(shares, holders[i]);
        }
        _checkEmpty();
        for (uint256 i = 0; i < 3; ++i) {
            _collect(shares, holders[i]);
        }
        uint256 out = money.balanceOf(alice) + money.balanceOf(bob) + money.balanceOf(carol);
        assertLe(money_ - out, 3 * 25, "every unit is out but for the shares' own dust");
    }

    function _step(address holder, bool wrapping, uint256 seed) private {
        bool others = wrapped.totalSupply() != wrapped.balanceOf(holder);
        (, uint256[] memory before) = wrapped.incomeDown(SUPPLY);
        if (wrapping) {
            _wrap(holder, bound(seed, 0, shares.balanceOf(holder)));
        } else {
            _unwrap(holder, bound(seed, 0, wrapped.balanceOf(holder)));
        }
        (, uint256[] memory afterwards) = wrapped.incomeDown(SUPPLY);
        if (others) assertLe(before[1], afterwards[1], "what the others' represent never falls");
    }

    function _wrapWith3(address account) private {
        uint256[] memory most = new uint256[](3);
        vm.startPrank(account);
        shares.approve(address(wrapped), PART);
        wrapped.wrap(PART, account, most);
        vm.stopPrank();
    }

    /// @dev What rounding left goes back to the shares.
    function _checkEmpty() private {
        assertEq(wrapped.totalSupply(), 0, "none left");
        assertLe(wrapped.returnExcess(address(money)), 50, "rounding");
        assertEq(money.balanceOf(address(wrapped)), 0, "nothing in the pot");
        assertEq(shares.pending(address(wrapped), address(money)), 0, "nothing stranded");
    }
}
