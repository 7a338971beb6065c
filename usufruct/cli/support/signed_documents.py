"""JSON files with what a wallet signed, for another account to send: votes, reinvestments."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import orjson

from usufruct.cli.support.output import print_json
from usufruct.core import Invalid
from usufruct_client.wire_types import Wish, read

Signed = TypeVar("Signed", bound=Wish)


def write_signed(document: Wish, file: Path | None) -> None:
    """Write a signed document to a file, or to standard output.

    Raises:
        Invalid: when the file cannot be written.
    """
    if file is None:
        print_json(document.as_json())
        return
    try:
        file.write_bytes(orjson.dumps(document.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    except OSError as error:
        message = f"--out {file} cannot be written: {error.strerror}; name a file in a folder that you can write to"
        raise Invalid(message, code="file_not_written", field="out") from None


def read_signed(kind: type[Signed], file: Path, command: str, refuse: Callable[[str, str], Exception]) -> Signed:
    """Return a signed document from a file, or from standard input where it is `-`.

    `command` writes such files. `refuse` makes the error from its message and field.
    """
    name = "standard input" if str(file) == "-" else str(file)
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        found = orjson.loads(content)
    except OSError as error:
        raise refuse(f"{name} cannot be read: {error.strerror}; name a file that `{command}` wrote", "file") from None
    except orjson.JSONDecodeError:
        raise refuse(f"{name} is not JSON; `{command}` writes such a file", "file") from None
    return read(kind, found, refuse)
