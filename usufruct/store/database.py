"""The unit of work every package uses, and what a database promises.

One suite of tests runs against both kinds (`tests/store`). A unit of work is short: on SQLite it holds the only write
slot of the file, so nothing slow (a network call, a human) belongs inside one.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, CursorResult, Executable, Row, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.sql.dml import Delete, Insert, Update

from usufruct.store.errors import ConstraintViolated, DatabaseUnavailable

T = TypeVar("T")
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
"""Of a statement; several of them run it once for each."""

Outcome = tuple[Sequence[Row[Any]], int]
"""The rows of a statement that ended, and how many rows it touched."""

_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


class Unit:
    """One transaction. Results are complete lists: nothing is read after it ends."""

    def __init__(self, execute: Callable[[Executable, Parameters], Awaitable[Outcome]]) -> None:
        self._execute = execute

    async def rows(self, statement: Executable, parameters: Parameters = None) -> Sequence[Row[Any]]:
        """Run a statement and return all its rows."""
        return (await self._execute(statement, parameters))[0]

    async def row(self, statement: Executable, parameters: Parameters = None) -> Row[Any] | None:
        """Run a statement and return its first row, or None."""
        found = await self.rows(statement, parameters)
        return found[0] if found else None

    async def change(self, statement: Insert | Update | Delete, parameters: Parameters = None) -> int:
        """Run a changing statement and return how many rows it touched."""
        return (await self._execute(statement, parameters))[1]


class Database(ABC):
    """A database, opened by `open_database`."""

    url: str
    """As a driver takes it, password included: never log it."""

    dialect: Literal["sqlite", "postgresql"]
    _seconds: str
    """An expression for the database's clock."""

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[Unit]:
        """Open a unit of work: durable when the block ends, undone when it raises.

        Raises:
            ConstraintViolated: when the schema refuses a row.
            DatabaseUnavailable: when the database does not answer or stays locked.
        """

    @abstractmethod
    def snapshot(self) -> AbstractAsyncContextManager[Unit]:
        """Open a read-only unit of work that sees one moment of the database and waits for no writer."""

    @abstractmethod
    async def rows(self, query: Executable, parameters: Parameters = None) -> Sequence[Row[Any]]:
        """Run one reading statement and return all its rows: a snapshot of one statement, in one round trip."""

    @abstractmethod
    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run synchronous SQLAlchemy code in one transaction; for migrations."""

    @abstractmethod
    async def close(self) -> None:
        """Close every connection; the object is of no use afterwards."""

    async def wait_turn(self, unit: Unit, name: str) -> None:
        """Wait until no other unit holds the turn `name`, and hold it until `unit` ends: what it counts stays true.

        PostgreSQL runs units side by side, so that two could count, and then both add, past a limit. SQLite has one
        writer.
        """
        if self.dialect == "postgresql":
            await unit.rows(_TURN, {"name": name})

    async def now(self) -> int:
        """Return the database's clock in whole seconds since 1970: the one that leases are measured by."""
        [row] = await self.rows(text(f"SELECT {self._seconds}"))
        return int(row[0])


def outcome_of(result: CursorResult[Any]) -> Outcome:
    """Return what a statement did; no rows when it returns none."""
    return (result.all() if result.returns_rows else (), result.rowcount)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn drivers' errors into ours; values of rows stay out of the messages.

    Raises:
        ConstraintViolated: for a broken unique key, foreign key, check or trigger.
        DatabaseUnavailable: for a lost connection or a lock that is held too long.
    """
    try:
        yield
    except IntegrityError as error:
        rule = _broken_rule(error)
        raise ConstraintViolated(f"the database refused a row: {rule}", rule=rule) from error
    except DBAPIError as error:
        if error.connection_invalidated or "locked" in str(error.orig):
            raise DatabaseUnavailable("the database does not answer or stays locked; try again") from error
        raise
    except OSError as error:
        raise DatabaseUnavailable("the database cannot be reached; check database.url and that it runs") from error


def _broken_rule(error: IntegrityError) -> str:
    """Name the constraint: PostgreSQL's name for it, or SQLite's text, which holds no values."""
    driver_error = getattr(error.orig, "__cause__", None)
    return str(getattr(driver_error, "constraint_name", None) or getattr(driver_error, "sqlstate", None) or error.orig)
