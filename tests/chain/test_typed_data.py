"""Our EIP-712 hashes are eth-account's, for random messages of every type in the table."""

import pytest
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from usufruct_client import eip712_messages
from usufruct_client.identifiers import keccak
from usufruct_client.typed_data import MessageHasher

CONTRACT = "0x" + "4a" * 20
CHAIN = 8453
UNBOUND = (eip712_messages.PAYMENT_OFFER, eip712_messages.DELIVERY_RECEIPT)
TYPES = [
    each
    for each in vars(eip712_messages).values()
    if isinstance(each, eip712_messages.MessageType) and each.name != "EIP712Domain" and each not in UNBOUND
]


def values(kind: str, parts: dict[str, eip712_messages.MessageType]) -> st.SearchStrategy:
    if kind.endswith("[]"):
        fields = [values(inner, parts) for inner, _ in parts[kind[:-2]].fields]
        return st.lists(st.tuples(*fields), max_size=4)
    if kind in parts:
        return st.tuples(*(values(inner, parts) for inner, _ in parts[kind].fields))
    if kind == "bool":
        return st.booleans()
    if kind == "bytes":
        return st.binary(max_size=80)
    if kind.startswith("uint"):
        return st.integers(0, 2 ** int(kind[4:]) - 1)
    if kind == "string":
        return st.text(max_size=40)
    size = {"address": 20, "bytes32": 32}[kind]
    return st.binary(min_size=size, max_size=size).map(lambda raw: "0x" + raw.hex())


def named(message: eip712_messages.MessageType, row: tuple) -> dict[str, object]:
    """A struct as eth-account takes it."""
    parts = {part.name: part for part in message.parts}
    found = {}
    for (kind, name), value in zip(message.fields, row, strict=True):
        if kind.endswith("[]"):
            found[name] = [named(parts[kind[:-2]], each) for each in value]
        else:
            found[name] = named(parts[kind], value) if kind in parts else value
    return found


@pytest.mark.parametrize("message", TYPES, ids=lambda each: each.name)
def test_digests_are_eth_accounts(message: eip712_messages.MessageType):
    parts = {part.name: part for part in message.parts}

    @settings(max_examples=25, deadline=None)
    @given(st.tuples(*(values(kind, parts) for kind, _ in message.fields)))
    def check(row: tuple) -> None:
        domain = (message.domain or eip712_messages.Domain("Test Dollar", "1")).data(CHAIN, CONTRACT)
        signable = encode_typed_data(domain, message.types, named(message, row))
        assert MessageHasher(message).struct_hash(*row) == signable.body
        document = encode_typed_data(full_message=message.document(domain, named(message, row)))
        assert document == signable
        if message.domain:
            digest = keccak(b"\x19\x01" + signable.header + signable.body)
            assert MessageHasher(message).digest(CHAIN, CONTRACT, *row) == digest

    check()


@pytest.mark.parametrize("message", UNBOUND, ids=lambda each: each.domain.name)
def test_digests_without_a_contract_are_eth_accounts(message: eip712_messages.MessageType):
    @settings(max_examples=25, deadline=None)
    @given(st.tuples(*(values(kind, {}) for kind, _ in message.fields)))
    def check(row: tuple) -> None:
        domain = {"name": message.domain.name, "version": message.domain.version, "chainId": CHAIN}
        signable = encode_typed_data(domain, message.types, named(message, row))
        digest = keccak(b"\x19\x01" + signable.header + signable.body)
        assert MessageHasher(message).digest(CHAIN, None, *row) == digest

    check()


def test_a_value_too_few_is_noticed():
    with pytest.raises(TypeError, match="1 values for 2 fields"):
        MessageHasher(eip712_messages.VOUCHER).struct_hash("0x" + "00" * 32)
