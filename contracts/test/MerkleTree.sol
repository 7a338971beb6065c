// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A tree as OpenZeppelin's npm package builds it: leaves sorted by hash, the nodes in one array, root first.
library MerkleTree {
    struct Entry {
        uint256 index;
        address account;
        uint256 amount;
    }

    function leafOf(Entry memory entry) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(entry.index, entry.account, entry.amount))));
    }

    function pair(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }

    function build(Entry[] memory entries) internal pure returns (bytes32[] memory nodes) {
        uint256 count = entries.length;
        nodes = new bytes32[](2 * count - 1);
        for (uint256 i = 0; i < count; ++i) {
            bytes32 leaf = leafOf(entries[i]);
            uint256 position = nodes.length - 1 - i;
            for (; position < nodes.length - 1 && nodes[position + 1] > leaf; ++position) {
                nodes[position] = nodes[position + 1];
            }
            nodes[position] = leaf;
        }
        for (uint256 i = 0; i < count / 2; ++i) {
            (nodes[count - 1 + i], nodes[nodes.length - 1 - i]) = (nodes[nodes.length - 1 - i], nodes[count - 1 + i]);
        }
        for (uint256 i = count - 1; i > 0; --i) {
            nodes[i - 1] = pair(nodes[2 * i - 1], nodes[2 * i]);
        }
    }

    function proofOf(bytes32[] storage nodes, uint256 position) internal view returns (bytes32[] memory proof) {
        uint256 depth;
        for (uint256 i = position; i > 0; i = (i - 1) / 2) {
            ++depth;
        }
        proof = new bytes32[](depth);
        for (uint256 k = 0; k < depth; ++k) {
            proof[k] = nodes[position % 2 == 1 ? position + 1 : position - 1];
            position = (position - 1) / 2;
        }
    }
}
