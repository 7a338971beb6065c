"""Solidity names in Python.

`camelCase` becomes `snake_case`; underscores around a name and `$` go; a name that Python or the generated code itself
needs gets a trailing underscore.

Overloads: the one with the fewest arguments (then the first by signature) keeps the name; each other one adds the names
of the arguments that the first does not have, and where that is not unique, its argument types: `collect(token)`,
`collect_to(token, to)`.
"""

import keyword
import re
from collections.abc import Callable, Iterable, Sequence

from usufruct.chain.generate.artifact import Json
from usufruct.chain.generate.shapes import canonical

_LOCAL = frozenset({"self", "cls", "raw", "int", "str", "bytes", "bool", "tuple", "classmethod"})
"""Names the generated methods use themselves."""

PARAMETERS = _LOCAL
PAYABLE_PARAMETERS = _LOCAL | {"value"}
METHODS = _LOCAL | {"address", "at_block", "decode_log", "deploy", "receive", "fallback"}
FIELDS = _LOCAL | {"from_abi", "decode"}
ERROR_FIELDS = FIELDS | {"add_note", "args", "as_json", "code", "details", "message", "status", "with_traceback"}

CLASSES = frozenset(
    {
        "Address",
        "Any",
        "Artifact",
        "AssetId",
        "Call",
        "Choice",
        "ClassVar",
        "Contract",
        "Creation",
        "Event",
        "False",
        "Hash32",
        "Log",
        "None",
        "Panic",
        "Path",
        "Reason",
        "Revert",
        "Self",
        "Sequence",
        "Struct",
        "True",
        "UnknownRevert",
        "Values",
    }
)
"""Class names the generated modules import."""


def snake(name: str) -> str:
    """Return `name` in snake_case, digits kept with the word before them."""
    plain = name.replace("$", "_").strip("_")
    parts = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", plain)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", parts).lower()


def camel(name: str) -> str:
    """Return `name` as a class name."""
    plain = name.replace("$", "_").strip("_")
    return plain[:1].upper() + plain[1:]


def safe(name: str, reserved: Iterable[str]) -> str:
    """Return `name`, with a trailing underscore when Python or `reserved` needs it."""
    return f"{name}_" if keyword.iskeyword(name) or name in reserved else name


def arguments(parameters: Sequence[Json], reserved: Iterable[str], unnamed: str = "arg") -> list[str]:
    """Return distinct Python names for ABI parameters; one without a name gets `unnamed` and its position."""
    names: list[str] = []
    for position, parameter in enumerate(parameters):
        plain = snake(parameter["name"])
        if not plain or plain[0].isdigit():
            plain = f"{unnamed}{position}"
        name = safe(plain, reserved)
        while name in names:
            name += "_"
        names.append(name)
    return names


def _types(item: Json) -> list[str]:
    return [canonical(parameter) for parameter in item["inputs"]]


def _type_words(item: Json) -> list[str]:
    return [re.sub(r"\W+", "_", kind).strip("_") for kind in _types(item)]


def signature(item: Json) -> str:
    """Return the canonical signature of a function, event or error, such as `transfer(address,uint256)`."""
    return f"{item['name']}({','.join(_types(item))})"


def _join(base: str, words: Sequence[str], *, as_class: bool) -> str:
    if as_class:
        return base + "".join(camel(word) for word in words)
    return "_".join([base, *(snake(word) for word in words)])


def distinct(items: Sequence[Json], base: Callable[[Json], str], *, as_class: bool) -> list[tuple[str, Json]]:
    """Name overloads apart; returns (name, item), sorted by name of the group, then by number of arguments."""
    groups: dict[str, list[Json]] = {}
    for item in items:
        groups.setdefault(base(item), []).append(item)
    named: list[tuple[str, Json]] = []
    taken = set(groups)
    for name in sorted(groups):
        first, *others = sorted(groups[name], key=lambda item: (len(item["inputs"]), signature(item)))
        named.append((name, first))
        known = {parameter["name"] for parameter in first["inputs"]}
        for item in others:
            words = [p["name"] for p in item["inputs"] if p["name"] and p["name"] not in known]
            chosen = _join(name, words, as_class=as_class)
            if not words or chosen in taken:
                chosen = _join(name, _type_words(item), as_class=as_class)
            taken.add(chosen)
            named.append((chosen, item))
    return named
