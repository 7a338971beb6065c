"""The unit of work every package uses, and what its two implementations promise.

One suite of tests runs against both (`tests/store`). A unit of work is short: on SQLite it holds the only write slot of
the file, so nothing slow (a network call, a human) belongs inside one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, Literal, Protocol, TypeVar

from sqlalchemy import Connection, CursorResult, Executable, Row
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.sql.dml import Delete, Insert, Update

from usufruct.store.errors import ConstraintViolated, DatabaseUnavailable

T = TypeVar("T")
Parameters = Mapping[str, Any] | None


class Unit(Protocol):
    """One transaction. Results are complete lists: nothing is read after it ends."""

    async def rows(self, statement: Executable, parameters: Parameters = None) -> Sequence[Row[Any]]:
        """Run a statement and return all its rows."""

    async def row(self, statement: Executable, parameters: Parameters = None) -> Row[Any] | None:
        """Run a statement and return its first row, or None."""

    async def change(self, statement: Insert | Update | Delete, parameters: Parameters = None) -> int:
        """Run a changing statement and return how many rows it touched."""

    async def change_each(self, statement: Insert | Update | Delete, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Run a changing statement once for each set of parameters."""


class Database(Protocol):
    """A database, opened by `open_database`."""

    @property
    def url(self) -> str:
        """The URL as a driver takes it, password included: never log it."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """Which of the two back ends it is."""

    def transaction(self) -> AbstractAsyncContextManager[Unit]:
        """Open a unit of work: durable when the block ends, undone when it raises.

        Raises:
            ConstraintViolated: when the schema refuses a row.
            DatabaseUnavailable: when the database does not answer or stays locked.
        """

    def snapshot(self) -> AbstractAsyncContextManager[Unit]:
        """Open a read-only unit of work that sees one moment of the database and waits for no writer."""

    async def now(self) -> int:
        """Return the database's clock in whole seconds since 1970: the one that leases are measured by."""

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run synchronous SQLAlchemy code in one transaction; for migrations."""

    async def close(self) -> None:
        """Close every connection; the object is of no use afterwards."""


def all_rows(result: CursorResult[Any]) -> tuple[Sequence[Row[Any]], int]:
    """Return a finished statement's rows (none when it returns none) and how many rows it touched."""
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
