// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IShares} from "../../src/interfaces/IShares.sol";
import {WrappedShares} from "../../src/market/WrappedShares.sol";
import {ITaker, Singleton} from "../mocks/Singleton.sol";
import {WrapBase} from "../unit/WrappedShares/WrapBase.t.sol";

/// @notice What a thief tries who wants income of wrapped shares that others own, or wants nobody to be able to wrap.
contract WrapperThiefTest is WrapBase {
    uint256 private constant INCOME = 30_000e6;
    uint256 private constant EARNED = 4_500e6; // of 15 %

    Singleton private _pools;
    FlashTaker private _thief;

    function setUp() public override {
        super.setUp();
        _pools = new Singleton();
        _thief = new FlashTaker(wrapped, shares, IERC20(address(money)));
        money.mint(address(_thief), INCOME); // what it needs in the meantime
    }

    /// @dev The pools hold every wrapped share there is, and lend them without a fee.
    function test_who_borrows_all_wrapped_shares_takes_no_income_from_the_pot() public {
        _pool();
        _earn(shares, INCOME);
        wrapped.gather(address(money));
        _stealNothing(_onlyMoney());
    }

    function test_who_borrows_all_wrapped_shares_takes_no_income_that_is_not_gathered() public {
        _pool();
        _earn(shares, INCOME);
        _stealNothing(new address[](0));
    }

    function test_who_borrows_all_wrapped_shares_takes_no_income_that_is_not_accrued() public {
        _pool();
        money.mint(address(shares), INCOME);
        _stealNothing(new address[](0));
    }

    function test_a_gift_to_the_pot_raises_no_price_of_wrapping() public {
        _wrap(carol, 1); // one atomic unit, the first
        money.mint(address(wrapped), 10e6); // and ten dollars
        _checkWrapsFor(0);
    }

    function test_shares_given_to_the_wrapper_raise_no_price_of_wrapping() public {
        _wrap(carol, 1);
        vm.prank(carol);
        shares.transfer(address(wrapped), SUPPLY / 100);
        _earn(shares, INCOME);
        wrapped.gather(address(money));
        _checkWrapsFor(EARNED);
    }

    /// @dev A pool's first liquidity is locked for good, so a few wrapped shares remain when all others are unwrapped.
    function test_dust_that_stays_wrapped_raises_no_price_of_wrapping() public {
        _wrap(carol, PART);
        _earn(shares, INCOME);
        vm.prank(carol);
        wrapped.transfer(address(0xDEAD), 7);
        _unwrap(carol, PART - 7);
        _checkWrapsFor(EARNED);
    }

    /// @dev Bob wraps for at most `price`, and gets that back.
    function _checkWrapsFor(uint256 price) private {
        (, uint256[] memory asked) = wrapped.incomeUp(PART);
        assertLe(asked[1], price, "asked");
        money.mint(bob, price);
        uint256 before = money.balanceOf(bob);
        _wrap(bob, PART);
        _unwrap(bob, PART);
        assertLe(before, money.balanceOf(bob) + 1, "got back");
    }

    function _pool() private {
        _wrap(bob, PART);
        vm.prank(bob);
        wrapped.transfer(address(_pools), PART);
    }

    function _stealNothing(address[] memory tokens) private {
        _thief.steal(_pools, PART, tokens);
        assertLe(money.balanceOf(address(_thief)), INCOME, "the thief gained nothing");
        assertEq(wrapped.balanceOf(address(_pools)), PART, "given back");
        vm.prank(address(_pools));
        wrapped.transfer(bob, PART);
        assertLe(EARNED - 1, _unwrap(bob, PART), "all that they earned comes out");
    }
}

/// @notice Borrows wrapped shares, unwraps them, takes all income there is as a holder of shares, wraps them again and gives
///         them back.
contract FlashTaker is ITaker {
    WrappedShares private immutable _wrapped;
    IShares private immutable _shares;
    IERC20 private immutable _money;
    address[] private _tokens;

    constructor(WrappedShares wrapped, IShares shares, IERC20 money) {
        (_wrapped, _shares, _money) = (wrapped, shares, money);
        IERC20(address(shares)).approve(address(wrapped), type(uint256).max);
        money.approve(address(wrapped), type(uint256).max);
    }

    function steal(Singleton pools, uint256 amount, address[] calldata tokens) external {
        _tokens = tokens;
        pools.take(_wrapped, amount);
    }

    function taken(IERC20, uint256 amount) external {
        _wrapped.unwrap(amount, address(this), _tokens);
        _shares.accrueAndCollect(address(_money), address(this));
        uint256[] memory most = new uint256[](2);
        most[1] = type(uint256).max;
        _wrapped.wrap(amount, msg.sender, most);
    }
}
