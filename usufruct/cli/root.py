"""The command line's root: every command is in the file of its noun."""

import os
import sys
from typing import Annotated

from typer import Exit, Option, Typer

from usufruct import __version__
from usufruct.cli.commands import Commands
from usufruct.cli.support.runner import exit_with
from usufruct.core import Conflict, UsufructError
from usufruct_client.errors import ClientError

app = Typer(
    name="usufruct",
    cls=Commands,
    help="Sell your AI by the token; the owners are paid automatically.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line: an error we know is one line and exit code 1, never a traceback."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except (UsufructError, ClientError) as error:
        exit_with(error)
    except BrokenPipeError:  # the reader of our output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        if error.filename is None:
            raise
        exit_with(Conflict(f"{error.filename}: {error.strerror}; choose another place", code="file_trouble"))


def _version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"usufruct {__version__}\n")
        raise Exit


@app.callback()
def _root(
    version: Annotated[
        bool, Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Sell your AI by the token; the owners are paid automatically."""
