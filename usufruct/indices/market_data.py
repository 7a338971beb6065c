"""The panel as the engine reads it: columns in the order of ids, gaps filled, bad prices left out.

A price that is 0, negative, infinite or NaN is not known. So is a market cap that is not a positive number. A gap keeps
the last price for a number of days; after them the asset is gone, at its last price or at 0 (`Delisting`).
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.connectors.prices import Matrix, Panel
from usufruct.core import Invalid
from usufruct.indices.rulebook import Delisting, FloatFactor
from usufruct.indices.sums import NEVER, Indices, Mask, Vector, last_true, total

APART: Final = 10.0
"""From one day to the next the price of an asset does not rise so many times more than its market cap."""
_BLOCK = 128


@dataclass(frozen=True, slots=True)
class MarketData:
    """A panel's values in the order of asset ids, with the rulebook's free float applied to market caps."""

    panel: Panel
    float_factors: tuple[FloatFactor, ...] = ()
    order: Indices = field(init=False)
    ids: tuple[str, ...] = field(init=False)
    _sorted: bool = field(init=False)

    def __post_init__(self) -> None:
        ids = [asset.id for asset in self.panel.assets]
        order = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.intp)
        object.__setattr__(self, "order", order)
        object.__setattr__(self, "ids", tuple(ids[each] for each in order))
        object.__setattr__(self, "_sorted", bool((order == np.arange(len(ids))).all()))

    def column(self, asset: str) -> int:
        """Return the column of an asset's id.

        Raises:
            Invalid: when the panel does not have it.
        """
        if asset not in self.panel.column:
            raise Invalid(f"the data have no asset {asset!r}; choose one of its ids", code="unknown_asset")
        return self.ids.index(asset)

    def categories(self) -> list[frozenset[str]]:
        """Return the categories of each asset."""
        return [self.panel.assets[each].categories for each in self.order]

    def prices(self, rows: Indices) -> Matrix:
        """Return the prices of some days, NaN where not known."""
        return _positive(self._take(self.panel.close, rows))

    def market_caps(self, rows: Indices) -> Matrix:
        """Return the market caps of some days times the free float known by then, NaN where not known."""
        caps = _positive(self._take(self.panel.market_cap, rows))
        place = {each: at for at, each in enumerate(self.ids)} if self.float_factors else {}
        for factor in sorted(self.float_factors, key=lambda each: each.known_from):
            if factor.asset in place:
                since = rows >= (factor.known_from - self.panel.first_day).days
                column = place[factor.asset]
                earlier = caps[since, column] / self._factor_before(factor)
                caps[since, column] = earlier * factor.factor
        return caps

    def volumes(self, rows: Indices, columns: Indices) -> Matrix:
        """Return the volumes of some days and assets; 0 where not known."""
        values = self.panel.volume[np.ix_(rows, self.order[columns])]
        return np.where(np.isfinite(values) & (values > 0), values, 0.0)

    def price_history(self, columns: Indices, first: int, last: int) -> Matrix:
        """Return the prices of some assets from one row to another (included): one row an asset."""
        chosen = self.order[columns]
        return _positive(np.ascontiguousarray(self.panel.close[first : last + 1].T[chosen]))

    def first_known_rows(self) -> NDArray[np.intp]:
        """Return the first row with a price of each asset; the number of days where there is none."""
        close = self.panel.close
        first = np.full(len(self.ids), len(close), dtype=np.intp)
        pending = np.arange(len(self.ids))
        for start in range(0, len(close), _BLOCK):
            with np.errstate(invalid="ignore"):
                block = close[start : start + _BLOCK, self.order[pending]]
                known = (block > 0) & (block < np.inf)
            found = known.any(axis=0)
            first[pending[found]] = start + known[:, found].argmax(axis=0)
            pending = pending[~found]
            if not len(pending):
                break
        return first

    def market_index(self, eligible: Mask, first: int, last: int) -> Vector:
        """Return the chained index of assets from one row to another, 1 at the first.

        Each day's return is that of the assets with a price on both days, weighted by the market cap of the day before.
        An asset whose price rose over `APART` times more than its market cap is left out that day: a price was wrong,
        or its units changed. A price that falls beside its cap counts: supplies that explode are losses of holders.
        """
        returns = np.zeros(last - first + 1)
        chosen = np.flatnonzero(eligible)
        for start in range(first, last, _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, last) + 1)
            prices = np.ascontiguousarray(self._chosen(self.panel.close, rows, chosen).T)
            every_cap = np.ascontiguousarray(self._chosen(self.panel.market_cap, rows, chosen).T)
            caps = every_cap[:, :-1]
            with np.errstate(invalid="ignore"):
                usable = np.isfinite(prices[:, 1:]) & np.isfinite(prices[:, :-1]) & np.isfinite(caps)
                usable &= ~(prices[:, 1:] * caps > APART * (prices[:, :-1] * every_cap[:, 1:]))
            before = np.where(usable, prices[:, :-1], 1.0)
            moved = np.where(usable, prices[:, 1:], 1.0) / before - 1
            weight = np.where(usable, caps, 0.0)
            whole = total(weight)
            gains = total(moved * weight)
            returns[rows[1:] - first] = np.divide(gains, whole, out=np.zeros(len(whole)), where=whole > 0)
        return np.asarray(np.cumprod(1 + returns))

    def _chosen(self, values: Matrix, rows: Indices, chosen: Indices) -> Matrix:
        return _positive(values[rows[0] : rows[-1] + 1, self.order[chosen]])

    def _take(self, values: Matrix, rows: Indices) -> Matrix:
        return values[rows] if self._sorted else values[rows[:, None], self.order[None, :]]

    def _factor_before(self, factor: FloatFactor) -> float:
        earlier = [e for e in self.float_factors if e.asset == factor.asset and e.known_from < factor.known_from]
        return max(earlier, key=lambda each: each.known_from).factor if earlier else 1.0


@dataclass(frozen=True, slots=True)
class Filled:
    """Prices without gaps, one row an asset: what a position is valued at, and whether it can be traded."""

    prices: Matrix
    known: Mask
    settled: Mask
    """The asset is gone: what is left of it is paid out at `prices`."""


def fill_prices(prices: Matrix, rule: Delisting) -> Filled:
    """Fill the gaps of prices that are NaN where not known; before its first price an asset is worth 0."""
    known = np.isfinite(prices)
    if known.all():
        return Filled(prices, known, np.zeros_like(known))
    last = last_true(known)
    filled = np.take_along_axis(prices, np.maximum(last, 0), axis=1)
    age = np.arange(prices.shape[1]) - last
    settled = (last != NEVER) & (age > rule.after_days)
    filled[last == NEVER] = 0.0
    if rule.value == "zero":
        filled[settled] = 0.0
    return Filled(filled, known, settled)


def _positive(values: Matrix) -> Matrix:
    """Return a copy with NaN for what is not a positive, finite number."""
    with np.errstate(invalid="ignore"):
        good = (values > 0) & (values < np.inf)
    return values if good.all() else np.where(good, values, np.nan)
