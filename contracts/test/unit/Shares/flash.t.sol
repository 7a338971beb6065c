// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shares} from "../../../src/assets/Shares.sol";
import {ITill} from "../../../src/interfaces/ITill.sol";
import {Till} from "../../../src/payments/Till.sol";
import {PassId} from "../../../src/types/PassId.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";
import {ConstantProductPair, IFlashBorrower} from "../../mocks/ConstantProductPair.sol";

/// @notice Income belongs to who holds the shares when it accrues. A pool lends its shares to anyone for one transaction: what
///         lies un-accrued then is the borrower's. So money accrues on its way in wherever our contracts bring it.
contract FlashTest is AssetsBase {
    uint256 private constant POOLED = SUPPLY * 40 / 100;
    uint256 private constant INCOME = 100_000e6;

    ConstantProductPair private _pair;
    FlashThief private _thief;

    function setUp() public override {
        super.setUp();
        _setFee(0);
        _pair = new ConstantProductPair(shares, money);
        _give(shares, address(_pair), POOLED);
        money.mint(address(_pair), 4_000_000e6); // a share costs 0.10
        _pair.mint(alice);
        _thief = new FlashThief(_pair, shares, address(money));
        _give(shares, address(_thief), 130_000e6); // for the pool's fee
    }

    /// @dev The limit: 40 % of what lay there, for a fee of 0.3 % of the pool's shares, 12,036 at their price.
    function test_limit_a_flash_swap_takes_a_pools_part_of_income_that_nobody_accrued() public {
        money.mint(address(shares), INCOME);
        uint256 fee = _thief.steal();
        uint256 own = INCOME * 130_000e6 / SUPPLY;
        assertLe(INCOME * 40 / 100 + own - 2, money.balanceOf(address(_thief)), "the pool's part, and the thief's own");
        assertEq(shares.pending(address(_pair), address(money)), 0, "nothing is left to the pool");
        assertLe(fee, 120_362e6, "shares, the pool's fee");
    }

    function test_income_that_accrued_on_arrival_stays_the_pools() public {
        _earn(shares, INCOME);
        _thief.steal();
        _assertNothingStolen(INCOME);
    }

    function test_the_till_accrues_on_the_way_in() public {
        Till till = Till(deploy("Till.sol:Till", abi.encode(owner, new Receivers())));
        vm.startPrank(owner);
        till.setPayee(address(shares), ITill.PayeeKind.Shares);
        till.setClaimKey(owner, true);
        money.mint(address(till), INCOME);
        till.split(address(money), new ITill.Split[](0), address(shares));
        vm.stopPrank();
        _thief.steal();
        _assertNothingStolen(INCOME);
    }

    function test_passes_accrue_on_the_way_in() public {
        PassId plan = _plan(0, 100_000e6, 1_000_000);
        _buyAndActivate(bob, plan, 1);
        vm.prank(meter);
        pass.burn(bob, plan, 1_000_000);
        _thief.steal();
        _assertNothingStolen(INCOME);
    }

    /// @dev The thief keeps what its own shares earned.
    function _assertNothingStolen(uint256 income) private view {
        assertLe(money.balanceOf(address(_thief)), income * 130_000e6 / SUPPLY, "no more than its own");
        assertLe(income * 40 / 100 - 1, shares.pending(address(_pair), address(money)), "the pool's part is the pool's");
    }
}

/// @dev Borrows all but one of a pair's shares, collects with them, and gives them back with the pair's fee.
contract FlashThief is IFlashBorrower {
    ConstantProductPair private immutable _pair;
    Shares private immutable _shares;
    address private immutable _money;
    uint256 private _fee;

    constructor(ConstantProductPair pair, Shares shares, address money) {
        (_pair, _shares, _money) = (pair, shares, money);
    }

    function steal() external returns (uint256 fee) {
        _pair.swap(_pair.reserve0() - 1, 0, address(this), "flash");
        return _fee;
    }

    function uniswapV2Call(address, uint256 amount, uint256, bytes calldata) external {
        _shares.accrueAndCollect(_money, address(this));
        _fee = amount * 1000 / 997 + 1 - amount;
        _shares.transfer(address(_pair), amount + _fee);
    }
}

/// @dev A settlement that pays no one, for a till that was given money.
contract Receivers {
    function receivers(address, address) external pure returns (uint128, uint128) {}

    function settle(address, address) external pure {}
}
