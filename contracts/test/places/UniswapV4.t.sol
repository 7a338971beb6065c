// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IShares} from "../../src/interfaces/IShares.sol";
import {WrappedShares} from "../../src/market/WrappedShares.sol";
import {PlainToken} from "../mocks/PlainToken.sol";
import {WrapBase} from "../unit/WrappedShares/WrapBase.t.sol";
import {ThirdParty} from "./ThirdParty.t.sol";

struct PoolKey {
    address currency0;
    address currency1;
    uint24 fee;
    int24 tickSpacing;
    address hooks;
}

struct ModifyLiquidityParams {
    int24 tickLower;
    int24 tickUpper;
    int256 liquidityDelta;
    bytes32 salt;
}

struct SwapParams {
    bool zeroForOne;
    int256 amountSpecified;
    uint160 sqrtPriceLimitX96;
}

interface IPoolManager {
    function unlock(bytes calldata data) external returns (bytes memory);
    function initialize(PoolKey calldata key, uint160 sqrtPriceX96) external returns (int24 tick);
    function modifyLiquidity(PoolKey calldata key, ModifyLiquidityParams calldata params, bytes calldata hookData)
        external
        returns (int256 delta, int256 fees);
    function swap(PoolKey calldata key, SwapParams calldata params, bytes calldata hookData)
        external
        returns (int256 delta);
    function sync(address currency) external;
    function settle() external payable returns (uint256 paid);
    function take(address currency, address to, uint256 amount) external;
}

/// @notice Shares in Uniswap v4, the bytecode of its npm package v4-core 1.0.2: one pool manager holds the tokens of all pools.
contract UniswapV4Test is WrapBase, ThirdParty {
    uint256 private constant INCOME = 30_000e6;
    uint256 private constant EARNED = 4_500e6; // of 15 %
    int256 private constant LIQUIDITY = int256(PART - 1e6);

    IPoolManager private _manager;
    PlainToken private _coin;
    Trader private _bob;
    Trader private _alice;

    function setUp() public override {
        super.setUp();
        _manager = IPoolManager(
            _deployFrom("@uniswap/v4-core/out/PoolManager.sol/PoolManager.json", ".bytecode.object", abi.encode(owner))
        );
        _coin = new PlainToken();
        _bob = new Trader(_manager);
        _alice = new Trader(_manager);
        _coin.mint(address(_bob), PART);
        _coin.mint(address(_alice), PART);
        _wrap(bob, PART);
        vm.prank(bob);
        wrapped.transfer(address(_bob), PART);
        _manager.initialize(_key(address(wrapped)), 1 << 96); // one coin a share
    }

    /// @dev To contrast: income of plain shares is owed to the manager, which cannot collect it.
    function test_limit_plain_shares_strand_their_income() public {
        vm.prank(carol);
        shares.transfer(address(_bob), PART);
        _manager.initialize(_key(address(shares)), 1 << 96);
        _bob.provide(_key(address(shares)), LIQUIDITY);
        uint256 pooled = shares.balanceOf(address(_manager));
        _earn(shares, INCOME);
        _bob.provide(_key(address(shares)), -LIQUIDITY);
        assertEq(shares.pending(address(_manager), address(money)), INCOME * pooled / SUPPLY - 1, "owed to the manager");
        assertLe(_collect(shares, address(_bob)), INCOME * 1e6 / SUPPLY, "bob has what the share that he kept earned");
    }

    function test_liquidity_comes_out_with_its_income() public {
        _bob.provide(_key(address(wrapped)), LIQUIDITY);
        _earn(shares, INCOME);
        _bob.provide(_key(address(wrapped)), -LIQUIDITY);
        uint256 out = wrapped.balanceOf(address(_bob));
        assertLe(PART - 1, out, "all but a unit that the pool rounds");
        assertLe(EARNED - 2, _unwrap(address(_bob), out), "all income but two units");
        _checkNothingStranded();
    }

    function test_who_buys_and_who_provides_share_the_income() public {
        PoolKey memory key = _key(address(wrapped));
        _bob.provide(key, LIQUIDITY);
        _alice.swap(key, key.currency0 == address(_coin), 1_000_000e6);
        _earn(shares, INCOME);
        uint256 bought = wrapped.balanceOf(address(_alice));
        uint256 hers = _unwrap(address(_alice), bought);
        assertEq(hers, EARNED * bought / PART, "alice's part");
        _bob.provide(key, -LIQUIDITY);
        uint256 his = _unwrap(address(_bob), wrapped.balanceOf(address(_bob)));
        assertLe(EARNED - hers - 3, his, "bob's part");
        _checkNothingStranded();
    }

    /// @dev The manager lends all it has without a fee, and here it has all wrapped shares that there are.
    function test_a_borrower_of_all_wrapped_shares_takes_no_income() public {
        _bob.provide(_key(address(wrapped)), LIQUIDITY);
        uint256 kept = wrapped.balanceOf(address(_bob));
        vm.prank(address(_bob));
        wrapped.transfer(address(_manager), kept); // a gift, so that really all are there
        assertEq(wrapped.balanceOf(address(_manager)), wrapped.totalSupply(), "all");
        money.mint(address(shares), INCOME); // not accrued
        Borrower thief = new Borrower(_manager, wrapped, shares, money);
        money.mint(address(thief), EARNED + 1);
        thief.steal(new address[](0));
        assertLe(money.balanceOf(address(thief)), EARNED + 1, "nothing of what was not accrued");
        thief.steal(_onlyMoney());
        assertLe(money.balanceOf(address(thief)), EARNED + 1, "and nothing of the pot");
        _bob.provide(_key(address(wrapped)), -LIQUIDITY);
        uint256 out = wrapped.balanceOf(address(_bob));
        assertLe(EARNED * out / PART - 1, _unwrap(address(_bob), out), "it is the provider's");
    }

    function _key(address token) private view returns (PoolKey memory) {
        (address first, address second) = token < address(_coin) ? (token, address(_coin)) : (address(_coin), token);
        return PoolKey({currency0: first, currency1: second, fee: 3000, tickSpacing: 60, hooks: address(0)});
    }

    function _checkNothingStranded() private {
        assertLe(wrapped.totalSupply(), 2, "units that the pool rounded stay in it");
        assertLe(wrapped.returnExcess(address(money)), 3, "rounding");
        assertLe(money.balanceOf(address(wrapped)), 1, "the pool's");
        assertEq(shares.pending(address(wrapped), address(money)), 0, "all is gathered");
    }
}

