"""The ABI's types against eth-abi on random types, values and damaged bytes; and what would make much of little."""

import pytest
from eth_abi import decode as abi_decode
from eth_abi import encode as abi_encode
from eth_abi.exceptions import DecodingError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.abi_values import values
from usufruct.chain import UnreadableAnswer
from usufruct.chain.abi import abi_type
from usufruct.chain.codec import decode, encode
from usufruct.core import Invalid

WORDS = ["bool", "address", "uint8", "uint40", "uint128", "uint256", "int8", "int256", "bytes1", "bytes4", "bytes32"]
elementary = st.sampled_from([*WORDS, "bytes", "string"])


def composed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arrays = st.builds("{}[{}]".format, inner, st.sampled_from(["", "1", "3"]))
    return arrays | st.lists(inner, min_size=1, max_size=4).map(lambda kinds: f"({','.join(kinds)})")


kinds = st.recursive(elementary, composed, max_leaves=6)
signatures = st.lists(kinds, min_size=1, max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.data(), signatures)
def test_values_are_written_and_read_as_by_eth_abi(data: st.DataObject, signature: list[str]):
    given_ = tuple(data.draw(values(kind)) for kind in signature)
    encoded = encode(signature, given_)
    assert encoded == abi_encode(signature, given_)
    assert decode(signature, encoded) == given_
    assert decode(signature, encoded + bytes(32)) == given_


@settings(max_examples=400, deadline=None)
@given(st.data(), signatures)
def test_what_is_read_of_damaged_bytes_eth_abi_reads_too(data: st.DataObject, signature: list[str]):
    damaged = bytearray(encode(signature, tuple(data.draw(values(kind)) for kind in signature)))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = data.draw(st.sampled_from([0, 1, 2, 31, 32, 64, 128, 255]))
    del damaged[data.draw(st.integers(len(damaged) // 2, len(damaged))) :]
    try:
        ours: object = decode(signature, bytes(damaged))
    except UnreadableAnswer:
        return
    try:
        theirs = abi_decode(signature, bytes(damaged))
    except (DecodingError, ValueError, OverflowError) as error:
        pytest.fail(f"eth-abi refuses what we read as {ours}: {error!r}")
    assert ours == theirs


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("uint256[]", word(32) + word(1 << 255)),
        ("uint256[]", word(1 << 255)),
        ("bytes", word(32) + word((1 << 256) - 1)),
        ("bytes[]", word(32) + word(1 << 200) + bytes(320)),
        ("uint256[][]", word(32) + word(40) + word(40 * 32) * 40 + word(40) + bytes(40 * 32)),  # 40 times the same
        ("bytes[]", word(32) + word(3) + word(96) * 3 + word(64) + bytes(64)),
    ],
)
def test_little_data_makes_no_large_value(kind: str, data: bytes):
    with pytest.raises(UnreadableAnswer, match="bytes are not"):
        decode((kind,), data)


@pytest.mark.parametrize(
    ("signature", "data"),
    [
        (("bool", "bool[]"), word(0) + word(0)),  # read as no items: the length would be the flag
        (("bytes",), word(0) + word(0)),
        (("(uint256,bytes)",), word(32) + word(0) + word(32) + word(0)),
        (("string[]",), word(32) + word(1) + word(0) + word(0)),
    ],
)
def test_an_offset_into_the_places_is_refused(signature: tuple[str, ...], data: bytes):
    with pytest.raises(UnreadableAnswer, match="bytes are not"):
        decode(signature, data)
    with pytest.raises(DecodingError):
        abi_decode(signature, data)


@pytest.mark.parametrize("kind", ["uint", "tuple", "bytes32[", "mapping", "()x", ""])
def test_what_is_no_type_is_refused(kind: str):
    with pytest.raises(ValueError, match="not an ABI type"):
        abi_type(kind)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("address", "0x" + "aB" * 20),  # a checksum that is none
        ("address", bytes(20)),
        ("uint256", True),
        ("uint256", 1.0),
        ("bytes", "0x12"),
        ("string", b"text"),
        ("string", "\ud800"),
        ("(uint8,bool)", (1,)),
        ("uint8[]", {1: 2}),
    ],
)
def test_values_of_another_kind_are_refused(kind: str, value: object):
    with pytest.raises(Invalid, match="arguments do not fit"):
        encode((kind,), (value,))
