"""How JSON documents are read, written and described: the kinds of members, and what a document is.

Members are in camelCase. Amounts and other numbers up to 2**256 - 1 travel as decimal text, times and small numbers as
JSON integers, bytes as `0x` and hex. A document is a frozen dataclass; pydantic reads, writes and describes it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, TypeVar, dataclass_transform

from pydantic import ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StrictStr, TypeAdapter
from pydantic import ValidationError as Faults
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, ErrorDetails
from pydantic_core.core_schema import (
    SerSchema,
    no_info_plain_validator_function,
    plain_serializer_function_ser_schema,
    to_string_ser_schema,
)

from usufruct_client.errors import BadAnswer
from usufruct_client.identifiers import Address, Hash32, is_mistyped

_LONGEST_SHOWN = 80
_RULES = {
    "json_invalid": "JSON",
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "string_pattern_mismatch": "text that matches {pattern}",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object",
    "dataclass_type": "an object",
}
_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
_HASH = re.compile("0x[0-9a-fA-F]{64}")
_ASSET = re.compile("0x[0-9a-fA-F]{1,32}|0|[1-9][0-9]{0,38}")
_DECIMAL = re.compile("-?[0-9]{1,60}(?:[.][0-9]{1,20})?")
_PLAN = re.compile("0x[0-9a-fA-F]{33,64}")

_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}

Kind = TypeVar("Kind")
Refuse = Callable[[str, str], Exception]
"""Make the error for a message and the name of the member that is wrong."""


@dataclass(frozen=True, eq=False)
class Codec:
    """How a member is read from JSON, described, and written to JSON (unchanged where `written` is None).

    `read` raises ValueError with what the value must be.
    """

    read: Callable[[Any], Any]
    schema: Mapping[str, Any]
    written: "SerSchema | None" = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_plain_validator_function(self.read, serialization=self.written)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(self.schema)


def decimal_text(bits: int) -> Codec:
    """Return the codec of a whole number of at most `bits` bits, as decimal text."""

    def read(value: Any) -> int:
        text = value if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 78 else None
        if text is None or int(text) >> bits:
            raise ValueError(f"a whole number as text, from 0 to {(1 << bits) - 1}")
        return int(text)

    schema = {"type": "string", "pattern": "^[0-9]{1,78}$", "description": f"whole number, at most {bits} bits"}
    return Codec(read, schema, to_string_ser_schema(when_used="always"))


def whole(most: int) -> Codec:
    """Return the codec of a JSON integer from 0 to `most`."""

    def read(value: Any) -> int:
        if type(value) is not int or not 0 <= value <= most:
            raise ValueError(f"a whole number from 0 to {most}")
        return value

    return Codec(read, {"type": "integer", "minimum": 0, "maximum": most})


def hex_bytes(least: int, most: int) -> Codec:
    """Return the codec of `least` to `most` bytes, as `0x` and hex."""

    def read(value: Any) -> bytes:
        try:
            raw = bytes.fromhex(value[2:]) if isinstance(value, str) and value[:2] == "0x" else None
        except ValueError:
            raw = None
        if raw is None or not least <= len(raw) <= most or len(value) != 2 + 2 * len(raw):  # `fromhex` takes spaces
            size = f"{most} bytes" if least == most else f"at most {most} bytes"
            raise ValueError(f"0x and hex digits, {size}")
        return raw

    schema = {"type": "string", "pattern": f"^0x([0-9a-fA-F]{{2}}){{{least},{most}}}$"}
    return Codec(read, schema, plain_serializer_function_ser_schema(lambda raw: f"0x{raw.hex()}"))


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


def _asset(value: Any) -> int:
    number = int(value, 0) if isinstance(value, str) and _ASSET.fullmatch(value) else -1
    if not 0 <= number < 1 << 128:
        raise ValueError("an asset's id: 0x and 32 hex digits")
    return number


def _plan(value: Any) -> int:
    if not isinstance(value, str) or not _PLAN.fullmatch(value):
        raise ValueError("a plan's id: 0x and 64 hex digits")
    return int(value, 16)


def _names(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("a list of texts")
    return frozenset(value)


def _number_text(value: Any) -> float:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError("a decimal number as text")
    return float(value)


Uint256 = Annotated[int, decimal_text(256)]
Uint128 = Annotated[int, decimal_text(128)]
Uint64 = Annotated[int, decimal_text(64)]
Count = Annotated[int, whole((1 << 53) - 1)]
Decimals = Annotated[int, whole(77)]
Seconds = Annotated[int, whole((1 << 40) - 1)]
"""A time since 1970, or how long something takes."""
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
NumberText = Annotated[
    float,
    Codec(
        _number_text,
        {"type": "string", "pattern": f"^{_DECIMAL.pattern}$"},
        plain_serializer_function_ser_schema(lambda number: f"{number:.2f}"),
    ),
]
"""A number that travels as decimal text, with two digits after the point."""

Text = Annotated[StrictStr, Field(min_length=1)]
Signature = Annotated[bytes, hex_bytes(65, 65)]
Mark = Annotated[bytes, hex_bytes(16, 16)]
ShortBytes = Annotated[bytes, hex_bytes(1, 4_096)]
WalletSignature = Annotated[bytes, hex_bytes(0, 4_096)]
"""Of an account, or of a contract wallet, whose signatures are longer."""

AddressText = Annotated[Address, Codec(_address, {"type": "string", "pattern": f"^{_ADDRESS.pattern}$"})]
HashText = Annotated[Hash32, Codec(_hash32, {"type": "string", "pattern": f"^{_HASH.pattern}$"})]
AssetHex = Annotated[
    int,
    Codec(
        _asset,
        {"type": "string", "pattern": "^0x[0-9a-f]{32}$"},
        plain_serializer_function_ser_schema(lambda number: f"0x{number:032x}"),
    ),
]
"""The id of an asset, 128 bits, as `0x` and 32 hex digits; decimal text is read too."""

PlanHex = Annotated[
    int,
    Codec(
        _plan,
        {"type": "string", "pattern": "^0x[0-9a-f]{64}$"},
        plain_serializer_function_ser_schema(lambda number: f"0x{number:064x}"),
    ),
]
"""The id of a plan of pass credits, 256 bits, as `0x` and 64 hex digits; its upper half is its asset's id."""

