"""Defaults in JSON schemas: each is written as the wire writes it, and read back as the value that it stands for."""

from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from usufruct.web import Operation
from usufruct.web.openapi import openapi_document
from usufruct_client.wire_types import AddressText, AssetHex, Document, Names, Uint256, Wish, hex_bytes


class Inner(Wish):
    amount: Uint256 = 10**30
    raw: Annotated[bytes, hex_bytes(0, 8)] = b"\xff\x01"
    asset_id: AssetHex = 5


class Outer(Wish):
    inner: Inner = Inner(amount=3)
    again: Inner | None = None
    amounts: tuple[Uint256, ...] = (1, 2)
    names: Names = frozenset({"b", "a"})
    place: AddressText = "0x" + "ab" * 20
    flag: bool = True


def schemas_of(*kinds: Any) -> dict[str, Any]:
    routes = [("POST", f"/{number}", Operation("x", body=kind)) for number, kind in enumerate(kinds)]
    found: dict[str, Any] = openapi_document(routes, "test", "1")["components"]["schemas"]
    return found


def documents(of: type = Document) -> Iterator[type]:
    """Return every kind of document, but those that need another kind to be whole."""
    for each in of.__subclasses__():
        if each.__module__.startswith("usufruct") and not getattr(each, "__parameters__", ()):
            yield each
        yield from documents(each)


def described_name(kind: Any, member: str, hint: Any) -> tuple[str, Any]:
    """Return a member's name in JSON, empty for one that lies deeper, and its kind without that name."""
    of, *notes = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    given = [each.validation_alias for each in notes if getattr(each, "validation_alias", None)]
    kept = [each for each in notes if not getattr(each, "validation_alias", None)]
    bare = Annotated[of, *kept] if kept else of
    if given:
        return given[0] if isinstance(given[0], str) else "", bare
    return kind.__pydantic_config__.get("alias_generator", str)(member), bare


def test_a_default_is_written_as_it_travels():
    schemas = schemas_of(Outer, Inner)
    inner = {name: each["default"] for name, each in schemas["Inner"]["properties"].items()}
    assert inner == {"amount": str(10**30), "raw": "0xff01", "assetId": f"0x{5:032x}"}
    assert {name: each["default"] for name, each in schemas["Outer"]["properties"].items()} == {
        "inner": {**inner, "amount": "3"},
        "again": None,
        "amounts": ["1", "2"],
        "names": ["a", "b"],
        "place": "0x" + "ab" * 20,
        "flag": True,
    }


@pytest.mark.parametrize("kind", sorted(set(documents()), key=lambda kind: f"{kind.__module__}.{kind.__qualname__}"))
def test_each_default_is_valid_and_read_as_the_value_that_it_stands_for(kind):
    schemas = schemas_of(kind)
    [described] = [each for name, each in schemas.items() if name.rpartition("__")[2] == kind.__name__]
    hints = get_type_hints(kind, include_extras=True)
    for each in fields(kind):
        name, bare = described_name(kind, each.name, hints[each.name])
        if each.default is MISSING or not name:
            continue
        member = described["properties"][name]
        Draft202012Validator({"components": {"schemas": schemas}, **member}).validate(member["default"])
        assert TypeAdapter(bare).validate_python(member["default"]) == each.default, name
