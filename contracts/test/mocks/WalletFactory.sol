// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";

import {ContractWallet} from "./ContractWallet.sol";

/// @notice Deploys wallets at addresses that are known before.
contract WalletFactory {
    function create(address owner) external returns (address) {
        return Create2.deploy(0, 0, _code(owner));
    }

    function predict(address owner) external view returns (address) {
        return Create2.computeAddress(0, keccak256(_code(owner)));
    }

    function _code(address owner) private pure returns (bytes memory) {
        return bytes.concat(type(ContractWallet).creationCode, abi.encode(owner));
    }
}
