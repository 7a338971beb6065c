"""Trees over receipt digests.

A leaf is the hash of a digest (so that no inner node passes for one); a node hashes its two children, the smaller
first; a last child without a sibling moves up unchanged. Proofs are lists of siblings, leaf to root, and verify with
OpenZeppelin's `MerkleProof`.
"""

from collections.abc import Sequence

from usufruct.chain import keccak
from usufruct.core import Invalid


def merkle_root(digests: Sequence[bytes]) -> bytes:
    """Return the root over digests in order: 32 bytes.

    Raises:
        Invalid: for no digests.
    """
    return _levels(digests)[-1][0]


def merkle_proof(digests: Sequence[bytes], index: int) -> list[bytes]:
    """Return the siblings that lead from the digest at `index` to the root.

    Raises:
        Invalid: for no digests.
        IndexError: for an index out of range.
    """
    levels = _levels(digests)
    if not 0 <= index < len(digests):
        raise IndexError(index)
    siblings = ((level, (index >> height) ^ 1) for height, level in enumerate(levels[:-1]))
    return [level[sibling] for level, sibling in siblings if sibling < len(level)]


def _levels(digests: Sequence[bytes]) -> list[list[bytes]]:
    if not digests:
        raise Invalid("a tree needs at least one receipt", code="empty_tree")
    levels = [[keccak(digest) for digest in digests]]
    while len(level := levels[-1]) > 1:
        pairs = [_parent(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        levels.append(pairs + level[len(pairs) * 2 :])
    return levels


def _parent(left: bytes, right: bytes) -> bytes:
    return keccak(left + right if left < right else right + left)
