// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";

import {IAssetRegistry} from "../interfaces/IAssetRegistry.sol";
import {IShares} from "../interfaces/IShares.sol";
import {WrappedShares} from "./WrappedShares.sol";

/// @title WrappedSharesFactory
/// @notice Makes the one wrapper of each asset's shares, at an address that is known before. It has no owner and no state.
contract WrappedSharesFactory {
    string public constant VERSION = "1.0.0";

    /// @notice The registry whose Shares are wrapped.
    address public immutable REGISTRY;

    /// @notice A wrapper was made.
    event WrapperCreated(address indexed shares, address indexed wrapper);

    /// @param registry The asset registry.
    constructor(address registry) {
        REGISTRY = registry;
    }

    /// @notice Makes the wrapper of `shares`, or returns the one that is there.
    /// @param shares Registered Shares.
    /// @return wrapper The wrapper, a WrappedShares.
    function create(address shares) external returns (address wrapper) {
        require(IAssetRegistry(REGISTRY).isShares(shares), IAssetRegistry.NotShares(shares));
        wrapper = wrapperOf(shares);
        if (wrapper.code.length != 0) return wrapper;
        emit WrapperCreated(shares, wrapper);
        // slither-disable-next-line unused-return (its address is known)
        Create2.deploy(0, 0, _code(shares));
    }

    /// @notice Where the wrapper of `shares` is, made or not.
    function wrapperOf(address shares) public view returns (address) {
        return Create2.computeAddress(0, keccak256(_code(shares)));
    }

    function _code(address shares) private pure returns (bytes memory) {
        return bytes.concat(type(WrappedShares).creationCode, abi.encode(IShares(shares)));
    }
}
