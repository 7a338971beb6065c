"""ABI types in Python: how a value is annotated, written to the ABI, and made from decoded words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from usufruct.chain.generate.artifact import Json

DISTINCT = ("AssetId",)
"""Solidity value types that are types of their own in `usufruct.core`; others are plain numbers or bytes."""


def _dimensions(kind: str) -> list[str]:
    return re.findall(r"\[\d*\]", kind)


def _base(kind: str) -> str:
    return kind.partition("[")[0]


def canonical(parameter: Json) -> str:
    """Return the ABI type with tuples spelt out, as signatures and eth-abi want it."""
    kind: str = parameter["type"]
    if _base(kind) != "tuple":
        return kind
    return f"({','.join(canonical(c) for c in parameter['components'])}){kind.removeprefix('tuple')}"


def declared(parameter: Json) -> tuple[str, str]:
    """Return what the source calls the innermost type: ("struct", "ITill.Split"), ("enum", ...), ("type", ...)."""
    source: str = parameter.get("internalType") or parameter["type"]
    word, _, name = _base(source).rpartition(" ")
    return (word if word in {"struct", "enum"} else "type"), name


def walk(parameters: Sequence[Json]) -> Iterator[Json]:
    """Yield parameters and, depth first, the members of those that are structs; members come before their struct."""
    for parameter in parameters:
        yield from walk(parameter.get("components", ()))
        yield parameter


@dataclass(frozen=True, slots=True)
class Shapes:
    """The translation; `classes` maps struct and enum names of the source to Python classes."""

    classes: Mapping[str, str]

    def _element(self, parameter: Json) -> tuple[str, str]:
        """Return the annotation of one element and the code that makes it from `{}`."""
        word, name = declared(parameter)
        kind = _base(parameter["type"])
        if word == "struct":
            return self.classes[name], f"{self.classes[name]}.from_abi({{}})"
        if word == "enum" and name in self.classes:
            return self.classes[name], f"{self.classes[name]}({{}})"
        if name.rpartition(".")[2] in DISTINCT:
            return name.rpartition(".")[2], f"{name.rpartition('.')[2]}({{}})"
        if kind == "address":
            return "Address", "Address({})"
        plain = {"bool": "bool", "string": "str"}.get(kind) or ("int" if re.match(r"u?int", kind) else "bytes")
        return plain, f"{plain}({{}})"

    def is_plain(self, parameter: Json) -> bool:
        """Tell whether a decoded value is the value already: no struct, no enum, no array of either."""
        return declared(parameter)[1] not in self.classes and not _dimensions(parameter["type"])

    def taken(self, parameter: Json) -> str:
        """Return the annotation of an argument: any sequence does for an array."""
        annotation = self._element(parameter)[0]
        for _ in _dimensions(parameter["type"]):
            annotation = f"Sequence[{annotation}]"
        return annotation

    def given(self, parameter: Json) -> str:
        """Return the annotation of a result or field: arrays are tuples."""
        annotation = self._element(parameter)[0]
        for _ in _dimensions(parameter["type"]):
            annotation = f"tuple[{annotation}, ...]"
        return annotation

    def made(self, parameter: Json, expression: str) -> str:
        """Return the code that makes the value from the decoded `expression`."""
        build = self._element(parameter)[1]
        for depth, _ in enumerate(_dimensions(parameter["type"])):
            item = f"item{depth}"
            build = f"tuple({build.format(item)} for {item} in {{}})"
        return build.format(expression)
