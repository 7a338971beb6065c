"""Which assets may be members on a day, their score, and why others may not."""

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from usufruct.connectors.prices import Matrix
from usufruct.indices.market_data import MarketData
from usufruct.indices.rulebook import Rulebook, Selection, Universe
from usufruct.indices.sums import Indices, Mask

_LEAST_KNOWN = 0.5
"""Of a look-back: with fewer known returns there is no volatility."""


class Reason(IntFlag):
    """Why an asset is not eligible; several may be true."""

    CATEGORY = 1
    NO_PRICE = 2
    NO_MARKET_CAP = 4
    TOO_NEW = 8
    TOO_SMALL = 16
    TOO_SMALL_TO_STAY = 32
    TOO_LITTLE_TRADED = 64
    TOO_LITTLE_TRADED_TO_STAY = 128
    NO_HISTORY = 256
    OUTSIDE_PARENT = 512


_ONLY_STAY = Reason.TOO_SMALL_TO_STAY | Reason.TOO_LITTLE_TRADED_TO_STAY
_ONLY_ENTER = Reason.TOO_SMALL | Reason.TOO_LITTLE_TRADED

Failed = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Screened:
    """Of some days (rows) and all assets (columns): the reasons against each, and the score it is ranked by."""

    failed: Failed
    scores: Matrix

    @property
    def may_enter(self) -> Mask:
        """Assets that pass all screens."""
        return np.asarray((self.failed & ~np.uint16(_ONLY_STAY)) == 0)

    @property
    def may_stay(self) -> Mask:
        """Assets that pass the screens for members, which are less strict."""
        return np.asarray((self.failed & ~np.uint16(_ONLY_ENTER)) == 0)

    def ranked_scores(self) -> Matrix:
        """Return the scores, minus infinity for assets that may neither enter nor stay."""
        return np.where(self.may_enter | self.may_stay, self.scores, -np.inf)


@dataclass(frozen=True, slots=True)
class Screens:
    """The rulebook's screens over a panel, with what does not depend on the day."""

    rulebook: Rulebook
    data: MarketData
    wrong_category: Mask
    first_known: NDArray[np.intp] | None

    def at(self, rows: Indices) -> Screened:
        """Return the screens at the close of some days; later days are not read."""
        universe = self.rulebook.universe
        failed = np.zeros((len(rows), len(self.data.ids)), dtype=np.uint16)
        prices, caps = self.data.prices(rows), self.data.market_caps(rows)
        failed[:, self.wrong_category] = Reason.CATEGORY
        _mark(failed, np.isnan(prices), Reason.NO_PRICE)
        _mark(failed, np.isnan(caps), Reason.NO_MARKET_CAP)
        if self.first_known is not None:
            age = rows[:, None] - self.first_known[None, :]
            _mark(failed, (age < universe.minimum_age_days) & (self.first_known > 0)[None, :], Reason.TOO_NEW)
        stays = _stay(universe.stay_market_cap, universe.minimum_market_cap)
        _mark_below(failed, caps, universe.minimum_market_cap, stays, (Reason.TOO_SMALL, Reason.TOO_SMALL_TO_STAY))
        self._mark_volumes(failed, rows, universe)
        if self.rulebook.selection.parent_count:
            self._mark_outside_parent(failed, caps)
        scores = self._scores(failed, rows, caps)
        _mark(failed, np.isnan(scores), Reason.NO_HISTORY)
        if self.rulebook.weights.rule in ("inverse-volatility", "low-volatility", "risk-parity"):
            self._mark_without_volatility(failed, rows)
        return Screened(failed, scores)

    def _mark_volumes(self, failed: Failed, rows: Indices, universe: Universe) -> None:
        minimum = universe.minimum_daily_volume
        stay = _stay(universe.stay_daily_volume, minimum)
        if not minimum and not stay:
            return
        for at, row in enumerate(rows):
            columns = np.flatnonzero((failed[at] & ~np.uint16(_ONLY_ENTER | _ONLY_STAY)) == 0)
            days = np.arange(max(0, row - universe.volume_window_days + 1), row + 1)
            medians = np.zeros(failed.shape[1])
            medians[columns] = np.median(self.data.volumes(days, columns), axis=0) if len(columns) else 0.0
            reasons = (Reason.TOO_LITTLE_TRADED, Reason.TOO_LITTLE_TRADED_TO_STAY)
            line = failed[at : at + 1, columns]
            _mark_below(line, medians[None, columns], minimum, stay, reasons)
            failed[at, columns] = line

    def _mark_outside_parent(self, failed: Failed, caps: Matrix) -> None:
        screened = Screened(failed, caps)
        inside = best(screened.ranked_scores(), self.rulebook.selection.parent_count)
        _mark(failed, ~inside, Reason.OUTSIDE_PARENT)

    def _scores(self, failed: Failed, rows: Indices, caps: Matrix) -> Matrix:
        rule = self.rulebook.selection
        if rule.by == "market-cap":
            return caps
        scores = np.full(caps.shape, np.nan)
        columns = np.flatnonzero((failed == 0).any(axis=0) | Screened(failed, caps).may_stay.any(axis=0))
        if rule.by == "momentum":
            scores[:, columns] = momentum(self.data, rows, columns, rule)
        else:
            scores[:, columns] = -volatility(self.data, rows, columns, rule.lookback_days)
        return scores

    def _mark_without_volatility(self, failed: Failed, rows: Indices) -> None:
        columns = np.flatnonzero(Screened(failed, np.empty(0)).may_stay.any(axis=0) | (failed == 0).any(axis=0))
        known = np.ones(failed.shape, dtype=bool)
        spread = volatility(self.data, rows, columns, self.rulebook.weights.lookback_days)
        known[:, columns] = np.isfinite(spread)
        _mark(failed, ~known, Reason.NO_HISTORY)


