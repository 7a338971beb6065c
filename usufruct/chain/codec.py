"""Contract ABI encoding: Python values to words and back.

Structs are frozen dataclasses and travel as tuples; everything else is what eth-abi takes. Stricter than eth-abi in one
place: `bytesN` must be exactly N bytes, because a short hash padded with zeros is a different hash.
"""

from collections.abc import Sequence
from dataclasses import fields
from enum import IntEnum
from typing import Any, Never

from eth_abi.codec import ABICodec
from eth_abi.encoding import BytesEncoder
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.registry import ABIRegistry, BaseEquals, registry

from usufruct.core import Invalid, Unavailable

Values = tuple[Any, ...]
"""Decoded ABI values: int, str, bytes, bool and tuples of these."""


class InvalidArgument(Invalid):
    """A value does not fit the type of the contract's argument."""

    code = "invalid_argument"


class UnreadableAnswer(Unavailable):
    """Bytes from the chain are not what the contract's ABI promises."""

    code = "unreadable_answer"


class NoAnswer(UnreadableAnswer):
    """A call returned nothing: at that block there was no contract at the address."""


class Struct:
    """Base of generated structs; subclasses are frozen dataclasses whose fields stand in ABI order."""

    __slots__ = ()


class Choice(IntEnum):
    """Base of generated enums: a number that names no member is an unreadable answer."""

    @classmethod
    def _missing_(cls, value: object) -> Never:
        raise UnreadableAnswer(f"{value!r} is not a {cls.__name__}; is the right contract at this address?")


class _ExactBytesEncoder(BytesEncoder):
    def validate_value(self, value: object) -> None:
        super().validate_value(value)  # type: ignore[no-untyped-call]
        bits: int = self.value_bit_size  # type: ignore[assignment]
        if isinstance(value, bytes) and len(value) * 8 != bits:
            self.invalidate_value(value, msg=f"must be exactly {bits // 8} bytes")


def _strict_codec() -> ABICodec:
    strict: ABIRegistry = registry.copy()  # type: ignore[no-untyped-call]
    strict.unregister_encoder("bytes<M>")
    fixed_bytes = BaseEquals("bytes", with_sub=True)  # type: ignore[no-untyped-call]
    strict.register_encoder(fixed_bytes, _ExactBytesEncoder, label="bytes<M>")
    return ABICodec(strict)


_CODEC = _strict_codec()


def _plain(value: object) -> object:
    if isinstance(value, Struct):
        return tuple(_plain(getattr(value, field.name)) for field in fields(value))  # type: ignore[arg-type]
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    return value


def encode(types: Sequence[str], values: Sequence[object]) -> bytes:
    """Encode `values` as ABI `types`.

    Raises:
        InvalidArgument: when a value does not fit its type; names the types.
    """
    try:
        return _CODEC.encode(types, [_plain(value) for value in values])
    except (EncodingError, TypeError, ValueError) as error:
        raise InvalidArgument(f"arguments do not fit ({','.join(types)}): {error}") from error


def decode(types: Sequence[str], data: bytes) -> Values:
    """Decode `data` as ABI `types`.

    Raises:
        NoAnswer: when there are no bytes.
        UnreadableAnswer: when they are too short or malformed; names the types.
    """
    if types and not data:
        raise NoAnswer(f"there is no ({','.join(types)}) in an empty answer; is there a contract at this address?")
    try:
        return _CODEC.decode(types, data)
    except (DecodingError, ValueError, OverflowError) as error:
        raise UnreadableAnswer(
            f"{len(data)} bytes are not ({','.join(types)}); is the right contract at this address?"
        ) from error
