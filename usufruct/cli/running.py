"""Runs a command's work, and turns every error we know into one clean line."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from rich.console import Console

from usufruct.core import UsufructError

T = TypeVar("T")


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a command's work to its end; Ctrl-C ends the program with 130, as a shell expects."""
    try:
        return asyncio.run(work())
    except KeyboardInterrupt:
        sys.exit(130)


def exit_with(error: UsufructError) -> None:
    """Print an error as one line, and end with exit code 1."""
    console = Console(stderr=True, highlight=False)
    console.print(f"[red]error[/red] {error.code}: ", end="")
    console.print(error.message, markup=False, soft_wrap=True)
    sys.exit(1)
