"""Solidity names and types in Python.

`camelCase` becomes `snake_case`; underscores around a name and `$` go; a name that Python or the generated code itself
needs gets a trailing underscore.

Overloads: the function with the fewest arguments (then the first by signature) keeps the name; each other one adds the
names of the arguments that the first does not have, and where that is not unique, its argument types: `collect(token)`,
`collect_to(token, to)`. `VERSION()` and `version()`, which differ in case alone, are `version` and `version_`.
"""

import ast
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from usufruct.chain.generate.artifact import Json

DISTINCT = ("AssetId",)
"""Solidity value types that are types of their own in `usufruct.core`; others are plain numbers or bytes."""

_PLAIN = {"address": "Address", "bool": "bool", "string": "str"}

IMPORTS = """
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from usufruct.chain.contract_base import Artifact, Call, Contract, Creation, Event
from usufruct.chain.codec import Choice, Struct
from usufruct.chain.revert import Revert
from usufruct.core import Address, AssetId, value
"""
"""What generated modules import, before what a module does not need is left out."""

CLASSES = {
    *(alias.name for node in ast.parse(IMPORTS).body if isinstance(node, ast.ImportFrom) for alias in node.names),
    *("None", "Panic", "Reason", "UnknownRevert"),
}
"""Class names that no class of a generated module may have."""

PARAMETERS = frozenset({"self", "cls", "int", "str", "bytes", "bool", "tuple", "classmethod"})
"""Names that the generated code uses itself."""

PAYABLE_PARAMETERS = PARAMETERS | {"value"}
METHODS = PARAMETERS | {"address", "at_block", "decode_log", "deploy"}
FIELDS = PARAMETERS | {"among", "decode"}
ERROR_FIELDS = FIELDS | {"add_note", "args", "as_json", "code", "details", "message", "outward", "status"}
ERROR_FIELDS |= {"with_traceback"}


def snake(name: str) -> str:
    """Return `name` in snake_case, digits kept with the word before them."""
    plain = name.replace("$", "_").strip("_")
    parts = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", plain)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", parts).lower()


def class_name(name: str, taken: set[str]) -> str:
    """Return `name` as a class name, with trailing underscores while it is `taken`, which it joins."""
    plain = name.replace("$", "_").strip("_")
    python = plain[:1].upper() + plain[1:]
    while python in taken:
        python += "_"
    taken.add(python)
    return python


def safe(name: str, reserved: Iterable[str]) -> str:
    """Return `name`, with a trailing underscore when Python or `reserved` needs it."""
    return f"{name}_" if keyword.iskeyword(name) or name in reserved else name


def arguments(parameters: Sequence[Json], reserved: Iterable[str]) -> list[str]:
    """Return distinct Python names for ABI parameters; one without a name gets `arg` and its position."""
    names: list[str] = []
    for position, parameter in enumerate(parameters):
        plain = snake(parameter["name"])
        name = safe(plain if plain and not plain[0].isdigit() else f"arg{position}", reserved)
        while name in names:
            name += "_"
        names.append(name)
    return names


def signature(item: Json) -> str:
    """Return the canonical signature of a function, event or error, such as `transfer(address,uint256)`."""
    return f"{item['name']}{tuple_type(item['inputs'])}"


def methods(functions: Sequence[Json]) -> list[tuple[str, Json]]:
    """Name the methods of functions, overloads apart; returns (name, item), sorted by name, then by arguments."""
    groups: dict[str, list[Json]] = {}
    for item in functions:
        groups.setdefault(safe(snake(item["name"]), METHODS), []).append(item)
    named: list[tuple[str, Json]] = []
    taken = set(groups)
    for name in sorted(groups):
        first, *others = sorted(groups[name], key=lambda item: (len(item["inputs"]), signature(item)))
        named.append((name, first))
        known = {parameter["name"] for parameter in first["inputs"]}
        for item in others:
            words = [p["name"] for p in item["inputs"] if p["name"] and p["name"] not in known]
            chosen = "_".join([name, *map(snake, words)])
            if not words or chosen in taken:
                words = [re.sub(r"\W+", "_", canonical(p)).strip("_") for p in item["inputs"]]
                chosen = "_".join([name, *map(snake, words)])
            while chosen in taken:
                chosen += "_"
            taken.add(chosen)
            named.append((chosen, item))
    return named


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

    def annotation(self, parameter: Json, array: str = "tuple[{}, ...]") -> str:
        """Return the annotation of a result or field; of an argument, where any `array` of "Sequence[{}]" does."""
        base, *dimensions = parameter["type"].split("[")
        _, name = declared(parameter)
        plain = _PLAIN.get(base) or ("int" if re.match(r"u?int", base) else "bytes")
        last_word = name.rpartition(".")[2]
        annotation = self.classes.get(name) or (last_word if last_word in DISTINCT else plain)
        for _ in dimensions:
            annotation = array.format(annotation)
        return annotation
