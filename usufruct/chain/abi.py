"""The contract ABI's types, strictly: what Solidity would not write is not read.

https://docs.soliditylang.org/en/latest/abi-spec.html. A type is parsed once from its canonical text. Functions here
raise ValueError or TypeError; `codec` names the types in its errors.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from usufruct.core import address as read_address

WORD = 32


class Data:
    """Bytes to read. No more words are read than there are: offsets that meet would make much of little."""

    __slots__ = ("_bytes", "_words_left")

    def __init__(self, content: bytes) -> None:
        self._bytes = content
        self._words_left = -(-len(content) // WORD)

    def check(self, length: int) -> None:
        """Refuse to begin what needs more bytes than may still be read."""
        if length > self._words_left * WORD:
            raise ValueError("the bytes end too early")

    def take(self, at: int, length: int) -> bytes:
        """Return `length` bytes from position `at`."""
        self.check(length)
        self._words_left -= -(-length // WORD)
        taken = self._bytes[at : at + length]
        if len(taken) < length:
            raise ValueError("the bytes end too early")
        return taken

    def number(self, at: int) -> int:
        """Return the word at a position as an unsigned integer: an offset or a length."""
        return int.from_bytes(self.take(at, WORD), "big")


class AbiType(ABC):
    """One ABI type. `dynamic`: the value is elsewhere, its place holds an offset. `size`: bytes of that place."""

    dynamic = False
    size = WORD

    @abstractmethod
    def encode(self, value: object) -> bytes:
        """Return a value's encoding, a multiple of 32 bytes."""

    @abstractmethod
    def decode(self, data: Data, at: int) -> object:
        """Return the value whose encoding begins at a position."""


@dataclass(frozen=True, slots=True)
class _Word(AbiType):
    """A type of one word: written by `write`; read by `read`, and only if it would be written so again."""

    write: Callable[[object], bytes]
    read: Callable[[bytes], object]

    def encode(self, value: object) -> bytes:
        return self.write(value)

    def decode(self, data: Data, at: int) -> object:
        word = data.take(at, WORD)
        value = self.read(word)
        if self.write(value) != word:
            raise ValueError("a word holds what its type cannot")
        return value


@dataclass(frozen=True, slots=True)
class _Bytes(AbiType):
    """`bytes`, and `string` in UTF-8: a length, then the bytes, filled up with zeros to whole words."""

    write: Callable[[object], bytes]
    read: Callable[[bytes], object]
    dynamic = True

    def encode(self, value: object) -> bytes:
        content = self.write(value)
        return _number(len(content)) + content + bytes(-len(content) % WORD)

    def decode(self, data: Data, at: int) -> object:
        length = data.number(at)
        padded = data.take(at + WORD, length + -length % WORD)
        if any(padded[length:]):
            raise ValueError("bytes are not filled up with zeros")
        return self.read(padded[:length])


class _Sequenced(AbiType):
    """A tuple, and an array of fixed length: places side by side, then what the offsets among them point to."""

    def __init__(self, parts: Sequence[AbiType]) -> None:
        self._parts = tuple(parts)
        self._places = sum(part.size for part in self._parts)
        self.dynamic = any(part.dynamic for part in self._parts)
        self.size = WORD if self.dynamic else self._places

    def encode(self, value: object) -> bytes:
        if not isinstance(value, list | tuple) or len(value) != len(self._parts):
            raise TypeError(f"{value!r} is not {len(self._parts)} values")
        places, elsewhere = [], []
        offset = self._places
        for part, item in zip(self._parts, value, strict=True):
            encoded = part.encode(item)
            if part.dynamic:
                places.append(_number(offset))
                elsewhere.append(encoded)
                offset += len(encoded)
            else:
                places.append(encoded)
        return b"".join(places + elsewhere)

    def decode(self, data: Data, at: int) -> tuple[object, ...]:
        values, place = [], at
        for part in self._parts:
            values.append(part.decode(data, self._pointed_to(data, at, place) if part.dynamic else place))
            place += part.size
        return tuple(values)

    def _pointed_to(self, data: Data, at: int, place: int) -> int:
        """Return where the value of a place is: never among the places."""
        offset = data.number(place)
        if offset < self._places:
            raise ValueError("an offset points into the places")
        return at + offset


