"""Structs, enums and errors: which a contract's ABI mentions, and where each one's class belongs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from usufruct.chain.generate import names
from usufruct.chain.generate.artifact import ArtifactUnusable, Compiled, Json, definitions
from usufruct.chain.generate.shapes import declared, walk
from usufruct.chain.hashing import selector

SHARED = "shared"
"""The module of what several contracts mention, or what comes from a library."""

_OURS = "src/"


@dataclass(frozen=True, slots=True)
class Definition:
    """A struct, enum or error of the sources; the key of an error is its selector, of the others its canonical name."""

    kind: str
    key: str
    name: str
    item: Json
    """ABI parameter of a struct, ABI entry of an error, syntax-tree node of an enum."""


def mentioned(compiled: Compiled) -> Iterator[Definition]:
    """Yield what the ABI of a contract mentions, the members of a struct before the struct."""
    enums = {node["canonicalName"]: node for node in definitions(compiled, "EnumDefinition")}
    parameters = [p for item in compiled.abi for p in (*item.get("inputs", ()), *item.get("outputs", ()))]
    for parameter in walk(parameters):
        kind, name = declared(parameter)
        if kind == "struct":
            yield Definition(kind, name, name.rpartition(".")[2], parameter)
        elif kind == "enum" and name in enums:
            yield Definition(kind, name, name.rpartition(".")[2], enums[name])
    for item in compiled.abi:
        if item["type"] == "error":
            yield Definition("error", selector(names.signature(item)).hex(), item["name"], item)


def homes(bound: Mapping[str, Compiled]) -> dict[str, dict[str, Definition]]:
    """Sort the definitions of all contracts by the module they belong to.

    One of ours that one contract mentions belongs to that contract, all others to `SHARED`.

    Raises:
        ArtifactUnusable: when two different structs share their name.
    """
    found: dict[str, Definition] = {}
    home: dict[str, str] = {}
    for module, compiled in bound.items():
        libraries = _of_libraries(compiled)
        for each in mentioned(compiled):
            known = found.setdefault(each.key, each)
            if each.kind == "struct" and known.item["components"] != each.item["components"]:
                raise ArtifactUnusable(f"two structs are called {each.key}; rename one", name=each.key)
            if each.key in libraries or home.setdefault(each.key, module) != module:
                home[each.key] = SHARED
    return {module: {key: each for key, each in found.items() if home[key] == module} for module in (SHARED, *bound)}


def _of_libraries(compiled: Compiled) -> set[str]:
    return {
        node.get("errorSelector") or node["canonicalName"]
        for kind in ("StructDefinition", "EnumDefinition", "ErrorDefinition")
        for node in definitions(compiled, kind, outside=_OURS)
    }
