"""Bars: open, high, low, close and volume of assets in equal steps of time."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import polars as pl

from usufruct.connectors.prices.panel import Asset, Matrix, last_complete_row

MOMENT: Final = pl.Datetime("us", "UTC")

PRICES: Final = ("open", "high", "low", "close")
VALUES: Final = (*PRICES, "volume", "market_cap", "supply")
KEY: Final = ("asset", "time", "source")

BAR_SCHEMA: Final[dict[str, Any]] = {
    "asset": pl.String(),
    "time": MOMENT,
    **dict.fromkeys(VALUES, pl.Float64()),
    "source": pl.String(),
    "known_at": MOMENT,
}
"""Columns of the archive. `time` is the start of the bar; `volume` and `market_cap` are amounts of the quote currency,
`supply` counts whole assets; what is not known is null. `known_at`: when we learnt it."""


class Interval(StrEnum):
    """Length of a bar."""

    DAY = "1d"
    HOUR = "1h"

    @property
    def step(self) -> timedelta:
        """The length as time."""
        return timedelta(days=1) if self is Interval.DAY else timedelta(hours=1)

    @property
    def partition_format(self) -> str:
        """Format of the name of the partition that a bar's time is in: years of days, months of hours."""
        return "year=%Y" if self is Interval.DAY else "month=%Y-%m"

    @property
    def table(self) -> str:
        """Name of the table of these bars in an archive."""
        return f"bars/interval={self.value}"


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Bars of assets: one row a step, one column an asset, NaN where a value is not known.

    Row `r` begins at `first + r * interval.step`. Prices and volume are in `quote`.
    """

    interval: Interval
    first: datetime
    assets: tuple[Asset, ...]
    open: Matrix
    high: Matrix
    low: Matrix
    close: Matrix
    volume: Matrix
    quote: str = "USD"
    synthetic: bool = False
    source: str = ""

    def time(self, row: int) -> datetime:
        """Return when the bar of a row begins."""
        return self.first + row * self.interval.step

    def complete(self) -> "Bars":
        """Return the rows up to the last with prices of most assets, as views of the same memory."""
        after = last_complete_row(self.close) + 1
        return replace(self, **{name: getattr(self, name)[:after] for name in (*PRICES, "volume")})


def start_of(day: date) -> datetime:
    """Return the first moment of a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
