"""Markdown files, cut into passages that can be quoted with their file and heading."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from usufruct.connectors.librarian.words import sentences
from usufruct.core import Invalid

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*")
_FENCE = re.compile(r"\s*(```|~~~)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+")
_MARKS = re.compile(r"\*\*|__|`|^>\s?", re.MULTILINE)
_TABLE_RULE = re.compile(r"\s*\|?[\s:|-]+\|?\s*")


class NoDocuments(Invalid):
    """There is nothing to answer from."""

    code = "no_documents"


@dataclass(frozen=True, slots=True)
class Passage:
    """What stands under one heading: its file, the file's title, the heading, and its sentences."""

    file: str
    title: str
    heading: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the sentences as one paragraph."""
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


def passages_of(texts: dict[str, str]) -> tuple[Passage, ...]:
    """Cut Markdown texts (name to text) into passages, one for each heading with prose under it. Code is left out."""
    return tuple(passage for name, text in texts.items() for passage in _passages(name, text))


def _passages(name: str, text: str) -> Iterator[Passage]:
    title = heading = name
    titled = False
    blocks: list[str] = []
    for line in [*_prose_lines(text), "# "]:
        found = _HEADING.fullmatch(line)
        if not found:
            blocks.append(line)
            continue
        if cut := tuple(_sentences(blocks)):
            yield Passage(name, title, heading, cut)
        heading, blocks = _plain(found[2]), []
        if not titled:
            title, titled = heading, True


def _prose_lines(text: str) -> Iterator[str]:
    in_code = False
    for line in text.splitlines():
        if _FENCE.match(line):
            in_code = not in_code
        elif not in_code and not (_TABLE_RULE.fullmatch(line) and "-" in line):
            yield line


def _sentences(lines: list[str]) -> Iterator[str]:
    """Join lines into blocks at empty lines, list items and table rows, and cut each block into sentences."""
    block: list[str] = []
    for line in [*lines, ""]:
        row = line.lstrip().startswith("|")
        if not line.strip() or _LIST_ITEM.match(line) or row:
            yield from sentences(_plain(" ".join(block)))
            block = []
        if line.strip():
            block.append(", ".join(c.strip() for c in line.strip().strip("|").split("|")) if row else line.strip())


def _plain(text: str) -> str:
    return _MARKS.sub("", _LINK.sub(r"\1", _LIST_ITEM.sub("", text)))
