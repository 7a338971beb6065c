"""Merkle trees as OpenZeppelin's npm package merkle-tree builds a StandardMerkleTree.

The leaf of an entry of (uint256 index, address account, uint256 amount) is the Keccak-256 of the Keccak-256 of its ABI
encoding, 96 bytes. A node is the hash of its two children, the smaller first. All nodes of n leaves are one array of
2n - 1 times 32 bytes: the root first, the children of node i at 2i + 1 and 2i + 2, the leaves last, the smallest hash
at the very end. `Airdrop.sol` checks proofs in this form.
"""

from typing import Protocol

from usufruct.chain import keccak

NODE_BYTES = 32

_ADDRESS_PAD = bytes(12)
_PAIR_BYTES = 2 * NODE_BYTES


class Nodes(Protocol):
    """Bytes that can be read and written in place: a bytearray, or a mapped file."""

    def __getitem__(self, key: slice, /) -> bytes | bytearray:
        """Return the bytes of a slice."""

    def __setitem__(self, key: slice, value: bytes, /) -> None:
        """Write the bytes of a slice."""


def leaf_hash(index: int, account: bytes, amount: bytes) -> bytes:
    """Return the leaf of an entry: 20 bytes of address, and the amount in atomic units as 32 bytes, big-endian."""
    return keccak(keccak(index.to_bytes(32, "big") + _ADDRESS_PAD + account + amount))


def leaf_position(count: int, rank: int) -> int:
    """Return which node the leaf of a rank is: 0 is the smallest hash of `count`."""
    return 2 * count - 2 - rank


def hash_inner_nodes(nodes: Nodes, count: int, start: int = 0) -> None:
    """Compute the `count` - 1 inner nodes of a tree whose leaves are in place, the root last.

    `start` is the offset of the root in bytes.
    """
    for node in range(count - 2, -1, -1):
        at = start + node * NODE_BYTES
        children = at + (node + 1) * NODE_BYTES
        pair = bytes(nodes[children : children + _PAIR_BYTES])
        nodes[at : at + NODE_BYTES] = parent_hash(pair[:NODE_BYTES], pair[NODE_BYTES:])


def parent_hash(one: bytes, other: bytes) -> bytes:
    """Return the hash of two children, in whatever order they are given."""
    return keccak(one + other if one < other else other + one)


def proof_positions(position: int) -> list[int]:
    """Return which nodes prove the node at `position`: its sibling, and the sibling of each node up to the root."""
    siblings = []
    while position:
        siblings.append(position + 1 if position % 2 else position - 1)
        position = (position - 1) // 2
    return siblings


def proves(leaf: bytes, proof: list[bytes], root: bytes) -> bool:
    """Tell whether `proof` leads from `leaf` to `root`."""
    node = leaf
    for sibling in proof:
        node = parent_hash(node, sibling)
    return node == root
