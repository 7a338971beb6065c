"""Runs a command's work, and turns every error we know into one clean line."""

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from usufruct.cli.printing import one_line, say, words
from usufruct.core import Conflict, Shutdown, UsufructError
from usufruct.web import event_loop_factory

T = TypeVar("T")

Attached = Annotated[
    bool, typer.Option("--attached", hidden=True, help="End when standard input does: whoever started this is gone.")
]


class NotConfirmed(Conflict):
    """Money would be spent, or rights given away, and nobody said yes."""

    code = "not_confirmed"


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a command's work to its end; Ctrl-C and SIGTERM let it tidy up, and give the exit code a shell expects."""
    try:
        return asyncio.run(_to_its_end(work))
    except KeyboardInterrupt:
        sys.exit(130)
    except asyncio.CancelledError:
        sys.exit(143)


async def _to_its_end(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    task = asyncio.current_task()
    assert task is not None
    with suppress(NotImplementedError, RuntimeError, ValueError):  # on Windows, and off the main thread
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work()


def run_until_stopped(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run work that goes on until SIGTERM or Ctrl-C: the first cancels it, so that it tidies up; more hurry that."""
    asyncio.run(_until_stopped(lambda _: work()))


def run_server(work: Callable[[Shutdown], Coroutine[Any, Any, None]]) -> None:
    """Run a server process on the servers' event loop until SIGTERM or Ctrl-C.

    The first asks work that drains to finish, and cancels other work; the second forces it; more cancel all there is.
    """
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        runner.run(_until_stopped(work))


async def _until_stopped(work: Callable[[Shutdown], Coroutine[Any, Any, None]]) -> None:
    shutdown = Shutdown()
    task = asyncio.ensure_future(work(shutdown))

    def stop() -> None:
        if not shutdown.asked.is_set():
            shutdown.asked.set()
            if not shutdown.drains:
                task.cancel()
        elif shutdown.drains and not shutdown.forced.is_set():
            shutdown.forced.set()
        else:
            for each in asyncio.all_tasks() - {asyncio.current_task(), waiting}:
                each.cancel()

    waiting = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop)
    with suppress(asyncio.CancelledError):
        await task


def at_terminal() -> bool:
    """Tell whether somebody is there to answer a question."""
    return sys.stdin.isatty()


def confirm(question: str, *, yes: bool) -> None:
    """Ask whoever is at the terminal, unless they have said `yes` already.

    Raises:
        NotConfirmed: when they say no, or nobody is there.
    """
    if yes:
        return
    if not at_terminal():
        raise NotConfirmed("nothing was sent: nobody is at the terminal to say yes; give --yes")
    with interruptible("nothing was sent"):
        confirmed = typer.confirm(question, err=True)
    if not confirmed:
        raise NotConfirmed("nothing was sent")


@contextmanager
def interruptible(consequence: str) -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and the end of input end a question at once.

    Within an event loop the signals only cancel the task, which would wait for the answer all the same.

    Raises:
        NotConfirmed: when one of them comes; its message is `consequence`.
    """
    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    except (KeyboardInterrupt, EOFError, typer.Abort) as interruption:
        say("")
        raise NotConfirmed(consequence) from interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def exit_with(error: UsufructError) -> None:
    """Print an error as one line, and end with exit code 1."""
    line = words("error", "red").append_text(words(f" {error.code}: {one_line(error.message)}", "default"))
    Console(stderr=True, highlight=False).print(line, soft_wrap=True)
    sys.exit(1)
