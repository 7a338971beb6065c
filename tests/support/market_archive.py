"""A small simulated market in an archive, with a month of hours, and the inputs that snapshots are made of."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from usufruct.analytics.snapshot_build import MarketInputs
from usufruct.connectors.prices import (
    BAR_SCHEMA,
    AssetFacts,
    Bars,
    Interval,
    Matrix,
    Panel,
    PriceArchive,
    SourceFacts,
    SyntheticMarket,
    synthesize,
)

HOURS = 24 * 21
MARKET = SyntheticMarket(seed=7, assets=30, days=500)


def simulated_inputs(last_day: datetime, market: SyntheticMarket = MARKET, hours: int = HOURS) -> MarketInputs:
    """Return a simulated market that ends on a day, with hours that end with it."""
    first = last_day - timedelta(days=market.days - 1)
    panel = synthesize(replace(market, first_day=first.date()))
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    daily = _bars(Interval.DAY, start, panel, panel.close, panel.volume)
    random = np.random.default_rng(3)
    rows = -(-hours // 24)
    walk = np.exp(random.normal(0, 0.008, (hours, len(panel.assets))).cumsum(axis=0))
    close = np.repeat(panel.close[-rows:], 24, axis=0)[:hours] * walk
    hourly_start = start + timedelta(days=panel.days - rows)
    volume = np.repeat(panel.volume[-rows:], 24, axis=0)[:hours] / 24
    return MarketInputs(panel, daily, _bars(Interval.HOUR, hourly_start, panel, close, volume))


def _bars(interval: Interval, first: datetime, panel: Panel, close: Matrix, volume: Matrix) -> Bars:
    opened = np.vstack([close[:1], close[:-1]])
    opened = np.where(np.isnan(opened), close, opened)
    high, low = np.maximum(opened, close) * 1.01, np.minimum(opened, close) * 0.99
    return Bars(interval, first, panel.assets, opened, high, low, close, volume, synthetic=True, source=panel.source)


def write_archive(folder: Path, inputs: MarketInputs, attribution: str = "") -> PriceArchive:
    """Write the inputs as an archive of simulated prices, whose source wants `attribution` shown."""
    archive = PriceArchive(folder)
    learnt = datetime(2026, 1, 1, tzinfo=UTC)
    with archive.writing() as writer:
        writer.source(SourceFacts("simulated", attribution, synthetic=True))
        facts = [AssetFacts(each.id, each.symbol, each.name, each.categories) for each in inputs.panel.assets]
        writer.describe(facts, learnt)
        for bars in filter(None, (inputs.daily, inputs.hourly)):
            writer.append(bars.interval, _rows(bars, inputs.panel, learnt))
    return archive


def _rows(bars: Bars, panel: Panel, learnt: datetime) -> pl.DataFrame:
    rows = [
        {
            "asset": asset.id,
            "time": bars.time(row),
            "open": float(bars.open[row, column]),
            "high": float(bars.high[row, column]),
            "low": float(bars.low[row, column]),
            "close": float(bars.close[row, column]),
            "volume": float(bars.volume[row, column]),
            "market_cap": float(panel.market_cap[row, column]) if bars.interval is Interval.DAY else None,
            "supply": None,
            "source": "simulated",
            "known_at": learnt,
        }
        for column, asset in enumerate(bars.assets)
        for row in np.flatnonzero(~np.isnan(bars.close[:, column])).tolist()
    ]
    return pl.DataFrame(rows, schema=BAR_SCHEMA)
