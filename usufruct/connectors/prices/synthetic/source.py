"""A simulated market as a source: for archives that the demo, guides and tests read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from usufruct.connectors.prices.archive import SourceFacts
from usufruct.connectors.prices.bars import MOMENT, PRICES, Bars, Interval
from usufruct.connectors.prices.panel import Matrix
from usufruct.connectors.prices.registry import AssetFacts
from usufruct.connectors.prices.source import BATCH_SCHEMA, Batch
from usufruct.connectors.prices.synthetic.hours import bars_along
from usufruct.connectors.prices.synthetic.market import SyntheticMarket
from usufruct.connectors.prices.synthetic.paths import paths_of

_ROWS_OF_A_BATCH = 200_000


@dataclass(frozen=True, slots=True)
class SyntheticSource:
    """The bars of a simulated market; each is known at its end."""

    market: SyntheticMarket
    interval: Interval = Interval.DAY
    quote: str = "USD"
    keeps_caps: bool = True

    @property
    def facts(self) -> SourceFacts:
        """The market's label."""
        return SourceFacts(self.market.source, "Simulated prices: not of any real asset.", synthetic=True)

    def batches(self, position: Any) -> Iterator[Batch]:
        """Yield the bars by groups of assets; daily ones have caps and supplies."""
        market = repr(self.market)
        begin = position["batches"] if position and position["market"] == market else 0
        steps = self.market.days * (24 if self.interval is Interval.HOUR else 1)
        size = max(1, _ROWS_OF_A_BATCH // steps)
        total = -(-self.market.assets // size)
        if begin < total:
            paths = paths_of(self.market)
        for index in range(begin, total):
            columns = slice(index * size, (index + 1) * size)
            assets = paths.cast.assets[columns]
            bars = bars_along(self.market, paths, self.interval, [each.id for each in assets])
            supply = paths.supply[:, columns] if self.interval is Interval.DAY else np.full_like(bars.close, np.nan)
            facts = tuple(AssetFacts(each.id, each.symbol, each.name, each.categories) for each in assets)
            yield Batch(_rows(bars, supply), {"market": market, "batches": index + 1}, index + 1, total, facts)


def _rows(bars: Bars, supply: Matrix) -> pl.DataFrame:
    """Return the known cells of bars as rows, by asset and time; known at the end of their bar."""
    column, row = np.nonzero(np.isfinite(bars.close.T))
    ids = pl.Series([each.id for each in bars.assets], dtype=pl.String)
    values = {name: getattr(bars, name)[row, column] for name in (*PRICES, "volume")}
    supplies = supply[row, column]
    frame = pl.DataFrame(values | {"supply": supplies, "market_cap": supplies * values["close"]}, nan_to_null=True)
    step = int(bars.interval.step.total_seconds()) * 1_000_000
    begin = pl.Series(row * step + int(bars.first.timestamp()) * 1_000_000)
    return frame.with_columns(
        asset=ids.gather(column),
        time=begin.cast(MOMENT),
        known_at=(begin + step).cast(MOMENT),
        source=pl.lit(None, dtype=pl.String()),
        place=pl.lit(None, dtype=pl.String()),
    ).select(pl.col(name).cast(kind) for name, kind in BATCH_SCHEMA.items())
