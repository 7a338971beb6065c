// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WrappedShares} from "../../../src/market/WrappedShares.sol";
import {WrappedSharesFactory} from "../../../src/market/WrappedSharesFactory.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

/// @notice The wrapper of the first asset's shares, of which bob and carol have 15 % each; no protocol fee.
abstract contract WrapBase is AssetsBase {
    uint256 internal constant PART = SUPPLY * 15 / 100;

    WrappedSharesFactory internal factory;
    WrappedShares internal wrapped;

    function setUp() public virtual override {
        super.setUp();
        _setFee(0);
        factory = WrappedSharesFactory(deploy("WrappedSharesFactory.sol:WrappedSharesFactory", abi.encode(registry)));
        wrapped = WrappedShares(factory.create(address(shares)));
        _give(shares, bob, PART);
        _give(shares, carol, PART);
    }

    /// @dev `account` pays whatever the pot asks for.
    function _wrap(address account, uint256 amount) internal {
        vm.startPrank(account);
        shares.approve(address(wrapped), amount);
        money.approve(address(wrapped), type(uint256).max);
        native.approve(address(wrapped), type(uint256).max);
        wrapped.wrap(amount, account, _anyIncome());
        vm.stopPrank();
    }

    function _unwrap(address account, uint256 amount) internal returns (uint256) {
        address[] memory tokens = _tokens();
        vm.prank(account);
        uint256[] memory income = wrapped.unwrap(amount, account, tokens);
        return tokens[0] == address(money) ? income[0] : income[1];
    }

    function _anyIncome() internal pure returns (uint256[] memory most) {
        most = new uint256[](2);
        (most[0], most[1]) = (type(uint256).max, type(uint256).max);
    }

    function _tokens() internal view returns (address[] memory tokens) {
        tokens = new address[](2);
        (tokens[0], tokens[1]) =
            address(money) < address(native) ? (address(money), address(native)) : (address(native), address(money));
    }

    function _onlyMoney() internal view returns (address[] memory tokens) {
        tokens = new address[](1);
        tokens[0] = address(money);
    }
}
