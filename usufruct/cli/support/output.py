"""How commands print: a table or facts for people, one JSON value for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated
from unicodedata import category

import orjson
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from typer import Option

Json = Annotated[bool, Option("--json", help="Print one JSON value to standard output, progress to standard error.")]

_STEERING = frozenset({"Cc", "Cf"})
"""Unicode's categories of control and of format characters: escapes, and what turns the direction of text."""


def plain(text: str) -> str:
    """Return a stranger's text without characters that could steer a terminal; lines and tabs stay."""
    return "".join(sign for sign in text if sign in "\n\t" or category(sign) not in _STEERING)


def one_line(text: str) -> str:
    """Return a stranger's text as one line."""
    return " ".join(plain(text).split())


def words(value: object, style: str = "") -> Text:
    """Return a value as it is printed for people: as text that neither steers the terminal nor is markup."""
    return Text(plain(_words(value)), style)


def print_text(text: str) -> None:
    """Print a text of our own making as it is, to standard output."""
    sys.stdout.write(plain(text))


def print_json(value: object) -> None:
    """Print one JSON value to standard output; also a stranger's with half a character or a number over 64 bits."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONEncodeError:
        text = json.dumps(value)
    sys.stdout.write(text + "\n")


def print_line(value: object) -> None:
    """Print one JSON value as one line to standard output at once, for a program that reads on while we run."""
    sys.stdout.write(orjson.dumps(value).decode() + "\n")
    sys.stdout.flush()


def print_facts(facts: Mapping[str, object], *, as_json: bool) -> None:
    """Print one thing: a line for each of its facts, or the whole as JSON."""
    if as_json:
        print_json(dict(facts))
        return
    width = max(map(len, facts), default=0)
    console = Console(highlight=False)
    for name, value in facts.items():  # no folding: keys and hashes are there to be copied
        named = words(f"{name.replace('_', ' '):<{width}}  ", "dim")
        console.print(Text.assemble(named, words(value)), soft_wrap=True)


def print_rows(rows: Sequence[Mapping[str, object]], columns: Sequence[str], nothing: str, *, as_json: bool) -> None:
    """Print several things: a table of `columns`, or everything as a JSON list; says `nothing` when there is none.

    Without `columns`, print the facts of each: ids are too long for a table.
    """
    if as_json:
        print_json([dict(row) for row in rows])
    elif not rows:
        Console(soft_wrap=True).print(words(nothing, "dim"))
    elif columns:
        # Folded, so that ids stay whole.
        table = Table(*(Column(words(column.replace("_", " ")), overflow="fold") for column in columns))
        for row in rows:
            table.add_row(*(words(row[column]) for column in columns))
        Console().print(table)
    else:
        for number, facts in enumerate(rows):
            sys.stdout.write("\n" if number else "")
            print_facts(facts, as_json=False)


def say(line: str) -> None:
    """Say one line to a person, on standard error, so that standard output stays a program's."""
    Console(stderr=True, highlight=False).print(words(line.replace("\n", " ")), soft_wrap=True)


def _words(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value)) or "-"
    return str(value)
