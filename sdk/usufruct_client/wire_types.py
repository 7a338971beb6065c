"""How JSON documents are read, written and described: the kinds of members, and what a document is.

Members are in camelCase. Amounts and other numbers up to 2**256 - 1 travel as decimal text, times and small numbers as
JSON integers, bytes as `0x` and hex. A document is a frozen dataclass; pydantic reads, writes and describes it.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, ErrorDetails, core_schema

from usufruct_client.identifiers import Address, Hash32, is_mistyped

_LONGEST_SHOWN = 80
_RULES = {
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "frozen_set_type": "a list",
    "dataclass_type": "an object",
    "string_too_short": "text that is not empty",
}
_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
_HASH = re.compile("0x[0-9a-fA-F]{64}")
_ASSET = re.compile("0x[0-9a-fA-F]{1,32}|0|[1-9][0-9]{0,38}")

_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}

Kind = TypeVar("Kind")
Refuse = Callable[[str, str], Exception]
"""Make the error for a message and the name of the member that is wrong."""


class _Codec(ABC):
    """How a member is read from JSON, written to JSON, and described."""

    schema: ClassVar[dict[str, Any]]

    @abstractmethod
    def read(self, value: Any) -> Any:
        """Return what `value` means.

        Raises:
            ValueError: names what it must be.
        """

    def write(self, value: Any) -> Any:
        """Return the JSON value."""
        return value

    def serialization(self) -> "core_schema.SerSchema | None":
        """Return how pydantic writes a value: as `write` does, or unchanged where that is not needed."""
        if type(self).write is _Codec.write:
            return None
        return core_schema.plain_serializer_function_ser_schema(self.write)

    def describe(self) -> dict[str, Any]:
        """Return the JSON schema."""
        return self.schema

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read, serialization=self.serialization())

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return self.describe()


@dataclass(frozen=True)
class DecimalText(_Codec):
    """A whole number of at most `bits` bits, as decimal text."""

    bits: int

    def read(self, value: Any) -> int:
        """Return the number."""
        text = value if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 78 else None
        if text is None or int(text) >> self.bits:
            raise ValueError(f"a whole number as text, from 0 to {(1 << self.bits) - 1}")
        return int(text)

    def serialization(self) -> "core_schema.SerSchema":
        """Return pydantic's own `str`: amounts are written in each call."""
        return core_schema.to_string_ser_schema(when_used="always")

    def describe(self) -> dict[str, Any]:
        """Return the JSON schema."""
        return {"type": "string", "pattern": "^[0-9]{1,78}$", "description": f"whole number, at most {self.bits} bits"}


@dataclass(frozen=True)
class Whole(_Codec):
    """A JSON integer from 0 to `most`."""

    most: int

    def read(self, value: Any) -> int:
        """Return the number."""
        if type(value) is not int or not 0 <= value <= self.most:
            raise ValueError(f"a whole number from 0 to {self.most}")
        return value

    def describe(self) -> dict[str, Any]:
        """Return the JSON schema."""
        return {"type": "integer", "minimum": 0, "maximum": self.most}


@dataclass(frozen=True)
class Hex(_Codec):
    """Bytes from `least` to `most` of them, as `0x` and hex."""

    least: int
    most: int

    def read(self, value: Any) -> bytes:
        """Return the bytes."""
        try:
            raw = bytes.fromhex(value[2:]) if isinstance(value, str) and value[:2] == "0x" else None
        except ValueError:
            raw = None
        if raw is None or not self.least <= len(raw) <= self.most:
            size = f"{self.most} bytes" if self.least == self.most else f"at most {self.most} bytes"
            raise ValueError(f"0x and hex digits, {size}")
        return raw

    def write(self, value: bytes) -> str:
        """Return the text."""
        return f"0x{value.hex()}"

    def describe(self) -> dict[str, Any]:
        """Return the JSON schema."""
        return {"type": "string", "pattern": f"^0x([0-9a-fA-F]{{2}}){{{self.least},{self.most}}}$"}


