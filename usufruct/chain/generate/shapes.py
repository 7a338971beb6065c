"""ABI types in Python: how a value of each is annotated."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from usufruct.chain.generate.artifact import Json

DISTINCT = ("AssetId",)
"""Solidity value types that are types of their own in `usufruct.core`; others are plain numbers or bytes."""

_PLAIN = {"address": "Address", "bool": "bool", "string": "str"}


def canonical(parameter: Json) -> str:
    """Return the ABI type with tuples spelt out, as signatures want it."""
    kind: str = parameter["type"]
    return tuple_type(parameter["components"]) + kind.removeprefix("tuple") if kind.startswith("tuple") else kind


def tuple_type(parameters: Sequence[Json]) -> str:
    """Return the type of several parameters together, such as `(address,uint256)`."""
    return f"({','.join(map(canonical, parameters))})"


def declared(parameter: Json) -> tuple[str, str]:
    """Return what the source calls the innermost type: ("struct", "ITill.Split"), ("enum", ...), ("type", ...)."""
    source: str = parameter.get("internalType") or parameter["type"]
    word, _, name = source.partition("[")[0].rpartition(" ")
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

    def taken(self, parameter: Json) -> str:
        """Return the annotation of an argument: any sequence does for an array."""
        return self._annotation(parameter, "Sequence[{}]")

    def given(self, parameter: Json) -> str:
        """Return the annotation of a result or field: arrays are tuples."""
        return self._annotation(parameter, "tuple[{}, ...]")

    def _annotation(self, parameter: Json, array: str) -> str:
        base, *dimensions = parameter["type"].split("[")
        _, name = declared(parameter)
        plain = _PLAIN.get(base) or ("int" if re.match(r"u?int", base) else "bytes")
        last_word = name.rpartition(".")[2]
        annotation = self.classes.get(name) or (last_word if last_word in DISTINCT else plain)
        for _ in dimensions:
            annotation = array.format(annotation)
        return annotation
