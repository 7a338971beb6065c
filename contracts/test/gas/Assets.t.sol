// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAssetRegistry} from "../../src/interfaces/IAssetRegistry.sol";
import {PassId} from "../../src/types/PassId.sol";
import {AssetsBase} from "../AssetsBase.t.sol";
import {PlainToken} from "../mocks/PlainToken.sol";

/// @notice What the steps that people pay for cost, each as a separate transaction. Run with FOUNDRY_ISOLATE=true.
/// @dev Budgets hold the figures of isolated, IR-compiled transactions; without isolation the calls are cheaper still.
contract AssetsGas is AssetsBase {
    uint256 private constant TRANSFER_IDLE = 52_000;
    uint256 private constant ACCRUE = 60_000;
    uint256 private constant COLLECT_AGAIN = 57_000;

    PlainToken[2] private _others;

    function setUp() public override {
        super.setUp();
        for (uint256 i; i < _others.length; ++i) {
            _others[i] = new PlainToken();
            _list(address(_others[i]));
        }
        _give(shares, bob, SUPPLY / 2);
        _earnAll();
        _settle(alice, bob);
    }

    function test_register_asset() public {
        IAssetRegistry.Registration memory registration = _registration("second");
        vm.prank(alice);
        registry.register(registration);
        vm.snapshotGasLastCall("assets", "register_asset");
    }

    function test_shares_transfer_idle() public {
        vm.prank(alice);
        shares.transfer(bob, 1e6);
        assertLe(vm.snapshotGasLastCall("assets", "shares_transfer_idle"), TRANSFER_IDLE, "gas");
    }

    function test_shares_transfer_settling_four_tokens() public {
        _earnAll();
        vm.prank(alice);
        shares.transfer(bob, 1e6);
        vm.snapshotGasLastCall("assets", "shares_transfer_settling_four_tokens");
    }

    function test_accrue() public {
        money.mint(address(shares), 1e9);
        shares.accrue(address(money));
        assertLe(vm.snapshotGasLastCall("assets", "accrue"), ACCRUE, "gas");
    }

    function test_collect_again() public {
        _collect(shares, bob);
        _earn(shares, 1e9);
        vm.prank(bob);
        shares.collect(address(money));
        assertLe(vm.snapshotGasLastCall("assets", "collect_again"), COLLECT_AGAIN, "gas");
    }

    function test_pass_burn() public {
        PassId plan = _plan();
        _buyAndActivate(bob, plan, 1);
        vm.prank(meter);
        pass.burn(bob, plan, 1_000);
        vm.prank(meter);
        pass.burn(bob, plan, 1_000);
        vm.snapshotGasLastCall("assets", "pass_burn");
    }

    function test_pass_burn_up_to_10() public {
        PassId plan = _plan();
        address[] memory holders = new address[](10);
        uint256[] memory totals = new uint256[](10);
        for (uint256 i; i < holders.length; ++i) {
            holders[i] = address(uint160(0xA000 + i));
            totals[i] = 1_000;
            _buyAndActivate(holders[i], plan, 1);
        }
        vm.prank(meter);
        pass.burnUpTo(plan, holders, totals);
        for (uint256 i; i < holders.length; ++i) {
            totals[i] = 2_000;
        }
        vm.prank(meter);
        pass.burnUpTo(plan, holders, totals);
        vm.snapshotGasLastCall("assets", "pass_burn_up_to_10");
    }

    /// @dev Every revenue token accrues.
    function _earnAll() private {
        vm.deal(address(shares), 1 ether);
        shares.wrap();
        _earn(shares, 1e9);
        for (uint256 i; i < _others.length; ++i) {
            _others[i].mint(address(shares), 1e9);
            shares.accrue(address(_others[i]));
        }
    }

    /// @dev A transfer settles both sides.
    function _settle(address from, address to) private {
        vm.prank(from);
        shares.transfer(to, 1e6);
    }
}
