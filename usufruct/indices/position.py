"""A position in an index: what it is worth, what it holds, how far that is from its targets, and its tax lots.

First the value of each day, by the index's values and the overlay; then the units that make it up: on each day with a
trade they are set to the weights of that day, and what is bought and sold on the way are the lots.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from usufruct.connectors.prices import Matrix
from usufruct.indices.errors import InvalidPosition
from usufruct.indices.history import LARGEST, AssetName, IndexHistory
from usufruct.indices.lots import Lot, match_lots
from usufruct.indices.overlays import Overlaid, overlay_values
from usufruct.indices.rulebook import Overlay
from usufruct.indices.schedule import next_decision
from usufruct.indices.sums import Indices, Vector

MOST_AMOUNT: Final = 1e12

_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class PositionHolding:
    """What a position has of one asset on its last day; `target` is the weight that the last decision wanted."""

    asset: AssetName
    units: float
    price: float
    weight: float
    target: float

    @property
    def value(self) -> float:
        """What it is worth."""
        return self.units * self.price


@dataclass(frozen=True, slots=True, eq=False)
class Position:
    """An amount that follows an index since a day, with an overlay.

    `values` has its value and what was invested of each day from `opened` on. `units` [assets of the history x
    trades]: what is held after the trades of each day of `traded`, at `prices`. Costs are those of all trades.
    """

    history: IndexHistory
    overlay: Overlay
    opened: date
    invested: float
    values: Overlaid
    traded: tuple[date, ...]
    units: Matrix
    prices: Matrix
    costs: float
    holdings: tuple[PositionHolding, ...]
    """The largest first."""

    @property
    def value(self) -> float:
        """What it is worth on its last day."""
        return float(self.values.nav[-1])

    @property
    def cash(self) -> float:
        """What is in no asset."""
        left = self.value - sum(each.value for each in self.holdings)
        return left if left > _ROUNDING * self.value else 0.0

    @property
    def profit(self) -> float:
        """Value less what was invested: the gains of all lots less costs."""
        return self.value - self.invested

    @property
    def drift(self) -> float:
        """Half of the sum of differences between weights and targets."""
        return sum(abs(each.weight - each.target) for each in self.holdings) / 2

    @property
    def stops(self) -> tuple[date, ...]:
        """The days at whose close the stop-loss was reached."""
        first = (self.opened - self.history.first_day).days
        return tuple(self.history.day(first + each) for each in self.values.stops)

    @property
    def next_decision(self) -> date | None:
        """When the index's calendar decides next."""
        return next_decision(self.history.rulebook.calendar, self.history.last_day)

    def lots(self) -> list[Lot]:
        """Return all lots: those that were sold in the order of their sales, then those that are held."""
        days, last = list(self.traded), self.history.valued[:, -1].tolist()
        found = [
            lot
            for row, asset in enumerate(self.history.assets)
            if self.units[row].any()
            for lot in match_lots(asset.id, days, self.units[row], self.prices[row], last[row])
        ]
        return sorted(found, key=lambda each: (each.sold or date.max, each.asset, each.bought))


def open_position(
    history: IndexHistory, amount: float, opened: date | None = None, overlay: Overlay | None = None
) -> Position:
    """Follow an amount that was put into an index at a day's close, by default the first on which it held anything.

    The overlay is that of the rulebook if none is given.

    Raises:
        InvalidPosition: when the index held nothing yet on the day, the amount is not positive, or the overlay's core
            is no asset of the history or has no price on the day.
    """
    overlay = overlay or history.rulebook.overlay
    first = _place(history, history.first_trade if opened is None else opened)
    if not 0 < amount <= MOST_AMOUNT:
        raise InvalidPosition(
            f"amount is {amount:g}; it must be more than 0, and at most {MOST_AMOUNT:g}", field="amount"
        )
    row = None if overlay.core is None else _core(history, overlay.core[0], first)
    values = _values(history, amount, first, overlay, row)
    trades = _trades(history, first, values)
    weights, prices = _weights(history, first, values, trades, row)
    nav = values.nav[trades]
    units = np.divide(weights * nav, prices, out=np.zeros_like(weights), where=prices > 0)
    cash = nav - (units * prices).sum(axis=0)
    before = (units[:, :-1] * prices[:, 1:]).sum(axis=0) + cash[:-1]
    return Position(
        history,
        overlay,
        history.day(first),
        amount,
        values,
        tuple(history.day(first + each) for each in trades.tolist()),
        units,
        prices,
        amount - float(nav[0]) + float((before - nav[1:]).sum()),
        _holdings(history, values, units[:, -1], row),
    )


def _place(history: IndexHistory, opened: date) -> int:
    at = (opened - history.first_day).days
    if not int(history.traded[0]) <= at < len(history.nav):
        raise InvalidPosition(
            f"{opened} is outside the index; choose a day from {history.first_trade} to {history.last_day}",
            field="since",
        )
    return at


def _core(history: IndexHistory, asset: str, at: int) -> int:
    """Return the row of the core."""
    ids = [each.id for each in history.assets]
    if asset not in ids:
        raise InvalidPosition(
            f"{asset[:40]!r} cannot be the core; choose an asset that the index held, or one of the {LARGEST} largest",
            field="core",
        )
    row = ids.index(asset)
    if not history.valued[row, at] > 0:
        raise InvalidPosition(f"{asset} had no price on {history.day(at)}; choose a later day", field="core")
    return row


def _values(history: IndexHistory, amount: float, first: int, overlay: Overlay, core: int | None) -> Overlaid:
    """Return the value of each day: the first one has paid for what is bought on it."""
    share = 0.0 if overlay.core is None else overlay.core[1]
    bought = overlay.position_size * (share + (1 - share) * (1 - history.weights_at(first)[1]))
    rate = history.rulebook.costs.rate
    prices = None if core is None else history.valued[core, first:] / history.valued[core, first]
    return overlay_values(history.nav[first:], overlay, rate, amount / (1 + rate * bought), prices)


def _trades(history: IndexHistory, first: int, values: Overlaid) -> Indices:
    """Return the days with a trade, counted from the first: that day, rebalances, and trades of the overlay."""
    rebalances = history.traded - first
    return np.unique(np.concatenate(([0], rebalances[rebalances > 0], values.trades)).astype(np.intp))


def _weights(
    history: IndexHistory, first: int, values: Overlaid, trades: Indices, core: int | None
) -> tuple[Matrix, Matrix]:
    """Return the parts of the value in each asset after the trades of some days, and the prices of these days."""
    invested, share = values.exposure[trades], values.core[trades]
    weights = history.weights_on(first + trades)[0] * (invested * (1 - share))
    if core is not None:
        weights[core] += invested * share
    return weights, history.valued[:, first + trades]


def _holdings(history: IndexHistory, values: Overlaid, units: Vector, core: int | None) -> tuple[PositionHolding, ...]:
    prices, whole = history.valued[:, -1], float(values.nav[-1])
    invested, share = float(values.exposure[-1]), float(values.core[-1])
    targets = invested * (1 - share) * history.targets
    if core is not None:
        targets[core] += invested * share
    found = [
        PositionHolding(
            history.assets[row],
            float(units[row]),
            float(prices[row]),
            float(units[row] * prices[row]) / whole if whole else 0.0,
            float(targets[row]),
        )
        for row in np.flatnonzero((units > 0) | (targets > 0)).tolist()
    ]
    return tuple(sorted(found, key=lambda each: (-each.value, each.asset.id)))