class AssetHex(_Codec):
    """The id of an asset, 128 bits, as `0x` and 32 hex digits; decimal text is read too."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^0x[0-9a-f]{32}$"}

    def read(self, value: Any) -> int:
        """Return the number."""
        known = isinstance(value, str) and _ASSET.fullmatch(value)
        number = int(value, 0) if known else -1
        if not 0 <= number < 1 << 128:
            raise ValueError("an asset's id: 0x and 32 hex digits")
        return number

    def write(self, value: int) -> str:
        """Return the text."""
        return f"0x{value:032x}"


class Names(_Codec):
    """A set of names, as a list."""

    schema: ClassVar[dict[str, Any]] = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}

    def read(self, value: Any) -> frozenset[str]:
        """Return the set."""
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ValueError("a list of texts")
        return frozenset(value)

    def write(self, value: frozenset[str]) -> list[str]:
        """Return the names, sorted."""
        return sorted(value)


def _address(value: Any) -> str:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise ValueError("an address: 0x and 40 hex digits")
    if is_mistyped(value):
        raise ValueError("an address whose checksum holds (a character of it is wrong; copy it again)")
    return value.lower()


def _hash32(value: Any) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise ValueError("0x and 64 hex digits")
    return value.lower()


Uint256 = Annotated[int, DecimalText(256)]
Uint128 = Annotated[int, DecimalText(128)]
Uint64 = Annotated[int, DecimalText(64)]
Count = Annotated[int, Whole((1 << 53) - 1)]
Seconds = Annotated[int, Whole((1 << 40) - 1)]
"""A time since 1970, or how long something takes."""

Signature = Annotated[bytes, Hex(65, 65)]
WalletSignature = Annotated[bytes, Hex(0, 4_096)]
"""Of an account, or of a contract wallet, whose signatures are longer."""

AddressText = Annotated[
    Address, BeforeValidator(_address), WithJsonSchema({"type": "string", "pattern": f"^{_ADDRESS.pattern}$"})
]
HashText = Annotated[
    Hash32, BeforeValidator(_hash32), WithJsonSchema({"type": "string", "pattern": f"^{_HASH.pattern}$"})
]


def adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what reads, writes and describes a kind of document; it is made when it is first used."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def read(kind: type[Kind], content: object, refuse: Refuse, within: str = "") -> Kind:
    """Read a document from parsed JSON, which is the member `within` of a larger one, or the whole.

    Raises:
        Exception: what `refuse` makes of the first fault.
    """
    try:
        document: Kind = adapter(kind).validate_python(content)
    except ValidationError as error:
        message, name = _fault(error.errors(include_url=False)[0], within, kind)
        raise refuse(message, name) from None
    return document


def _fault(fault: ErrorDetails, within: str, kind: Any) -> tuple[str, str]:
    name = ".".join(str(part)[:_LONGEST_SHOWN] for part in ((within,) if within else ()) + fault["loc"])
    named = name or "the document"
    if fault["type"] == "missing":
        return f"{named} is missing", name
    if fault["type"] == "unexpected_keyword_argument":
        known = ", ".join(adapter(kind).json_schema().get("properties", {}))
        return f"{named} is not known here; leave it out (known: {known})", name
    reason = fault.get("ctx", {}).get("error")
    rule = _RULES.get(fault["type"]) or (str(reason) if reason else fault["msg"].removeprefix("Input should be "))
    shown = repr(fault["input"])
    return f"{named} must be {rule}, not {shown[:_LONGEST_SHOWN]}{'...' * (len(shown) > _LONGEST_SHOWN)}", name


class Document:
    """A JSON object; members that are not known are left alone."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(alias_generator=to_camel, extra="ignore")

    def as_json(self) -> dict[str, Any]:
        """Return the document as it travels; `read` reads it."""
        written: dict[str, Any] = adapter(type(self)).dump_python(self, mode="json", by_alias=True)
        return written


class Wish(Document):
    """A JSON object that asks for something: members that are not known are refused."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(alias_generator=to_camel, extra="forbid")


class Plain(Document):
    """A JSON object whose members are written with underscores, as OpenAI's are."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="ignore")
