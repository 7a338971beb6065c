"""Docstrings of generated code, from NatSpec."""

import textwrap
from collections.abc import Sequence

from usufruct.chain.generate.natspec import Doc

_WIDTH = 116


def _sentence(text: str) -> str:
    plain = " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")
    return plain[:1].upper() + plain[1:]


def _wrapped(text: str, indent: int, hang: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH - indent, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)


def _section(title: str, entries: Sequence[tuple[str, str]], indent: int) -> list[str]:
    written = [(name, _sentence(about)) for name, about in entries if about]
    if not written:
        return []
    lines = [f"{title}:"]
    for name, about in written:
        lines += ["    " + line for line in _wrapped(f"{name}: {about}" if name else about, indent + 4, "    ")]
    return ["", *lines]


def docstring(
    doc: Doc,
    declaration: str,
    indent: int,
    arguments: Sequence[tuple[str, str]] = (),
    results: Sequence[tuple[str, str]] = (),
) -> str:
    """Write an indented docstring: notice, details, arguments and results as (Python name, words), the Solidity."""
    lines: list[str] = []
    for text in (doc.notice, doc.dev):
        lines += ["", *_wrapped(_sentence(text), indent)] if text else []
    lines += _section("Args", arguments, indent)
    lines += _section("Returns", results, indent)
    lines += ["", f"Solidity: `{declaration}`"] if declaration else []
    pad = " " * indent
    body = "\n".join(f"{pad}{line}" if line else "" for line in lines[1:]).strip()
    several = len(lines) > 2 or body.endswith('"')
    return f'{pad}"""{body}\n{pad}"""' if several else f'{pad}"""{body}"""'
