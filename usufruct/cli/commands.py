"""Every command by its name: which module has it, and its line in the help. A module is loaded when it is used."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: `attribute` of `module` is its function, or the `Typer` of a noun's commands."""

    line: str
    module: str
    attribute: str = "app"
    hidden: bool = False


COMMANDS: Mapping[str, Entry] = {
    "demo": Entry(
        "Show the main job on a local chain: a service is sold, called, metered and paid, its owners collect.",
        "demo.command",
        "demo",
    ),
    "up": Entry(
        "Start what is missing: chain (on the devnet), contracts, gateway, worker; keep it running until Ctrl-C.",
        "up",
        "up",
    ),
    "sell": Entry(
        "Sell a model: look at the upstream, list the payee, put it on offer. Prices are in whole units of the token.",
        "sell",
        "sell",
    ),
    "deploy": Entry(
        "Deploy registry, passes and till with the owner's key; what stands already is left as it is.",
        "deploy",
        "deploy",
    ),
    "migrate": Entry(
        "Bring the database to the schema of this version; run it before the new version's gateways and workers.",
        "migrate",
        "migrate",
    ),
    "reconcile": Entry(
        "Read every channel anew from the chain; after a restore, before gateways and workers start.",
        "reconcile",
        "reconcile",
    ),
    "doctor": Entry(
        "Look at everything an operator can get wrong, and say for each thing what to do; ends with 1 if one is wrong.",
        "doctor.command",
        "doctor",
    ),
    "serve": Entry(
        "Serve the gateway of the configured installation; says where in one JSON line.",
        "serve",
        "serve",
        hidden=True,
    ),
    "work": Entry(
        "Follow the chain, claim, deposit, refund, pay what is owed, until told to stop; says so in one JSON line.",
        "work",
        "work",
        hidden=True,
    ),
    "call": Entry("Ask a service one question, paid by a bearer key, and keep the receipt.", "call", "call"),
    "service": Entry("Services: what this installation offers, and at what price.", "service"),
    "claim": Entry("Claims: what was charged goes to the chain and to the owners.", "claim"),
    "till": Entry("The till: who owns it, who is paid by it, and which keys may claim for it.", "till"),
    "registry": Entry("The registry: who owns it, and what share of income goes to the protocol.", "registry"),
    "config": Entry("The configuration: where it comes from and what it says.", "config"),
    "wallet": Entry("Wallets: keys in encrypted files on this machine.", "wallet"),
    "asset": Entry("Services on the chain: register, price, retire, look.", "asset"),
    "shares": Entry("Revenue shares: transfer, holders, income.", "shares"),
    "pass": Entry(
        "Passes: prepaid credits of a service. Calls are counted as a call of 1,000 text tokens in and 500 out, at "
        "today's price.",
        "pass_",
    ),
    "key": Entry("Bearer keys: made, listed and revoked by a wallet's signature.", "key"),
    "channel": Entry("Channels: a wallet's own deposits with an operator.", "channel"),
    "receipt": Entry("Receipts: what calls cost, and whether that is true.", "receipt"),
}
"""In the order in which the help shows them."""


class Commands(TyperGroup):
    """The root's commands; the help is of the table's lines and loads none of them."""

    def __init__(self, **options: Any) -> None:
        """Make the group as typer does, with the table's commands."""
        lines = {
            name: TyperCommand(name, help=entry.line, hidden=entry.hidden, rich_markup_mode=options["rich_markup_mode"])
            for name, entry in COMMANDS.items()
        }
        super().__init__(**options | {"commands": lines})
        self._lines = TyperGroup(**options | {"commands": lines})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load a command; None when there is none of this name."""
        return load(cmd_name) if cmd_name in COMMANDS else None

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        self._lines.format_help(ctx, formatter)


@cache
def load(name: str) -> Any:
    """Load a command as typer makes it of its module."""
    entry = COMMANDS[name]
    found = getattr(import_module(f"usufruct.cli.{entry.module}"), entry.attribute)
    alone = typer.Typer(add_completion=False)
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name)
    else:
        alone.command(name, hidden=entry.hidden)(found)
    return get_group(alone).commands[name]
