"""Markdown files, cut into passages that can be quoted with their file and heading."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKDOWN = MarkdownIt("commonmark").enable("table")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9`\"'(*])")


class NoDocuments(Exception):
    """There is nothing to answer from."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The prose under one heading: its file, the file's title, the heading, and its sentences."""

    file: str
    title: str
    heading: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """The sentences as one paragraph."""
        return " ".join(self.sentences)


def markdown_files(paths: Iterable[Path]) -> dict[str, str]:
    """Read all `.md` files at or under `paths`; returns name to text, sorted by name.

    Raises:
        NoDocuments: when a path is missing, or no file has text.
    """
    texts: dict[str, str] = {}
    for path in paths:
        if not path.exists():
            raise NoDocuments(f"--docs names {path.name}, which does not exist; give a Markdown file or a folder")
        for file in sorted(path.rglob("*.md")) if path.is_dir() else [path]:
            name = file.relative_to(path).as_posix() if path.is_dir() else file.name
            texts[name if name not in texts else f"{path.name}/{name}"] = file.read_text("utf-8", "replace")
    if not any(text.strip() for text in texts.values()):
        raise NoDocuments("--docs names no Markdown file with text in it; give a file or a folder that has some")
    return dict(sorted(texts.items()))


def passages_of(name: str, text: str) -> Iterator[Passage]:
    """Cut a Markdown text into passages, one for each heading with prose under it; code is left out."""
    title, heading = "", name
    found: list[str] = []
    for kind, block in [*_blocks(_MARKDOWN.parse(text)), ("heading", "")]:
        if kind != "heading":
            found += sentences(block)
            continue
        if found:
            yield Passage(name, title or name, heading, tuple(found))
        title, heading, found = title or block, block, []


def _blocks(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Yield headings, paragraphs and rows of tables as plain text."""
    cells: list[str] = []
    for before, token in pairwise(tokens):
        if token.type == "inline" and before.type in ("td_open", "th_open"):
            cells.append(_plain(token))
        elif token.type == "inline":
            yield before.type.removesuffix("_open"), _plain(token)
        elif token.type == "tr_close":
            yield "row", ", ".join(cells)
            cells = []


def _plain(inline: Token) -> str:
    return "".join(" " if part.type.endswith("break") else part.content for part in inline.children or ())


def sentences(text: str) -> list[str]:
    """Cut a paragraph into sentences; whitespace becomes single spaces."""
    return [sentence for sentence in _SENTENCE_END.split(" ".join(text.split())) if sentence]
