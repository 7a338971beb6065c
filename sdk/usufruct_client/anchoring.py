"""Merkle proofs of receipts: a leaf hashes a receipt's digest, a node its two children, the smaller first."""

from eth_utils.crypto import keccak

from usufruct_client.wire import ReceiptProof


def proves(proof: ReceiptProof, digest: bytes) -> bool:
    """Tell whether a proof leads from a receipt's digest to its root; the chain shows whether that is anchored."""
    node = keccak(digest)
    for sibling in (bytes.fromhex(each[2:]) for each in proof.proof):
        node = keccak(node + sibling if node < sibling else sibling + node)
    return "0x" + node.hex() == proof.root
