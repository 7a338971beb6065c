"""Every receipt is provable under its root, nothing else is, and OpenZeppelin's rule of hashing holds."""

import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.merkle import next_anchor, proves
from tests.support.refusal import refused
from usufruct.payments.settlement.merkle import merkle_proof, merkle_root

digests = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40, unique=True)


def openzeppelin(proof: list[bytes], leaf: bytes) -> bytes:
    """`MerkleProof.processProof`: the smaller of each pair comes first."""
    for sibling in proof:
        leaf = keccak(b"".join(sorted((leaf, sibling))))
    return leaf


@settings(max_examples=100, deadline=None)
@given(leaves=digests, stranger=st.binary(min_size=32, max_size=32))
def test_what_is_in_the_tree_is_provable_and_what_is_not_is_not(leaves: list[bytes], stranger: bytes):
    root = merkle_root(leaves)
    for index, digest in enumerate(leaves):
        proof = merkle_proof(leaves, index)
        assert proves(digest, proof, root)
        assert openzeppelin(proof, keccak(digest)) == root
        assert proves(stranger, proof, root) == (stranger == digest)
        assert len(proof) <= len(leaves).bit_length()


def test_small_trees_by_hand():
    a, b, c = (keccak(bytes([i]) * 32) for i in range(3))
    leaf = [keccak(digest) for digest in (a, b, c)]
    pair = keccak(b"".join(sorted(leaf[:2])))
    assert merkle_root([a]) == leaf[0]
    assert merkle_root([a, b]) == pair
    assert merkle_root([a, b, c]) == keccak(b"".join(sorted((pair, leaf[2]))))


def test_an_inner_node_is_no_receipt():
    a, b, c, d = (bytes([i]) * 32 for i in range(4))
    root = merkle_root([a, b, c, d])
    inner = b"".join(sorted((keccak(a), keccak(b))))
    assert not proves(inner[:32], merkle_proof([a, b, c, d], 0)[1:], root)
    assert not proves(keccak(inner), merkle_proof([a, b, c, d], 0)[1:], root)


def test_no_tree_without_receipts_and_no_proof_without_one():
    with refused("empty_tree"):
        merkle_root([])
    for index in (-1, 2):
        with pytest.raises(IndexError):
            merkle_proof([b"a" * 32, b"b" * 32], index)


@given(
    previous=st.binary(min_size=32, max_size=32),
    root=st.binary(min_size=32, max_size=32),
    count=st.integers(0, 2**256 - 1),
)
def test_the_anchor_rolls_as_the_contract_rolls_it(previous: bytes, root: bytes, count: int):
    assert next_anchor(previous, root, count) == keccak(
        encode(["bytes32", "bytes32", "uint256"], [previous, root, count])
    )
