// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Base} from "../Base.t.sol";

/// @notice Deploys contracts that others wrote and compiled: the bytecode in their npm packages, as it is.
/// @dev The packages are dependencies of these tests alone; nothing of them is compiled, linked or shipped. Uniswap v4's is
///      under BUSL-1.1, which allows use that is not production.
abstract contract ThirdParty is Base {
    error NotDeployed(string path);

    /// @dev `path` in node_modules, and where in that JSON file the creation code is.
    function _deployFrom(string memory path, string memory key, bytes memory arguments)
        internal
        returns (address deployed)
    {
        string memory json = vm.readFile(string.concat("../node_modules/", path));
        bytes memory code = bytes.concat(vm.parseJsonBytes(json, key), arguments);
        assembly ("memory-safe") {
            deployed := create(0, add(code, 0x20), mload(code))
        }
        require(deployed != address(0), NotDeployed(path));
    }
}
