"""Contract ABI encoding: Python values to words and back.

Structs are frozen dataclasses and travel as tuples. `bytesN` must be exactly N bytes. Written here because eth-abi
loads pydantic and a parser (decision 0020); the tests hold it to eth-abi and to web3.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from typing import Any, Never, get_args, get_origin

from usufruct.chain.abi import Data, arguments
from usufruct.core import Invalid, Unavailable

__all__ = ["Choice", "NoAnswer", "Struct", "UnreadableAnswer", "decode", "encode", "typed"]


class UnreadableAnswer(Unavailable, code="unreadable_answer"):
    """Bytes from the chain are not what the contract's ABI promises."""


class NoAnswer(UnreadableAnswer):
    """A call returned nothing: at that block the address had no contract."""


class Struct:
    """Base of generated structs; subclasses are values with fields in ABI order."""

    __slots__ = ()


class Choice(IntEnum):
    """Base of generated enums: a number that names no member is an unreadable answer."""

    @classmethod
    def _missing_(cls, value: object) -> Never:
        raise UnreadableAnswer(f"{value!r} is not a {cls.__name__}; is the right contract at this address?")


def _plain(value: object) -> object:
    if isinstance(value, Struct):
        return tuple(_plain(getattr(value, field.name)) for field in fields(value))  # type: ignore[arg-type]
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    return value


def typed(kind: Any, value: Any) -> Any:
    """Make a value of an annotated type, such as `tuple[Split, ...]`, from decoded ABI values."""
    return _maker(kind)(value)


@cache
def _maker(kind: Any) -> Callable[[Any], Any]:
    if get_origin(kind) is tuple:
        item = _maker(get_args(kind)[0])
        return lambda values: tuple(map(item, values))
    if isinstance(kind, type) and is_dataclass(kind):
        kinds: list[Any] = [field.type for field in fields(kind)]
        parts = list(map(_maker, kinds))
        return lambda values: kind(*(part(value) for part, value in zip(parts, values, strict=True)))
    return kind if isinstance(kind, type) and issubclass(kind, Choice) else lambda value: value


def encode(types: Sequence[str], values: Sequence[object]) -> bytes:
    """Encode `values` as ABI `types`.

    Raises:
        Invalid: when a value does not fit its type; names the types.
    """
    try:
        return arguments(tuple(types)).encode([_plain(value) for value in values])
    except (Invalid, TypeError, ValueError) as error:
        raise Invalid(f"arguments do not fit ({','.join(types)}): {error}", code="invalid_argument") from error


def decode(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Decode `data` as ABI `types`: to int, str, bytes, bool and tuples of these.

    Raises:
        NoAnswer: when `data` is empty.
        UnreadableAnswer: when they are too short or malformed; names the types.
    """
    if types and not data:
        raise NoAnswer(f"there is no ({','.join(types)}) in an empty answer; is there a contract at this address?")
    try:
        return arguments(tuple(types)).decode(Data(data), 0)
    except ValueError as error:
        raise UnreadableAnswer(
            f"{len(data)} bytes are not ({','.join(types)}); is the right contract at this address?"
        ) from error
