"""The commands themselves: each parses, calls one use case, prints."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from usufruct import __version__
from usufruct.app import open_installation, serve
from usufruct.cli.demo import run_demo
from usufruct.cli.narrator import Narrator
from usufruct.config import load_config, show_config
from usufruct.core import UsufructError

app = typer.Typer(
    name="usufruct",
    help="Sell your AI by the token; the owners are paid automatically.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
config_app = typer.Typer(help="The configuration: where it comes from and what it says.", no_args_is_help=True)
app.add_typer(config_app, name="config")

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON value to standard output, progress to standard error.")
]


def main() -> None:
    """Run the command line: an error we know is one line and exit code 1, never a traceback."""
    try:
        app()
    except UsufructError as error:
        Console(stderr=True, highlight=False).print(f"[red]error[/red] {error.code}: ", end="")
        Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(error.message)
        sys.exit(1)


def _print_json(value: object) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


def _run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        asyncio.run(work())
    except KeyboardInterrupt:
        sys.exit(130)


def _version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"usufruct {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Sell your AI by the token; the owners are paid automatically."""


@app.command()
def demo(
    as_json: Json = False,
    folder: Annotated[
        Path | None, typer.Option(help="Keep the demo's files here instead of a temporary folder.")
    ] = None,
    stay: Annotated[
        bool, typer.Option(help="Leave it running afterwards, until Ctrl-C; the default at a terminal.")
    ] = sys.stdout.isatty(),
) -> None:
    """Show the main job on a local chain: a service is sold, called, metered and paid, its owners collect."""

    async def work() -> None:
        outcome = await run_demo(Narrator(to_stderr=as_json), folder, stay=stay and not as_json)
        if as_json:
            _print_json(outcome.as_json())
        if not outcome.conserved:
            raise typer.Exit(1)

    _run(work)


@app.command("serve", hidden=True)
def serve_command() -> None:
    """Serve the gateway of the configured installation; says where in one JSON line."""

    async def work() -> None:
        async with open_installation(load_config()) as installation:
            await serve(installation, lambda url: print(orjson.dumps({"url": url}).decode(), flush=True))  # noqa: T201

    _run(work)


@config_app.command("show")
def config_show(as_json: Json = False) -> None:
    """Print every setting and its value; secrets as ***."""
    shown = show_config(load_config())
    if as_json:
        _print_json(shown)
        return
    table = Table("setting", "value")
    for section, settings in shown.items():
        for name, value in settings.items():
            table.add_row(f"{section}.{name}", value)
    Console().print(table)