/// @notice What every caller of the manager does: unlock it, act in the callback, pay and take what the deltas say.
abstract contract Unlocker {
    IPoolManager internal immutable _manager;

    constructor(IPoolManager manager) {
        _manager = manager;
    }

    function unlockCallback(bytes calldata data) external virtual returns (bytes memory);

    function _pay(address currency, uint256 amount) internal {
        _manager.sync(currency);
        IERC20(currency).transfer(address(_manager), amount);
        _manager.settle();
    }
}

/// @notice Provides liquidity over the whole range, and swaps.
contract Trader is Unlocker {
    int24 private constant LAST_TICK = 887_220;
    uint160 private constant LOWEST_PRICE = 4_295_128_740;
    uint160 private constant HIGHEST_PRICE = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_341;

    constructor(IPoolManager manager) Unlocker(manager) {}

    function provide(PoolKey calldata key, int256 liquidity) external {
        _manager.unlock(abi.encode(key, liquidity, false, 0));
    }

    function swap(PoolKey calldata key, bool zeroForOne, uint256 amount) external {
        _manager.unlock(abi.encode(key, int256(0), zeroForOne, amount));
    }

    function unlockCallback(bytes calldata data) external override returns (bytes memory) {
        (PoolKey memory key, int256 liquidity, bool zeroForOne, uint256 amount) =
            abi.decode(data, (PoolKey, int256, bool, uint256));
        int256 delta;
        if (liquidity != 0) {
            (delta,) = _manager.modifyLiquidity(key, ModifyLiquidityParams(-LAST_TICK, LAST_TICK, liquidity, 0), "");
        } else {
            delta = _manager.swap(
                key, SwapParams(zeroForOne, -int256(amount), zeroForOne ? LOWEST_PRICE : HIGHEST_PRICE), ""
            );
        }
        _balance(key.currency0, delta >> 128);
        _balance(key.currency1, int128(delta));
        return "";
    }

    function _balance(address currency, int256 delta) private {
        if (delta < 0) _pay(currency, uint256(-delta));
        if (delta > 0) _manager.take(currency, address(this), uint256(delta));
    }
}

/// @notice Borrows all wrapped shares, takes what it can, and gives them back.
contract Borrower is Unlocker {
    WrappedShares private immutable _wrapped;
    IShares private immutable _shares;
    IERC20 private immutable _money;

    constructor(IPoolManager manager, WrappedShares wrapped, IShares shares, IERC20 money) Unlocker(manager) {
        (_wrapped, _shares, _money) = (wrapped, shares, money);
        IERC20(address(shares)).approve(address(wrapped), type(uint256).max);
        money.approve(address(wrapped), type(uint256).max);
    }

    function steal(address[] calldata tokens) external {
        _manager.unlock(abi.encode(tokens));
    }

    function unlockCallback(bytes calldata data) external override returns (bytes memory) {
        uint256 amount = _wrapped.totalSupply();
        _manager.take(address(_wrapped), address(this), amount);
        _wrapped.unwrap(amount, address(this), abi.decode(data, (address[])));
        _shares.accrueAndCollect(address(_money), address(this));
        uint256[] memory most = new uint256[](2);
        most[1] = type(uint256).max;
        _wrapped.wrap(amount, address(this), most);
        _pay(address(_wrapped), amount);
        return "";
    }
}