class _Array(AbiType):
    """An array of any length: how many, then the items as in a tuple."""

    dynamic = True

    def __init__(self, item: AbiType) -> None:
        self._item = item

    def encode(self, value: object) -> bytes:
        if not isinstance(value, list | tuple):
            raise TypeError(f"{value!r} is not an array")
        return _number(len(value)) + _Sequenced([self._item] * len(value)).encode(value)

    def decode(self, data: Data, at: int) -> object:
        length = data.number(at)
        data.check(length * (self._item.size or WORD))
        return _Sequenced([self._item] * length).decode(data, at + WORD)


@lru_cache(maxsize=1024)
def abi_type(text: str) -> AbiType:
    """Return the type of a canonical text such as "(address,uint16)[]"."""
    if array := re.fullmatch(r"(.+)\[(\d*)\]", text):
        item, length = array.groups()
        return _Sequenced([abi_type(item)] * int(length)) if length else _Array(abi_type(item))
    if text.startswith("("):
        return arguments(parameter_types(text))
    if text in _TYPES:
        return _TYPES[text]
    if sized := re.fullmatch(r"(u?int|bytes)(\d+)", text):
        kind, size = sized[1], int(sized[2])
        return _fixed_bytes(size) if kind == "bytes" else _integer(size, signed=kind == "int")
    raise ValueError(f"{text!r} is not an ABI type")


def fits_topic(text: str) -> bool:
    """Tell whether an event's topic holds a value of the type itself; of others it holds the hash."""
    return isinstance(abi_type(text), _Word)


@lru_cache(maxsize=1024)
def arguments(types: tuple[str, ...]) -> _Sequenced:
    """Return the tuple of several types."""
    return _Sequenced([abi_type(text) for text in types])


@lru_cache(maxsize=1024)
def parameter_types(declaration: str) -> tuple[str, ...]:
    """Return the types of "name(a,(b,c)[],d)", or of a tuple without a name: what is between its outer commas."""
    text = declaration[declaration.index("(") + 1 : -1]
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return (*parts, text[start:]) if text else ()


def _number(value: int) -> bytes:
    return value.to_bytes(WORD, "big")


def _integer(bits: int, *, signed: bool) -> _Word:
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def write(value: object) -> bytes:
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{value!r} is not an integer")
        if not least <= value <= most:
            raise ValueError(f"{value} is not from {least} to {most}")
        return value.to_bytes(WORD, "big", signed=signed)

    return _Word(write, lambda word: int.from_bytes(word, "big", signed=signed))


def _fixed_bytes(size: int) -> _Word:
    def write(value: object) -> bytes:
        content = _write_bytes(value)
        if len(content) != size:  # a short hash filled up with zeros would be a different hash
            raise ValueError(f"must be exactly {size} bytes, not {len(content)}")
        return content.ljust(WORD, b"\0")

    return _Word(write, lambda word: word[:size])


def _write_bytes(value: object) -> bytes:
    if not isinstance(value, bytes | bytearray):
        raise TypeError(f"{value!r} is not bytes")
    return bytes(value)


def _write_text(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value.encode()


def _write_bool(value: object) -> bytes:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is not true or false")
    return _number(value)


def _write_address(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not an address")
    return bytes.fromhex(read_address(value)[2:]).rjust(WORD, b"\0")


_TYPES: dict[str, AbiType] = {
    "bool": _Word(_write_bool, lambda word: word[-1] == 1),
    "address": _Word(_write_address, lambda word: "0x" + word[-20:].hex()),
    "bytes": _Bytes(_write_bytes, bytes),
    "string": _Bytes(_write_text, bytes.decode),
}
