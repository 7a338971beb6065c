"""Every command, in the order of the help. A command's module is imported when the command is used."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from typer.core import TyperGroup
from typer.main import get_group

from usufruct.cli.support.extras import missing_extra

PANELS: Mapping[str, tuple[str, ...]] = {
    "Sell": ("demo", "up", "sell", "service", "income", "claim"),
    "Own": ("asset", "shares", "title", "trust", "wallet", "airdrop", "stake", "level", "deal", "gov", "economy"),
    "Call": ("call", "key", "channel", "pass", "receipt"),
    "Markets": ("prices", "news", "rating", "index", "briefing"),
    "Operate": (
        "init",
        "deploy",
        "migrate",
        "status",
        "doctor",
        "reconcile",
        "serve",
        "worker",
        "till",
        "registry",
        "config",
    ),
}

_MODULES = {"demo": "demo.command", "pass": "pass_"}
"""Of commands whose module is not named as they are."""

_GROUP = "\napp = Typer("


class Commands(TyperGroup):
    """The root's commands; the root's help is read from the modules' sources and imports none of them."""

    def __init__(self, **options: Any) -> None:
        """Name the commands without importing any."""
        super().__init__(**options | {"commands": {name: None for names in PANELS.values() for name in names}})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load a command; None when there is none of this name."""
        return load(cmd_name) if cmd_name in self.commands else None

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help: options, then a panel of commands for each thing people come to do."""
        console = Console(highlight=False)
        options = [record for each in self.get_params(ctx) if (record := each.get_help_record(ctx))]
        console.print(f"\n {ctx.get_usage()}\n\n {self.help}\n", markup=False)
        commands = {panel: [(name, summary(name)) for name in names] for panel, names in PANELS.items()}
        for panel, rows in {"Options": options, **commands}.items():
            table = Table(box=None, show_header=False, padding=(0, 1))
            table.add_column(style="bold cyan", min_width=max(map(len, self.commands)))
            for row in rows:
                table.add_row(*row)
            console.print(Panel(table, title=panel, title_align="left", border_style="dim", box=box.ROUNDED))


@cache
def summary(name: str) -> str:
    """Return a command's line in the help: the first paragraph of its docstring, of a group's the module's."""
    path = Path(__file__).parent / f"{_module(name).replace('.', '/')}.py"
    source = path.read_text(encoding="utf-8")
    if _GROUP not in source:
        source = source[source.index(f"def {name}(") :]
    found = re.search('"""(.*?)(?:\n\n|""")', source, re.DOTALL)
    assert found is not None
    return " ".join(found[1].split())


@cache
def load(name: str) -> Any:
    """Load a command as typer makes it of its module.

    Raises:
        Conflict: when it needs an extra that is not installed.
    """
    try:
        module = import_module(f"usufruct.cli.{_module(name)}")
    except ModuleNotFoundError as error:
        if (missing := missing_extra(name, error)) is None:
            raise
        raise missing from error
    alone = typer.Typer(add_completion=False)
    if hasattr(module, "app"):
        alone.add_typer(module.app, name=name, help=module.__doc__, no_args_is_help=True)
    else:
        alone.command(name)(getattr(module, name))
    return get_group(alone).commands[name]


def _module(name: str) -> str:
    return _MODULES.get(name, name)
