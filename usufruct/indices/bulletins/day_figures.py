"""The figures of one day of a snapshot. What came after the day changes none of them."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property
from math import isfinite
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from usufruct.analytics import Snapshot
from usufruct.connectors.prices import STABLECOIN, WRAPPED, Asset
from usufruct.core import DAY_SECONDS
from usufruct.indices.publication import seconds_of
from usufruct_client.bulletin_documents import BulletinSource

LARGEST: Final = 100
"""Assets that are compared: the smallest jump without meaning."""
_DIGITS: Final = 6


class DayFigures:
    """The figures of `day`, which the snapshot must have; an asset is its column."""

    def __init__(self, snapshot: Snapshot, day: date) -> None:
        """Read `snapshot`."""
        self.snapshot = snapshot
        self.day = day
        self.start = seconds_of(day)
        self.row = (self.start - snapshot.first_day) // DAY_SECONDS

    @property
    def source(self) -> BulletinSource:
        """What the figures are made of."""
        snapshot = self.snapshot
        digest = snapshot.digests[self.row]
        return BulletinSource(snapshot.source, snapshot.synthetic, digest, list(snapshot.attribution))

    @property
    def assets(self) -> tuple[Asset, ...]:
        """All assets; those that had no price yet on the day too."""
        return self.snapshot.assets

    @cached_property
    def columns(self) -> Mapping[str, int]:
        """The column of each asset by its id."""
        return {asset.id: column for column, asset in enumerate(self.assets)}

    def values(self, table: str, field: str, days_before: int = 0) -> NDArray[Any]:
        """Return a field of each asset, on the day or before; NaN before the first day."""
        matrix, row = self.snapshot.series[table].fields[field], self.row - days_before
        return matrix[row] if row >= 0 else np.full(matrix.shape[1], np.nan)

    def closes(self, days_before: int = 0) -> NDArray[np.float64]:
        """Return the price of each asset; NaN where it has none."""
        close = np.asarray(self.values("daily-ohlcv", "close", days_before), dtype=np.float64)
        return np.where(close > 0, close, np.nan)

    def history(self, column: int, days: int) -> NDArray[np.float64]:
        """Return the prices of an asset over the days until this one, as many as there are; unknown ones left out."""
        close = self.snapshot.series["daily-ohlcv"].fields["close"][max(0, self.row + 1 - days) : self.row + 1, column]
        return np.asarray(close[close > 0], dtype=np.float64)

    def signals(self, days_before: int = 0) -> NDArray[np.int64]:
        """Return the signal of each asset; 0 before the first day."""
        signals: NDArray[np.int64] = np.nan_to_num(self.values("trading-signals", "signal", days_before)).astype(
            np.int64
        )
        return signals

    @cached_property
    def caps(self) -> NDArray[np.float64]:
        """The market cap of each asset."""
        return np.asarray(self.values("daily-caps", "market_cap"), dtype=np.float64)

    @cached_property
    def ranks(self) -> Mapping[int, int]:
        """The rank of each asset by market cap; 1 is the largest. Assets without a cap have none."""
        known = [column for column in range(len(self.assets)) if self.caps[column] > 0]
        ordered = sorted(known, key=lambda column: (-float(self.caps[column]), self.assets[column].id))
        return {column: rank for rank, column in enumerate(ordered, 1)}

    @cached_property
    def plain(self) -> list[int]:
        """The assets with a price of their own, no stablecoins and nothing wrapped; the largest first."""
        return [each for each in self.ranks if not self.assets[each].categories & {STABLECOIN, WRAPPED}]

    @property
    def largest(self) -> list[int]:
        """The `LARGEST` of `plain`."""
        return self.plain[:LARGEST]

    def market(self, days_before: int = 0) -> Mapping[str, Any]:
        """Return the row of `/v2/market-metrics`; empty before the first day."""
        table = self.snapshot.rows["market-metrics"]
        at = len(table.rows) - 1 - self.row + days_before  # the newest is the first
        row: dict[str, Any] = orjson.loads(table.rows[at]) if at < len(table.rows) else {}
        return row

    def moods(self) -> list[dict[str, Any]]:
        """Return the rows of `/v2/sentiments` of the day, the newest first."""
        table = self.snapshot.rows["sentiments"]
        found = np.flatnonzero((table.times >= self.start) & (table.times < self.start + DAY_SECONDS))
        return [orjson.loads(table.rows[each]) for each in found.tolist()]

    def signal_since(self) -> date:
        """Return the first day of the market's signal."""
        signal, days = self.market()["TM_GRADE_SIGNAL"], 0
        while (row := self.market(days + 1)) and row["TM_GRADE_SIGNAL"] == signal:
            days += 1
        return self.day - timedelta(days=days)

    def change(self, column: int, days: int) -> float | None:
        """Return how much an asset gained from close to close, as a part."""
        before, now = self.closes(days)[column], self.closes()[column]
        return rounded(now / before - 1.0)


def rounded(value: float | None, digits: int = _DIGITS) -> float | None:
    """Return a figure with so many digits after the point; None where it is not known."""
    return round(float(value), digits) if value is not None and isfinite(value) else None
