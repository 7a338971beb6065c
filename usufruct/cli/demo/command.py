"""`usufruct demo`: parses, runs the story, prints how it ended."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from usufruct.cli.demo import run_demo
from usufruct.cli.support.output import Json, print_json
from usufruct.cli.support.progress import Progress
from usufruct.cli.support.runner import run


def demo(
    as_json: Json = False,
    folder: Annotated[
        Path | None, typer.Option(help="Keep the demo's files here instead of a temporary folder.")
    ] = None,
    stay: Annotated[
        bool,
        typer.Option(show_default=False, help="Leave it running afterwards, until Ctrl-C; the default at a terminal."),
    ] = sys.stdout.isatty(),
) -> None:
    """Show the main job on a local chain: a service is sold, called, metered and paid, its owners collect."""

    async def work() -> None:
        outcome = await run_demo(Progress(to_stderr=as_json), folder, stay=stay and not as_json)
        if as_json:
            print_json(outcome.as_json())
        if not outcome.conserved:
            raise typer.Exit(1)

    run(work)