Names = Annotated[
    frozenset[str],
    Codec(
        _names,
        {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        plain_serializer_function_ser_schema(sorted),
    ),
]
"""A set of names, as a sorted list."""


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
    except Faults as error:
        message, name = _fault(error.errors(include_url=False)[0], within, kind)
        raise refuse(message, name) from None
    return document


def read_answer(kind: type[Kind], content: object, within: str = "") -> Kind:
    """Read a document that a gateway wrote, as `read`.

    Raises:
        BadAnswer: names the member that is missing or malformed.
    """
    return read(kind, content, lambda message, name: BadAnswer(message, member=name), within)


def read_answer_text(kind: Any, content: bytes, within: str = "") -> Any:
    """Read a document from the JSON text that a gateway wrote; much faster than `read_answer` for many rows.

    Raises:
        BadAnswer: names the member that is missing or malformed.
    """
    try:
        return adapter(kind).validate_json(content)
    except Faults as error:
        message, name = _fault(error.errors(include_url=False)[0], within, kind)
        raise BadAnswer(message, member=name) from None


def _fault(fault: ErrorDetails, within: str, kind: Any) -> tuple[str, str]:
    name = ".".join(str(part)[:_LONGEST_SHOWN] for part in ((within,) if within else ()) + fault["loc"])
    named = name or "the document"
    if fault["type"] == "missing":
        return f"{named} is missing", name
    if fault["type"] == "unexpected_keyword_argument":
        known = ", ".join(adapter(kind).json_schema().get("properties", {}))
        return f"{named} is not known here; leave it out (known: {known})", name
    context = fault.get("ctx", {})
    rule = _RULES.get(fault["type"], "").format_map(context) or str(
        context.get("error") or fault["msg"].removeprefix("Input should be ")
    )
    shown = repr(fault["input"])
    return f"{named} must be {rule}, not {shown[:_LONGEST_SHOWN]}{'...' * (len(shown) > _LONGEST_SHOWN)}", name


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Document:
    """A JSON object; members that are not known are left alone. Each kind of document is a frozen dataclass."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(alias_generator=to_camel, extra="ignore")

    def __init_subclass__(cls) -> None:
        """Make the dataclass."""
        super().__init_subclass__()  # generic documents need `Generic`'s own
        dataclass(frozen=True)(cls)

    def as_json(self) -> dict[str, Any]:
        """Return the document as it travels; `read` reads it."""
        written: dict[str, Any] = adapter(type(self)).dump_python(self, mode="json", by_alias=True)
        return written


class Wish(Document):
    """A JSON object that asks for something: members that are not known are refused."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(alias_generator=to_camel, extra="forbid")


class Plain(Document):
    """A JSON object whose members are written with underscores, as OpenAI's are."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="ignore")
