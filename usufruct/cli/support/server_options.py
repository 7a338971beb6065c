"""Options of the commands that run a server."""

from typing import Annotated

from typer import Option

Attached = Annotated[bool, Option("--attached", hidden=True, help="Exit when standard input ends.")]
