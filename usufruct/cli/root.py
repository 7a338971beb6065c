"""The command line's root: every command is in the file of its noun."""

import sys
from typing import Annotated

import typer

from usufruct import __version__
from usufruct.cli import (
    asset,
    call,
    channel,
    claim,
    demo_command,
    deploying,
    key,
    migrating,
    passes,
    receipt,
    reconciling,
    selling,
    service,
    serving,
    settings,
    shares,
    till,
    up,
    wallet,
)
from usufruct.cli.doctor import doctor
from usufruct.cli.running import exit_with
from usufruct.core import UsufructError

app = typer.Typer(
    name="usufruct",
    help="Sell your AI by the token; the owners are paid automatically.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo_command.demo)
app.command("up")(up.up)
app.command("sell")(selling.sell)
app.command("deploy")(deploying.deploy)
app.command("migrate")(migrating.migrate_command)
app.command("reconcile")(reconciling.reconcile)
app.command("doctor")(doctor)
app.command("serve", hidden=True)(serving.serve_command)
app.command("work", hidden=True)(serving.work_command)
app.add_typer(service.app, name="service")
app.add_typer(claim.app, name="claim")
app.add_typer(till.app, name="till")
app.add_typer(settings.app, name="config")
app.add_typer(wallet.app, name="wallet")
app.add_typer(asset.app, name="asset")
app.add_typer(shares.app, name="shares")
app.add_typer(passes.app, name="pass")
app.add_typer(key.app, name="key")
app.add_typer(channel.app, name="channel")
app.command("call")(call.call)
app.add_typer(receipt.app, name="receipt")


def main() -> None:
    """Run the command line: an error we know is one line and exit code 1, never a traceback."""
    try:
        app()
    except UsufructError as error:
        exit_with(error)


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
