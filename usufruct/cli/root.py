"""The command line's root: every command is in the file of its noun."""

import sys
from typing import Annotated

from typer import Exit, Option, Typer

from usufruct import __version__
from usufruct.cli.commands import Commands

app = Typer(
    name="usufruct",
    cls=Commands,
    help="Sell your AI by the token; the owners are paid automatically.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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
