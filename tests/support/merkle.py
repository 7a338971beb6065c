"""What the chain checks of an anchored batch, written out: proofs, and the rolling anchor."""

from collections.abc import Sequence

from usufruct.chain import keccak, word


def proves(digest: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether `proof` shows that `digest` is under `root`."""
    node = keccak(digest)
    for sibling in proof:
        node = keccak(node + sibling if node < sibling else sibling + node)
    return node == root


def next_anchor(previous: bytes, root: bytes, count: int) -> bytes:
    """Return the anchor after one more batch of `count` receipts: `keccak256(abi.encode(previous, root, count))`."""
    return keccak(previous + root + word(count))
