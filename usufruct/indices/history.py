"""What an index held and what its assets were worth, day by day: all that a position in it is computed from."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np

from usufruct.connectors.prices import Matrix
from usufruct.indices.engine import Backtest
from usufruct.indices.market_data import fill_prices
from usufruct.indices.rulebook import Rulebook
from usufruct.indices.sums import Indices, Vector

LARGEST: Final = 10
"""So many of the largest assets can be a core beside any index, also one that does not hold them."""


class AssetName(NamedTuple):
    """How an asset is called."""

    id: str
    symbol: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class IndexHistory:
    """One row for each of `assets`: those that the index ever held, then others of the largest.

    `valued` [assets x days from `first_day` on]: what one unit is valued at, 0 before its first price. `traded`: the
    days of the rebalances, counted from `first_day`. `held` [assets x rebalances]: weights after each, `cash` the rest.
    `targets`: the weights that the last one was to reach. `nav` [days]: the index's value after costs.
    """

    rulebook: Rulebook
    first_day: date
    assets: tuple[AssetName, ...]
    nav: Vector
    valued: Matrix
    traded: Indices
    held: Matrix
    cash: Vector
    targets: Vector

    @property
    def last_day(self) -> date:
        """The day of the last value."""
        return self.day(len(self.nav) - 1)

    @property
    def first_trade(self) -> date:
        """The first day on which it held anything."""
        return self.day(int(self.traded[0]))

    def day(self, at: int) -> date:
        """Return the day of a place."""
        return self.first_day + timedelta(days=at)

    def weights_at(self, at: int) -> tuple[Vector, float]:
        """Return the weights and the cash at a day's close: those of the rebalance before, drifted since, up to it."""
        weights, cash = self.weights_on(np.array([at]))
        return np.ascontiguousarray(weights[:, 0]), float(cash[0])

    def weights_on(self, days: Indices) -> tuple[Matrix, Vector]:
        """Return the same of several days: [assets x days] and [days]; all is cash where nothing is worth anything."""
        newest = np.searchsorted(self.traded, days, side="right") - 1
        then, now = self.valued[:, self.traded[newest]], self.valued[:, days]
        grown = np.divide(now, then, out=np.zeros_like(then), where=then > 0) * self.held[:, newest]
        whole = grown.sum(axis=0) + self.cash[newest]
        some = whole > 0
        return (
            np.divide(grown, whole, out=np.zeros_like(grown), where=some),
            np.divide(self.cash[newest], whole, out=np.ones_like(whole), where=some),
        )


def history_of(backtest: Backtest) -> IndexHistory:
    """Return the history of an index that was computed."""
    data, traded = backtest.data, backtest.traded_on - backtest.first
    members = backtest.targets.columns
    columns = np.concatenate((members, _largest_others(backtest)))
    last = backtest.first + len(backtest.nav) - 1
    filled = fill_prices(data.price_history(columns, 0, last), backtest.rulebook.delisting)
    others = len(columns) - len(members)
    assets = [data.panel.assets[int(data.order[each])] for each in columns]
    return IndexHistory(
        backtest.rulebook,
        backtest.first_day,
        tuple(AssetName(each.id, each.symbol, each.name) for each in assets),
        backtest.nav,
        np.ascontiguousarray(filled.prices[:, backtest.first :]),
        traded,
        np.pad(backtest.held, ((0, others), (0, 0))),
        backtest.cash,
        np.pad(backtest.targets.weights[:, len(traded) - 1], (0, others)),
    )


def _largest_others(backtest: Backtest) -> Indices:
    """Return the columns of the largest assets of the last day that the index never held."""
    row = np.array([backtest.first + len(backtest.nav) - 1])
    caps = np.nan_to_num(backtest.data.market_caps(row)[0])
    ranked = np.argsort(-caps, kind="stable")[:LARGEST]
    return np.setdiff1d(ranked[caps[ranked] > 0], backtest.targets.columns)
