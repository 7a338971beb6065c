// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IShares} from "../../src/interfaces/IShares.sol";
import {WrappedShares} from "../../src/market/WrappedShares.sol";
import {PlainToken} from "../mocks/PlainToken.sol";
import {WrapBase} from "../unit/WrappedShares/WrapBase.t.sol";
import {ThirdParty} from "./ThirdParty.t.sol";

interface IFactoryV2 {
    function getPair(address one, address other) external view returns (address);
}

interface IPairV2 is IERC20 {
    function token0() external view returns (address);
    function swap(uint256 out0, uint256 out1, address to, bytes calldata data) external;
    function skim(address to) external;
}

interface IRouterV2 {
    function addLiquidity(
        address one,
        address other,
        uint256 amount,
        uint256 otherAmount,
        uint256 least,
        uint256 otherLeast,
        address to,
        uint256 deadline
    ) external returns (uint256 given, uint256 otherGiven, uint256 liquidity);
    function removeLiquidity(
        address one,
        address other,
        uint256 liquidity,
        uint256 least,
        uint256 otherLeast,
        address to,
        uint256 deadline
    ) external returns (uint256 amount, uint256 otherAmount);
    function swapExactTokensForTokens(
        uint256 amount,
        uint256 least,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external returns (uint256[] memory amounts);
}

/// @notice Shares in Uniswap v2, the bytecode of its npm packages: core 1.0.1, router 02 of periphery 1.1.0-beta.0. Bob gives
///         15 % of the shares and as much coin as makes a share cost 0.10.
contract UniswapV2Test is WrapBase, ThirdParty {
    uint256 private constant COIN = 1_500_000e6;
    uint256 private constant INCOME = 30_000e6;
    uint256 private constant EARNED = 4_500e6; // of 15 %
    /// @dev The pool locks 1,000 units of its first liquidity, sqrt(15e12 * 1.5e12), for good: as many wrapped shares.
    uint256 private constant LOCKED = 3_163;

    IFactoryV2 private _factory;
    IRouterV2 private _router;
    PlainToken private _coin;

    function setUp() public override {
        super.setUp();
        _factory = IFactoryV2(
            _deployFrom("@uniswap/v2-core/build/UniswapV2Factory.json", ".bytecode", abi.encode(address(this)))
        );
        _router = IRouterV2(
            _deployFrom(
                "@uniswap/v2-periphery/build/UniswapV2Router02.json", ".bytecode", abi.encode(_factory, address(native))
            )
        );
        _coin = new PlainToken();
        _coin.mint(bob, COIN);
        _coin.mint(alice, COIN);
        _approve(bob);
        _approve(alice);
        _approve(carol);
    }

    /// @dev To contrast: 15 % of the income is owed to the pool, which cannot collect it.
    function test_limit_plain_shares_strand_their_income() public {
        _provide(address(shares));
        _earn(shares, INCOME);
        _remove(address(shares));
        IPairV2 pair = _pair(address(shares));
        pair.skim(alice);
        assertEq(shares.balanceOf(bob), PART - LOCKED, "the shares come out");
        assertEq(shares.pending(address(pair), address(money)), EARNED - 1, "the income stays, for good");
        assertEq(_collect(shares, bob), 0, "bob gets none of it");
    }

    function test_liquidity_comes_out_with_its_income() public {
        _wrap(bob, PART);
        _provide(address(wrapped));
        _earn(shares, INCOME);
        _remove(address(wrapped));
        assertEq(wrapped.balanceOf(bob), PART - LOCKED, "all but what the pool locks");
        assertEq(_unwrap(bob, PART - LOCKED), EARNED - 2, "all income but two units, one of them the pool's");
        assertEq(shares.balanceOf(bob), PART - LOCKED, "and the shares");
        _checkNothingStranded(LOCKED);
    }

    /// @dev Income comes in while alice holds a part that she bought from the pool; each gets their part's, to the unit.
    function test_who_buys_and_who_provides_share_the_income() public {
        _wrap(bob, PART);
        _provide(address(wrapped));
        uint256 bought = _swap(alice, address(_coin), address(wrapped), 150_000e6);
        _earn(shares, INCOME);
        uint256 hers = _unwrap(alice, bought);
        assertEq(hers, EARNED * bought / PART, "alice's part");
        _remove(address(wrapped));
        uint256 his = _unwrap(bob, wrapped.balanceOf(bob));
        assertLe(EARNED - hers - 2, his, "bob's part");
        uint256 out = shares.balanceOf(bob) + shares.balanceOf(alice);
        assertEq(out + wrapped.totalSupply(), SUPPLY - PART, "and all shares but what the pool locks");
        _checkNothingStranded(wrapped.totalSupply());
    }

    /// @dev The limit: the pool learns of income by a trade. 45,000 of income make a share of 0.10 worth 0.103. Who buys first,
    ///      as many as pay, unwraps and sells the plain shares at 0.10, gains about 260; the rest is the provider's.
    function test_limit_who_trades_first_after_income_buys_it_at_the_old_price() public {
        _wrap(bob, PART);
        _provide(address(wrapped));
        _earn(shares, 10 * INCOME);
        uint256 paid = 18_000e6;
        uint256 bought = _swap(alice, address(_coin), address(wrapped), paid);
        uint256 income = _unwrap(alice, bought);
        uint256 got = income + bought / 10;
        assertLe(paid, got, "she gains");
        assertLe(got - paid, 270e6, "0.6 % of the income");
        _remove(address(wrapped));
        assertLe(10 * EARNED - income - 11, _unwrap(bob, wrapped.balanceOf(bob)), "the rest is the provider's");
    }

    /// @dev A flash swap of all but one, for the pool's fee: of the income nothing is gained.
    function test_a_flash_swap_takes_no_income() public {
        _wrap(bob, PART);
        _provide(address(wrapped));
        FlashSwapper thief = new FlashSwapper(wrapped, shares, money);
        _wrap(carol, PART / 100); // the fee
        vm.prank(carol);
        wrapped.transfer(address(thief), PART / 100);
        money.mint(address(shares), INCOME); // not accrued
        money.mint(address(thief), EARNED);
        thief.steal(_pair(address(wrapped)));
        assertLe(money.balanceOf(address(thief)), EARNED, "nothing gained");
        _remove(address(wrapped));
        uint256 out = wrapped.balanceOf(bob);
        assertLe(PART, out, "and the fee");
        assertLe(EARNED - 1, _unwrap(bob, out), "all income of what the pool held");
    }

    function _approve(address account) private {
        vm.startPrank(account);
        _coin.approve(address(_router), type(uint256).max);
        shares.approve(address(_router), type(uint256).max);
        wrapped.approve(address(_router), type(uint256).max);
        vm.stopPrank();
    }

    function _provide(address token) private {
        vm.startPrank(bob);
        _router.addLiquidity(token, address(_coin), PART, COIN, PART, COIN, bob, time());
        _pair(token).approve(address(_router), type(uint256).max);
        vm.stopPrank();
    }

    function _remove(address token) private {
        uint256 liquidity = _pair(token).balanceOf(bob);
        vm.prank(bob);
        _router.removeLiquidity(token, address(_coin), liquidity, 0, 0, bob, time());
    }

    function _swap(address trader, address from, address to, uint256 amount) private returns (uint256) {
        address[] memory path = new address[](2);
        (path[0], path[1]) = (from, to);
        vm.prank(trader);
        return _router.swapExactTokensForTokens(amount, 0, path, trader, time())[1];
    }

    function _pair(address token) private view returns (IPairV2) {
        return IPairV2(_factory.getPair(token, address(_coin)));
    }

    /// @dev What is left in the wrapper is the income of what is still wrapped, and rounding that goes to all shares.
    function _checkNothingStranded(uint256 stillWrapped) private {
        assertEq(wrapped.totalSupply(), stillWrapped, "locked in the pool");
        assertLe(wrapped.returnExcess(address(money)), 2, "rounding");
        assertLe(money.balanceOf(address(wrapped)), EARNED * stillWrapped / PART + 1, "the pool's");
        assertEq(shares.pending(address(wrapped), address(money)), 0, "all is gathered");
    }
}

/// @notice Borrows all but one of a pair's wrapped shares, takes what it can, and gives them back with the fee.
contract FlashSwapper {
    WrappedShares private immutable _wrapped;
    IShares private immutable _shares;
    IERC20 private immutable _money;

    constructor(WrappedShares wrapped, IShares shares, IERC20 money) {
        (_wrapped, _shares, _money) = (wrapped, shares, money);
        IERC20(address(shares)).approve(address(wrapped), type(uint256).max);
        money.approve(address(wrapped), type(uint256).max);
    }

    function steal(IPairV2 pair) external {
        uint256 amount = _wrapped.balanceOf(address(pair)) - 1;
        bool first = pair.token0() == address(_wrapped);
        pair.swap(first ? amount : 0, first ? 0 : amount, address(this), "flash");
    }

    function uniswapV2Call(address, uint256 amount0, uint256 amount1, bytes calldata) external {
        uint256 amount = amount0 + amount1;
        _wrapped.unwrap(amount, address(this), new address[](0));
        _shares.accrueAndCollect(address(_money), address(this));
        uint256[] memory most = new uint256[](2);
        most[1] = type(uint256).max;
        _wrapped.wrap(amount, address(this), most);
        _wrapped.transfer(msg.sender, amount * 1000 / 997 + 1);
    }
}
