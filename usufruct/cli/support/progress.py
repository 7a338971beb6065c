"""What a command says while it works: people read standard error or the terminal, programs one JSON object."""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import segno
from rich.console import Console
from rich.table import Table

from usufruct.cli.support.output import words
from usufruct.core import checksum
from usufruct.core.components import DeployStep


def qr_lines(text: str) -> list[str]:
    """Return a QR code as lines of half-block characters, for a dark or a light terminal."""
    drawn = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(out=drawn, border=2, compact=True)
    return drawn.getvalue().rstrip("\n").split("\n")


class Progress:
    """Tells a story in numbered steps; to standard error when standard output is for JSON."""

    def __init__(self, *, to_stderr: bool) -> None:
        self.console = Console(stderr=to_stderr, highlight=False)
        self.live = self.console.is_terminal
        self._step = 0

    def step(self, title: str) -> None:
        """Begin the next step."""
        self._step += 1
        self.console.print(words(f"\n{self._step}. {title}", "bold"))

    def say(self, line: str) -> None:
        """Say one line."""
        self.console.print(words("   " + line), soft_wrap=True)

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show that something takes a moment, and leave a line when it is done."""
        with self.console.status(words(f"   {what} ...")):
            yield
        self.console.print(words("   done ", "green").append_text(words(what, "default")), soft_wrap=True)

    def piece(self, text: str) -> None:
        """Show a piece of an answer as it comes, without ending the line."""
        self.console.print(words(text, "cyan"), end="", soft_wrap=True)

    def plan(self, title: str, steps: Iterable[tuple[DeployStep, int]]) -> None:
        """Show what is deployed, each step with its address and the gas it takes."""
        self.say(f"{title}:")
        for step, gas in steps:
            self.say(f"- {step.what}: {f'{gas:,} gas' if gas else 'done'}")
            self.say(f"  at {checksum(step.at)}")

    def draw(self, text: str) -> None:
        """Show a QR code at a terminal: an address is scanned instead of typed."""
        for line in qr_lines(text) if self.live else ():
            self.console.print(line, soft_wrap=True)

    def table(self, title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Show a table; the first column is text, the others are figures."""
        table = Table(title=words(title, "bold"), title_justify="left")
        for i, heading in enumerate(headings):
            table.add_column(words(heading), justify="right" if i else "left")
        for row in rows:
            table.add_row(*map(words, row))
        self.console.print(table)
