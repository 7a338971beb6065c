"""EIP-712 hashes of the messages in `usufruct_client.eip712_messages`, without a general encoder's cost.

The encoding of a struct is its type hash and one 32-byte word for each field: a text's word is its hash, a struct's its
struct hash, an array's the hash of its items' struct hashes.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from operator import call
from typing import Any

from usufruct_client.eip712_messages import DOMAIN_TYPE, UNBOUND_DOMAIN_TYPE, Domain, MessageType
from usufruct_client.identifiers import Address, id_to_bytes, keccak


def word(number: int) -> bytes:
    """Encode an unsigned integer of any width: 32 bytes, big-endian."""
    return number.to_bytes(32, "big")


class MessageHasher:
    """Hashes messages of one type; the values of a message's fields come in the order of the type."""

    def __init__(self, message: MessageType) -> None:
        """Prepare a writer for each field."""
        self._domain = message.domain
        self._type_hash = keccak(message.encoded.encode())
        parts: dict[str, Callable[[Any], bytes]] = {}
        for part in message.parts:
            hasher = MessageHasher(part)
            parts[part.name] = _struct_writer(hasher)
            parts[f"{part.name}[]"] = _array_writer(hasher)
        self._writers = tuple((parts.get(kind) or _WRITERS.get(kind, word)) for kind, _ in message.fields)

    def struct_hash(self, *values: object) -> bytes:
        """Return the hash of one struct: 32 bytes. Hashes and addresses are text, structs are tuples of values."""
        if len(values) != len(self._writers):
            raise TypeError(f"{len(values)} values for {len(self._writers)} fields")
        return keccak(self._type_hash + b"".join(map(call, self._writers, values)))

    def digest(self, chain_id: int, contract: Address | None, *values: object) -> bytes:
        """Return what is signed: 32 bytes; `contract` is None for messages that no contract verifies."""
        assert self._domain is not None
        return keccak(b"\x19\x01" + domain_separator(self._domain, chain_id, contract) + self.struct_hash(*values))


def message_values(kind: MessageType, message: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the values of a message's fields in the order of its type, as `MessageHasher` takes them."""
    parts = {part.name: part for part in kind.parts}

    def value(type_: str, found: Any) -> Any:
        part = parts.get(type_.removesuffix("[]"))
        if part is None:
            return found.lower() if type_ == "address" else found
        if type_.endswith("[]"):
            return tuple(message_values(part, each) for each in found)
        return message_values(part, found)

    return tuple(value(type_, message[name]) for type_, name in kind.fields)


@lru_cache(maxsize=64)
def domain_separator(domain: Domain, chain_id: int, contract: Address | None) -> bytes:
    """Return the separator that binds a signature to one chain, and to one contract if there is one: 32 bytes."""
    if contract is None:
        return MessageHasher(UNBOUND_DOMAIN_TYPE).struct_hash(domain.name, domain.version, chain_id)
    return MessageHasher(DOMAIN_TYPE).struct_hash(domain.name, domain.version, chain_id, contract)


@lru_cache(maxsize=256)
def _text_word(text: str) -> bytes:
    return keccak(text.encode())


def _struct_writer(struct: MessageHasher) -> Callable[[tuple[object, ...]], bytes]:
    return lambda values: struct.struct_hash(*values)


def _array_writer(item: MessageHasher) -> Callable[[Iterable[tuple[object, ...]]], bytes]:
    @lru_cache(maxsize=1 << 12)
    def item_hash(values: tuple[object, ...]) -> bytes:
        return item.struct_hash(*values)

    return lambda items: keccak(b"".join(map(item_hash, items)))


_WRITERS: Mapping[str, Callable[[Any], bytes]] = {
    "address": lambda address: bytes(12) + id_to_bytes(address),
    "bytes": keccak,
    "bytes32": id_to_bytes,
    "string": _text_word,
}
