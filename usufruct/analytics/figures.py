"""One snapshot as pages read it: assets by id and rank, their newest figures, and the ready rows as values."""

from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from usufruct.analytics.api_answer import DataState
from usufruct.analytics.snapshot import DAY, Snapshot, utc_text
from usufruct_client.market_page_documents import CoinLine, MarketSource, NamedAsset, NewsLine

_CHANGE_DAYS = (1, 7, 30)


def known(value: float) -> float | None:
    """Return a number, or None where it is not known."""
    plain = float(value)
    return plain if isfinite(plain) else None


class MarketFigures:
    """What pages show of a snapshot; it is made once for each, and reads what a page needs when it is asked for."""

    def __init__(self, snapshot: Snapshot, state: DataState) -> None:
        """Read `snapshot`, which is as fresh as `state` says."""
        self.snapshot = snapshot
        self.state = state
        self.column = {each.id: column for column, each in enumerate(snapshot.assets)}

    @property
    def source(self) -> MarketSource:
        """What the figures are made of."""
        state, snapshot = self.state, self.snapshot
        return MarketSource(
            as_of=state.as_of,
            stale=state.stale,
            synthetic=state.synthetic,
            source=state.source,
            computed_at=snapshot.computed_at,
            digest=snapshot.digests[-1],
            attribution=list(state.attribution),
        )

    @cached_property
    def ranked(self) -> list[int]:
        """The columns, the largest market cap first; those whose cap is not known come last."""
        caps = np.nan_to_num(self.snapshot.market_caps, nan=-1.0)
        ranked: list[int] = np.argsort(-caps, kind="stable").tolist()
        return ranked

    @cached_property
    def changes(self) -> dict[int, NDArray[np.float64]]:
        """For 1, 7 and 30 days: how much each asset gained from close to close, as a part."""
        close = self.series("daily-ohlcv", "close")
        return {days: _gained(close, days) for days in _CHANGE_DAYS}

    def series(self, table: str, field: str) -> NDArray[Any]:
        """Return a field of a daily table: a row a day, a column an asset."""
        return self.snapshot.series[table].fields[field]

    def last(self, table: str, field: str, column: int) -> float | None:
        """Return a field's value on the last day."""
        return known(self.series(table, field)[-1, column])

    def day(self, row: int) -> str:
        """Return the day of a row, YYYY-MM-DD; negative rows count from the end."""
        at = row if row >= 0 else self.days + row
        return utc_text(self.snapshot.first_day + at * DAY)[:10]

    @property
    def days(self) -> int:
        """The number of days."""
        return self.snapshot.series["daily-ohlcv"].length

    def row(self, table: str, column: int) -> dict[str, Any]:
        """Return the one row of an asset in a table of ready rows; empty where it has none."""
        found = self.snapshot.rows.get(table)
        at = None if found is None else found.single.get(column)
        row: dict[str, Any] = {} if found is None or at is None else orjson.loads(found.rows[at])
        return row

    def news(self, table: str, column: int) -> list[NewsLine]:
        """Return the headlines of a table about an asset, or about none; a snapshot of an earlier version has none."""
        found = self.snapshot.rows.get(table)
        return (
            []
            if found is None
            else [self._headline(found.rows[at]) for at in np.flatnonzero(found.columns == column).tolist()]
        )

    @cached_property
    def _ranks(self) -> dict[int, int]:
        return {column: rank for rank, column in enumerate(self.ranked, 1)}

    def _headline(self, row: bytes) -> NewsLine:
        found = orjson.loads(row)
        named = [NamedAsset(each, self.snapshot.assets[self.column[each]].symbol) for each in found["ASSETS"]]
        return NewsLine(found["AT"], found["SOURCE"], found["TITLE"], found["LINK"], found["SENTIMENT"], named)

    def line(self, column: int) -> CoinLine:
        """Return an asset as a line of a list."""
        asset = self.snapshot.assets[column]
        day, week, month = (known(self.changes[days][column]) for days in _CHANGE_DAYS)
        return CoinLine(
            id=asset.id,
            symbol=asset.symbol,
            name=asset.name,
            rank=self._ranks[column],
            price=self.row("price", column).get("CURRENT_PRICE"),
            day_change=day,
            week_change=week,
            month_change=month,
            market_cap=known(self.snapshot.market_caps[column]),
            overall=self.last("tm-grade-history", "overall", column),
            trader=self.last("trader-grades", "trader", column),
            investor=self.last("investor-grades", "investor", column),
            signal=int(self.series("trading-signals", "signal")[-1, column]),
        )


def _gained(close: NDArray[Any], days: int) -> NDArray[np.float64]:
    if len(close) <= days:
        return np.full(close.shape[1], np.nan)
    before = np.asarray(close[-1 - days], dtype=np.float64)
    return np.asarray(close[-1], dtype=np.float64) / np.where(before > 0, before, np.nan) - 1.0
