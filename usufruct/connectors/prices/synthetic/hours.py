"""Hourly and daily bars of a simulated market: paths that lead from each day's close to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from usufruct.connectors.prices.bars import PRICES, Bars, Interval, start_of
from usufruct.connectors.prices.panel import Matrix
from usufruct.connectors.prices.synthetic.chance import bell, stream, uniform, words
from usufruct.connectors.prices.synthetic.market import SyntheticMarket
from usufruct.connectors.prices.synthetic.paths import Paths, paths_of
from usufruct.core import Invalid

_HOURS = 24
_DRAWS = 4
_LEAST_NOISE = 0.0003
_NOISE = 0.6
_REACH = 0.35
_FURTHEST = 0.4
_HOUR_ROOT = 4.898979485566356
"""The square root of 24."""


@dataclass(frozen=True, slots=True, eq=False)
class _Day:
    """Values of one asset: a row a day, a column an hour."""

    open: Matrix
    high: Matrix
    low: Matrix
    close: Matrix
    volume: Matrix


def synthesize_bars(
    market: SyntheticMarket,
    interval: Interval,
    ids: Sequence[str] | None = None,
    first: date | None = None,
    last: date | None = None,
) -> Bars:
    """Return open, high, low, close and volume of some assets, by default all, from one day to another.

    The last hour's close is the day's, the hours' volumes add up to the day's, and a day's high is its highest hour's.

    Raises:
        Invalid: when an id is unknown, or a day is not in the market.
    """
    return bars_along(market, paths_of(market), interval, ids, first, last)


def bars_along(
    market: SyntheticMarket,
    paths: Paths,
    interval: Interval,
    ids: Sequence[str] | None,
    first: date | None = None,
    last: date | None = None,
) -> Bars:
    """Return the bars of `synthesize_bars` for daily values that are computed already."""
    column = {each.id: index for index, each in enumerate(paths.cast.assets)}
    wanted = list(column) if ids is None else list(ids)
    if unknown := [each for each in wanted if each not in column]:
        raise Invalid(f"{unknown[0]!r} is not an asset of the {market.source}", code="unknown_asset")
    begin, end = first or market.first_day, last or market.day(market.days - 1)
    if not market.first_day <= begin <= end <= market.day(market.days - 1):
        raise Invalid(f"{begin} to {end} is not within the {market.source}", code="day_out_of_range")
    rows = slice((begin - market.first_day).days, (end - market.first_day).days + 1)
    steps = (rows.stop - rows.start) * (_HOURS if interval is Interval.HOUR else 1)
    values: dict[str, Any] = {name: np.empty((steps, len(wanted))) for name in (*PRICES, "volume")}
    for index, each in enumerate(wanted):
        found = _hours(market, paths, column[each], rows)
        for name, part in (_hourly(found) if interval is Interval.HOUR else _daily(found)).items():
            values[name][:, index] = part
    assets = tuple(paths.cast.assets[column[each]] for each in wanted)
    return Bars(interval, start_of(begin), assets, **values, synthetic=True, source=market.source)


def _hours(market: SyntheticMarket, paths: Paths, column: int, rows: slice) -> _Day:
    source = stream(market.seed, "hours", column)
    source.advance(rows.start * _HOURS * _DRAWS)
    drawn = words(source, rows.stop - rows.start, _HOURS, _DRAWS)
    close = paths.close[rows, column]
    before = _last_known(paths.close[: rows.stop, column])[rows]
    before = np.where(np.isfinite(before), before, close)
    change = close - before
    noise = (_LEAST_NOISE + _NOISE * np.minimum(np.abs(change) / before, 0.5)) / _HOUR_ROOT
    noise += paths.cast.volatility[column] * _NOISE / _HOUR_ROOT
    steps = np.cumsum(bell(drawn[..., 0]), axis=1)
    passed = np.arange(1, _HOURS + 1) / _HOURS
    bridge = np.clip((steps - passed * steps[:, -1:]) * noise[:, None], -_FURTHEST, _FURTHEST)
    closes = (before[:, None] + change[:, None] * passed) * (1.0 + bridge)
    closes[:, -1] = close
    opens = np.column_stack([np.where(np.isfinite(close), before, np.nan), closes[:, :-1]])
    reach = _REACH * noise[:, None]
    shares = 0.5 + uniform(drawn[..., 3])
    return _Day(
        open=opens,
        high=np.maximum(opens, closes) * (1.0 + reach * uniform(drawn[..., 1])),
        low=np.minimum(opens, closes) * (1.0 - reach * uniform(drawn[..., 2])),
        close=closes,
        volume=paths.volume[rows, column][:, None] * shares / shares.sum(axis=1, keepdims=True),
    )


def _hourly(found: _Day) -> dict[str, Matrix]:
    return {name: getattr(found, name).reshape(-1) for name in (*PRICES, "volume")}


def _daily(found: _Day) -> dict[str, Matrix]:
    return {
        "open": found.open[:, 0],
        "high": found.high.max(axis=1),
        "low": found.low.min(axis=1),
        "close": found.close[:, -1],
        "volume": found.volume.sum(axis=1),
    }


def _last_known(close: Matrix) -> Matrix:
    """Return for each day the close of the last day before it that has one; NaN before the first."""
    rows = np.where(np.isfinite(close), np.arange(len(close)), -1)
    latest = np.concatenate([[-1], np.maximum.accumulate(rows)[:-1]])
    return np.where(latest >= 0, close[latest], np.nan)
