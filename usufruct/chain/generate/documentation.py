"""NatSpec, from where the compiler leaves it to docstrings of generated code.

What is written about functions is in the compiler's documentation output, the rest in the syntax tree.
"""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from usufruct.chain.generate.artifact import Compiled, definitions

_TAG = re.compile(r"@(notice|dev|param|return|title|author|inheritdoc|custom:[a-z-]+)\s")
_WIDTH = 116
_KEYS = {
    "EventDefinition": "eventSelector",
    "ErrorDefinition": "errorSelector",
    "StructDefinition": "canonicalName",
    "EnumDefinition": "canonicalName",
    "ContractDefinition": "canonicalName",
}


@dataclass(frozen=True, slots=True)
class Doc:
    """What was written about one function, event, error, struct or contract; empty where nothing was."""

    notice: str = ""
    dev: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    returns: Mapping[str, str] = field(default_factory=dict)


def parse(text: str) -> Doc:
    """Parse the text of a NatSpec comment; words before the first tag are the notice."""
    parts = _TAG.split(" " + " ".join(text.split()) + " ")
    single = {"notice": [parts[0]], "dev": []}
    params = {}
    for tag, words in zip(parts[1::2], parts[2::2], strict=True):
        if tag in single:
            single[tag].append(words)
        elif tag == "param":
            name, _, about = words.strip().partition(" ")
            params[name] = about
    return Doc(_line(" ".join(single["notice"])), _line(" ".join(single["dev"])), params)


def written_of_definitions(compiled: Compiled) -> dict[str, Doc]:
    """Return what is written about events and errors, by selector, and about types and contracts, by name."""
    found: dict[str, Doc] = {}
    for kind, key in _KEYS.items():
        for node in definitions(compiled, kind):
            if text := node.get("documentation"):
                found.setdefault(node[key], parse(text["text"]))
    return found


def written_of_function(compiled: Compiled, signature: str) -> Doc:
    """Return what is written about a function or getter, inherited documentation included."""
    output = compiled.metadata["output"]
    user = output["userdoc"].get("methods", {}).get(signature, {})
    dev = output["devdoc"].get("methods", {}).get(signature, {})
    variable = output["devdoc"].get("stateVariables", {}).get(signature.partition("(")[0], {})
    merged = {key: dev.get(key) or variable.get(key) or {} for key in ("params", "returns")}
    return Doc(user.get("notice", ""), dev.get("details") or variable.get("details") or "", **merged)


def docstring(
    doc: Doc, indent: int, arguments: Sequence[tuple[str, str]] = (), results: Sequence[tuple[str, str]] = ()
) -> list[str]:
    """Write the lines of a docstring: notice, details, arguments and results as (Python name, words); maybe none."""
    paragraphs = [_wrapped(_sentence(text), indent) for text in (doc.notice, doc.dev) if text]
    paragraphs += _section("Args", arguments, indent) + _section("Returns", results, indent)
    text = "\n\n".join("\n".join(lines) for lines in paragraphs)
    end = "\n" if "\n" in text or text.endswith('"') else ""
    return textwrap.indent(f'"""{text}{end}"""', " " * indent).splitlines() if text else []


def _line(text: str) -> str:
    return " ".join(text.split())


def _sentence(text: str) -> str:
    plain = _line(text).replace("\\", "\\\\").replace('"""', "'''")
    return plain[:1].upper() + plain[1:]


def _wrapped(text: str, indent: int, hang: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH - indent, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)


def _section(title: str, entries: Sequence[tuple[str, str]], indent: int) -> list[list[str]]:
    lines = []
    for name, about in entries:
        if about:
            text = f"{name}: {_sentence(about)}" if name else _sentence(about)
            lines += ["    " + line for line in _wrapped(text, indent + 4, "    ")]
    return [[f"{title}:", *lines]] if lines else []
