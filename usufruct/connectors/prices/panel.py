"""Prices of many assets as dense columns: what indices, ratings and signals are computed from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.core import Invalid

Matrix = NDArray[np.float64]
"""One row a day, one column an asset; NaN where a value is not known."""

COMPLETE: Final = 0.9
"""A last row counts when so large a part of the assets of the row before it has prices."""

STABLECOIN: Final = "stablecoin"
WRAPPED: Final = "wrapped"
"""Categories that rules name; the others are free text, such as `layer-1`, `defi`, `ai`."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset. Everything is keyed by `id`: two assets may share a ticker, and one may change its own.

    `number` is the integer that the `/v2` API calls TOKEN_ID. `categories` are lower-case words.
    """

    id: str
    number: int
    symbol: str
    name: str
    categories: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Panel:
    """Daily values of a set of assets on consecutive days.

    `close` is the price of one whole asset, `market_cap` and `volume` (of one day) are amounts; all are in `quote`,
    US dollars by default. Row `d` is the day `first_day + d`, its close is what was known at the end of that day.
    `synthetic` is True when the prices are simulated: everything that is made from them has to show it, and so
    `attribution`, what the sources' licences want shown with their data.

    Raises:
        Invalid: when the shapes differ, or two assets have one id.
    """

    first_day: date
    assets: tuple[Asset, ...]
    close: Matrix
    market_cap: Matrix
    volume: Matrix
    quote: str = "USD"
    synthetic: bool = False
    source: str = ""
    attribution: tuple[str, ...] = ()
    column: dict[str, int] = field(init=False, repr=False, compare=False)
    """From an asset's id to its column."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "column", {asset.id: index for index, asset in enumerate(self.assets)})
        for name in ("close", "market_cap", "volume"):
            shape = getattr(self, name).shape
            if len(shape) != 2 or shape != (self.close.shape[0], len(self.assets)):
                raise Invalid(
                    f"{name} has the shape {shape}; give one row a day and {len(self.assets)} columns",
                    code="invalid_panel",
                )
        if len(self.column) != len(self.assets):
            raise Invalid("two assets of a panel have one id; give each its own", code="invalid_panel")

    @property
    def days(self) -> int:
        """The number of rows."""
        return len(self.close)

    @property
    def last_day(self) -> date:
        """The day of the last row."""
        return self.day(self.days - 1)

    @property
    def last_complete_day(self) -> date:
        """The last day with prices of most assets: see `last_complete_row`."""
        return self.day(max(last_complete_row(self.close), 0))

    def day(self, row: int) -> date:
        """Return the day of a row."""
        return self.first_day + timedelta(days=row)

    def row(self, day: date) -> int:
        """Return the row of a day.

        Raises:
            Invalid: when the panel does not have the day.
        """
        if not self.first_day <= day <= self.last_day:
            raise Invalid(
                f"{day} is outside the data; choose a day from {self.first_day} to {self.last_day}",
                code="day_out_of_range",
            )
        return (day - self.first_day).days

    def between(self, first: date, last: date) -> "Panel":
        """Return the rows from one day to another, both included, as views of the same memory."""
        rows = slice(self.row(first), self.row(last) + 1)
        return self._with(first, self.assets, self.close[rows], self.market_cap[rows], self.volume[rows])

    def of(self, ids: Sequence[str]) -> "Panel":
        """Return the columns of some assets, in the order given (copied)."""
        columns = [self.column[each] for each in ids]
        assets = tuple(self.assets[each] for each in columns)
        return self._with(
            self.first_day, assets, self.close[:, columns], self.market_cap[:, columns], self.volume[:, columns]
        )

    def digest(self) -> str:
        """Return the SHA-256 of ids, days and values: two panels with one digest give the same index, to the byte."""
        hashed = hashlib.sha256(f"{self.first_day} {self.quote} {' '.join(each.id for each in self.assets)}".encode())
        for values in (self.close, self.market_cap, self.volume):
            hashed.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
        return hashed.hexdigest()

    def _with(
        self, first_day: date, assets: tuple[Asset, ...], close: Matrix, market_cap: Matrix, volume: Matrix
    ) -> "Panel":
        about = self.quote, self.synthetic, self.source, self.attribution
        return Panel(first_day, assets, close, market_cap, volume, *about)


def last_complete_row(close: Matrix) -> int:
    """Return the last row that has prices of most assets, -1 where no row has any; `close` as of a panel or of bars.

    The prices of a day come in by and by, or one of two sources is down: such a row counts when the next has begun.
    """
    counts = np.isfinite(close).sum(axis=1)
    begun = np.flatnonzero(counts)
    if begun.size == 0:
        return -1
    last = int(begun[-1])
    before = int(counts[last - 1]) if last else 0
    return last - 1 if counts[last] < COMPLETE * before else last
