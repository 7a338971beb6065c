// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AirdropBase} from "../AirdropBase.t.sol";
import {MerkleTree} from "../MerkleTree.sol";

/// @notice What a claim costs from a tree of 2^20 entries: the account holds tokens already, and no entry of its 256
///         neighbours has been claimed.
/// @dev The siblings are arbitrary hashes: only the depth, and how many bytes are zero, changes what a claim costs.
contract AirdropGas is AirdropBase {
    uint256 private constant INDEX = 700_001;
    bytes32[] private _path;

    function test_claim() public {
        _prepare(20);
        _measure("airdrop_claim_2p20");
    }

    function test_claim_of_a_small_tree() public {
        _prepare(10);
        _measure("airdrop_claim_2p10");
    }

    /// @dev A neighbour was paid before: the word of 256 marks is not empty any more.
    function test_claim_later_in_the_word() public {
        _prepare(20);
        vm.store(address(airdrop), keccak256(abi.encode(INDEX >> 8, uint256(0))), bytes32(uint256(1)));
        _measure("airdrop_claim_2p20_later_in_word");
    }

    function test_claim_of_a_new_holder() public {
        _prepare(20);
        vm.prank(_accountOf(INDEX));
        require(token.transfer(treasury, 1));
        _measure("airdrop_claim_2p20_new_holder");
    }

    function _prepare(uint256 depth) private {
        bytes32 node = MerkleTree.leafOf(MerkleTree.Entry(INDEX, _accountOf(INDEX), 5 * TOKEN));
        _path = new bytes32[](depth);
        for (uint256 i = 0; i < depth; ++i) {
            _path[i] = keccak256(abi.encode("sibling", i));
            node = MerkleTree.pair(node, _path[i]);
        }
        airdrop = _airdrop(node, address(escrow));
        vm.prank(treasury);
        require(token.transfer(address(airdrop), SUPPLY / 4));
        vm.prank(treasury);
        require(token.transfer(_accountOf(INDEX), 1));
    }

    function _measure(string memory name) private {
        bytes32[] memory proof = _path;
        vm.prank(stranger);
        airdrop.claim(INDEX, _accountOf(INDEX), 5 * TOKEN, proof);
        vm.snapshotGasLastCall("staking", name);
    }
}