def open_screens(rulebook: Rulebook, data: MarketData) -> Screens:
    """Prepare a rulebook's screens for a panel."""
    universe, ids = rulebook.universe, data.ids
    include, exclude = set(universe.include), set(universe.exclude)
    wrong = np.array([bool(each & exclude or (include and not each & include)) for each in data.categories()], bool)
    wrong |= np.isin(np.array(ids, dtype=object), list(universe.exclude_assets))
    first_known = data.first_known_rows() if universe.minimum_age_days else None
    return Screens(rulebook, data, wrong, first_known)


def best(scores: Matrix, count: int) -> Mask:
    """Return for each row the `count` highest scores above minus infinity; of equal scores the first."""
    eligible = scores > -np.inf
    if count >= scores.shape[1]:
        return np.asarray(eligible)
    place = scores.shape[1] - count
    least = np.partition(scores, place, axis=1)[:, place : place + 1]
    above, ties = scores > least, (scores == least) & eligible
    room = count - above.sum(axis=1, keepdims=True)
    if (ties.sum(axis=1, keepdims=True) > room).any():
        ties &= np.cumsum(ties, axis=1) <= room
    return np.asarray(above | ties)


def momentum(data: MarketData, rows: Indices, columns: Indices, rule: Selection) -> Matrix:
    """Return the return over `lookback_days` that ended `skip_days` ago; NaN where a price is missing."""
    ends = rows - rule.skip_days
    starts = ends - rule.lookback_days
    found = data.prices(np.maximum(ends, 0))[:, columns] / data.prices(np.maximum(starts, 0))[:, columns] - 1
    found[starts < 0] = np.nan
    return found


def volatility(data: MarketData, rows: Indices, columns: Indices, days: int) -> Matrix:
    """Return the standard deviation of the daily returns of the last days; NaN where half of them are not known."""
    found = np.full((len(rows), len(columns)), np.nan)
    for at, row in enumerate(rows):
        found[at] = deviation(window_returns(data, int(row), columns, days), days)
    return found


def window_returns(data: MarketData, row: int, columns: Indices, days: int) -> Matrix:
    """Return the daily returns of the last days up to a row: one row a day, NaN where a price is missing."""
    prices = data.price_history(columns, max(0, row - days), row).T
    return np.asarray(prices[1:] / prices[:-1] - 1)


def deviation(returns: Matrix, days: int) -> NDArray[np.float64]:
    """Return the standard deviation of a sample of each column's known returns; NaN with too few or no movement."""
    known = np.isfinite(returns)
    count = known.sum(axis=0)
    values = np.ascontiguousarray(np.where(known, returns, 0.0))
    mean = _add(values) / np.maximum(count, 1)
    away = np.where(known, values - mean, 0.0)
    variance = _add(away * away) / np.maximum(count - 1, 1)
    usable = (count >= max(2, days * _LEAST_KNOWN)) & (variance > 0)
    return np.where(usable, np.sqrt(variance), np.nan)


def _add(values: Matrix) -> NDArray[np.float64]:
    return np.asarray(np.add.accumulate(values, axis=0)[-1]) if len(values) else np.zeros(values.shape[1])


def _stay(stay: float | None, minimum: float) -> float:
    return minimum if stay is None else stay


def _mark(failed: Failed, where: Mask, reason: Reason) -> None:
    if where.any():
        failed |= where.astype(np.uint16) * np.uint16(reason)


def _mark_below(failed: Failed, values: Matrix, minimum: float, stay: float, reasons: tuple[Reason, Reason]) -> None:
    """Mark what is under the minimum, and what is under the threshold to stay; unknown values are marked elsewhere."""
    for threshold, reason in zip((minimum, stay), reasons, strict=True):
        if threshold > 0:
            with np.errstate(invalid="ignore"):
                _mark(failed, values < threshold, reason)
