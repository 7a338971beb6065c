"""Between the ledger's verbs and a database driver.

A verb is a generator: it yields statements, is sent their rows, and returns its result. It is written once and does no
input or output; a backend runs it on sqlite3 or asyncpg. Backends promise:

- verbs that change something are queued, and what is queued is committed together: one fsync for many callers;
- a verb's future resolves only after the commit that holds it;
- a verb that raises leaves nothing behind, whatever happens to its neighbours in the same commit;
- before a verb runs, the rows of the channels it names are locked, in one order everywhere.

Statements are the common SQL of both databases, with `$1` parameters, `{now}` for the database's clock in seconds, and
`Money` around parameters of money columns. Anything but a SELECT changes something.
"""

from asyncio import Future
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

from usufruct.core import Hash32
from usufruct.store import DatabaseUnavailable, check_amount

T = TypeVar("T")

Row = Any
"""A row of either driver: columns by name."""


class Money(int):
    """An amount on its way into a money column."""

    def __new__(cls, amount: int) -> Self:
        """Wrap an amount.

        Raises:
            AmountOutOfRange: when it is below 0 or above 2**256 - 1.
        """
        return super().__new__(cls, check_amount(amount))


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its parameters."""

    sql: str
    parameters: tuple[object, ...]


Verb = Generator[Statement, Any, T]

Outcome = tuple[Any, Exception | None]
"""What came of a verb: its result, or what it raised."""

Points = Callable[[str], None]
"""Told the name of every point a crash may come at; tests kill the process there."""


def no_points(name: str) -> None:
    """Let every point pass."""


@dataclass(frozen=True, slots=True)
class Job:
    """A verb to run: `start` begins it, as often as it has to be run. `channels` are those whose rows it uses."""

    name: str
    start: Callable[[], Verb[Any]]
    channels: tuple[Hash32, ...] = ()


class Backend(Protocol):
    """Runs verbs on one database."""

    async def write(self, job: Job) -> Any:
        """Run a verb in a group commit and return its result once that is durable."""

    async def read(self, job: Job) -> Any:
        """Run a verb that only reads, on one moment of the database."""

    async def close(self) -> None:
        """Finish what is queued and close the connections."""


def resolve(futures: Sequence["Future[Any]"], outcomes: Sequence[Outcome]) -> None:
    """Answer everybody who waited for a group of verbs; who was cancelled meanwhile needs none."""
    for future, (result, error) in zip(futures, outcomes, strict=True):
        if future.cancelled():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


def closed() -> DatabaseUnavailable:
    """Return the error for a verb that comes after `close`."""
    return DatabaseUnavailable("the ledger is closed: this process is shutting down; ask another one")


def ask(sql: str, *parameters: object) -> Verb[Sequence[Row]]:
    """Yield one statement and return its rows."""
    rows: Sequence[Row] = yield Statement(sql, parameters)
    return rows


def ask_one(sql: str, *parameters: object) -> Verb[Row | None]:
    """Yield one statement and return its first row, or None."""
    rows = yield Statement(sql, parameters)
    return rows[0] if rows else None
