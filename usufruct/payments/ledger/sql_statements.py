"""What the ledger asks of a database: statements with typed parameters, rows with typed columns.

Statements are the common SQL of SQLite and PostgreSQL, with `$1` parameters and `{now}` for the database's clock in
seconds, `{sum}` for the sum of a money column. A verb that only a few calls a minute need is a coroutine over
`Statements`, written once for both; the verbs that every call needs are pure functions over a `WorkingSet` (see
`calls`), which each back end reads and writes in its own way.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Self, TypeVar

from usufruct.core import (
    Address,
    AssetId,
    Faulty,
    Hash32,
    address_from_bytes,
    asset_from_bytes,
    hash32_from_bytes,
    value,
)
from usufruct.store import amount_from_blob, check_amount

T = TypeVar("T")

FaultHook = Callable[[str], None]
"""Receives the name of every point a crash may come at; tests kill the process there."""


def no_faults(name: str) -> None:
    """Pass every point."""


class Money(int):
    """An amount on its way into a money column."""

    def __new__(cls, amount: int) -> Self:
        """Wrap an amount.

        Raises:
            AmountOutOfRange: when it is below 0 or above 2**256 - 1.
        """
        return super().__new__(cls, check_amount(amount))


Parameter = str | bytes | int | None
"""A parameter of a statement; identifiers are bytes, amounts `Money`."""


@value
class Row:
    """One row; each reader checks the column's type."""

    columns: Mapping[str, object]

    def maybe(self, read: Callable[[str], T], name: str) -> T | None:
        """Return a column that may be NULL; `read` is the reader of its type."""
        return None if self.columns[name] is None else read(name)

    def integer(self, name: str) -> int:
        """Return an integer column."""
        value = self.columns[name]
        if not isinstance(value, int):
            raise _corrupt(name, value)
        return value

    def text(self, name: str) -> str:
        """Return a text column."""
        value = self.columns[name]
        if not isinstance(value, str):
            raise _corrupt(name, value)
        return value

    def raw(self, name: str) -> bytes:
        """Return a column of bytes."""
        value = self.columns[name]
        if not isinstance(value, bytes):
            raise _corrupt(name, value)
        return value

    def money(self, name: str) -> int:
        """Return a money column of either database, in atomic units."""
        value = self.columns[name]
        if isinstance(value, bytes):
            return amount_from_blob(value)
        if not isinstance(value, int):
            raise _corrupt(name, value)
        return value

    def hash32(self, name: str) -> Hash32:
        """Return a hash or a 32-byte id."""
        return hash32_from_bytes(self.raw(name))

    def address(self, name: str) -> Address:
        """Return an address."""
        return address_from_bytes(self.raw(name))

    def asset(self, name: str) -> AssetId:
        """Return an asset id."""
        return asset_from_bytes(self.raw(name))


class Statements(ABC):
    """One transaction of a verb."""

    def __init__(self, name: str = "", faults: FaultHook = no_faults) -> None:
        """Run the verb `name`; `faults` receives it and a number before each statement."""
        self._name = name
        self._faults = faults
        self._step = 0

    @abstractmethod
    async def rows(self, sql: str, *parameters: Parameter) -> Sequence[Row]:
        """Run a statement and return its rows."""

    async def row(self, sql: str, *parameters: Parameter) -> Row | None:
        """Run a statement and return its first row, or None."""
        rows = await self.rows(sql, *parameters)
        return rows[0] if rows else None

    @abstractmethod
    def stream(self, sql: str, *parameters: Parameter) -> AsyncIterator[Row]:
        """Run a query and yield its rows, a few at a time in memory."""

    def _point(self) -> None:
        self._faults(f"{self._name}.{self._step}")
        self._step += 1


Work = Callable[[Statements], Awaitable[T]]
"""A verb with its arguments, ready to run in a transaction."""


def _corrupt(name: str, value: object) -> Faulty:
    kind = type(value).__name__
    message = f"column {name} holds a value of type {kind}; restore the row from a backup"
    return Faulty(message, code="corrupt_row", column=name)
