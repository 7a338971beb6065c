"""Questions at the terminal; an interruption ends one at once."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from usufruct.cli.support.output import say
from usufruct.core import Conflict


def at_terminal() -> bool:
    """Tell whether a person can answer a question."""
    return sys.stdin.isatty()


def confirm(question: str, *, yes: bool) -> None:
    """Ask at the terminal, unless `yes` is given."""
    if yes:
        return
    if not at_terminal():
        raise Conflict("not a terminal; pass --yes to confirm. Nothing was sent", code="not_confirmed")
    with interruptible("nothing was sent"):
        confirmed = typer.confirm(question, err=True)
    if not confirmed:
        raise Conflict("nothing was sent", code="not_confirmed")


def ask_text(question: str, otherwise: str | None = None) -> str:
    """Ask for a line of text at the terminal; `otherwise` is what Enter alone stands for."""
    with interruptible("nothing was sent; run it again to go on"):
        return str(typer.prompt(question, default=otherwise, err=True, show_default=bool(otherwise)))


@contextmanager
def interruptible(consequence: str) -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and the end of input end a question at once.

    Within an event loop the signals only cancel the task, which would wait for the answer all the same.
    """
    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    except (KeyboardInterrupt, EOFError, typer.Abort) as interruption:
        say("")
        raise Conflict(consequence, code="not_confirmed") from interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
