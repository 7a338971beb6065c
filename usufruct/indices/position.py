"""A position in an index: what it is worth, how far it is from its targets, and its tax lots, first in first out."""

import csv
import io
from collections import deque
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from usufruct.core import Invalid
from usufruct.indices.engine import Backtest
from usufruct.indices.schedule import next_decision
from usufruct.indices.sums import Vector

_DUST = 1e-9


@dataclass(frozen=True, slots=True)
class Lot:
    """Units of one asset bought on one day. `sold` is None while it is held; `proceeds` is then its value.

    Costs of trades are not in here; the position has their sum.
    """

    asset: str
    bought: date
    sold: date | None
    units: float
    cost: float
    proceeds: float

    @property
    def gain(self) -> float:
        """Proceeds less cost."""
        return self.proceeds - self.cost


@dataclass(frozen=True, slots=True)
class Position:
    """An amount that follows an index since a day. `costs` are those of all trades."""

    opened: date
    day: date
    invested: float
    value: float
    costs: float
    drift: float
    """Half of the sum of differences between weights and targets."""
    next_decision: date | None
    units: dict[str, float]
    cash: float
    lots: tuple[Lot, ...]

    @property
    def profit(self) -> float:
        """Value less what was invested: the gains of all lots less costs."""
        return self.value - self.invested


@dataclass(slots=True)
class _Account:
    """Open lots of each asset, and what was closed."""

    open: dict[str, deque[tuple[date, float, float]]] = field(default_factory=dict)
    closed: list[Lot] = field(default_factory=list)
    costs: float = 0.0

    def buy(self, asset: str, day: date, units: float, price: float) -> None:
        self.open.setdefault(asset, deque()).append((day, units, units * price))

    def sell(self, asset: str, day: date, units: float, price: float) -> None:
        lots = self.open.get(asset, deque())
        while units > 0 and lots:
            bought, size, cost = lots.popleft()
            part = min(units, size)
            share = part / size
            self.closed.append(Lot(asset, bought, day, part, cost * share, part * price))
            if part < size:
                lots.appendleft((bought, size - part, cost * (1 - share)))
            units -= part

    def units(self, asset: str) -> float:
        return sum(size for _, size, _ in self.open.get(asset, ()))


def open_position(backtest: Backtest, amount: float, opened: date) -> Position:
    """Follow an amount that was put into the index at a day's close, to the last day of the backtest.

    Raises:
        Invalid: when the day is not in the backtest after its first trade, or the amount is not positive.
    """
    first = int(backtest.traded_on[0]) - backtest.first
    at = (opened - backtest.first_day).days
    if not first <= at < len(backtest.nav):
        start = backtest.data.panel.day(int(backtest.traded_on[0]))
        raise Invalid(
            f"{opened} is outside the index; choose a day from {start} to {backtest.last_day}", code="day_out_of_range"
        )
    if not 0 < amount < float("inf"):
        raise Invalid(f"an amount must be positive, not {amount:g}; correct it", code="invalid_amount")
    account, panel = _Account(), backtest.data.panel
    row = backtest.first + at
    newest = int(np.searchsorted(backtest.traded_on, row, side="right")) - 1
    weights, cash = weights_on(backtest, row)
    bought = 1 - cash
    value = amount / (1 + backtest.rulebook.costs.rate * bought)
    account.costs = amount - value
    cash_value = cash * value
    prices = _prices(backtest, row)
    for place, asset in enumerate(backtest.ids()):
        if weights[place] > 0 and prices[place] > 0:
            account.buy(asset, opened, weights[place] * value / prices[place], prices[place])
    for index in range(newest + 1, len(backtest.traded_on)):
        cash_value = _follow(backtest, index, account, cash_value)
    last = panel.row(backtest.last_day)
    return _close(backtest, account, amount, opened, cash_value, _prices(backtest, last))


def weights_on(backtest: Backtest, row: int) -> tuple[Vector, float]:
    """Return the weights and the cash at a day's close, drifted since the last rebalance up to it."""
    index = int(np.searchsorted(backtest.traded_on, row, side="right")) - 1
    then, now = backtest.prices[:, index], _prices(backtest, row)
    grown = np.divide(now, then, out=np.zeros(len(then)), where=then > 0) * backtest.held[:, index]
    whole = float(grown.sum()) + float(backtest.cash[index])
    return (grown / whole, float(backtest.cash[index]) / whole) if whole else (grown, 1.0)


def tax_lots_csv(position: Position) -> str:
    """Return all lots as CSV, closed ones first, with a last line of totals."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("asset", "bought", "sold", "units", "cost", "proceeds", "gain"))
    for lot in position.lots:
        writer.writerow(
            (
                lot.asset,
                lot.bought,
                lot.sold or "",
                repr(float(lot.units)),
                f"{lot.cost:.6f}",
                f"{lot.proceeds:.6f}",
                f"{lot.gain:.6f}",
            )
        )
    sums = [sum(getattr(lot, name) for lot in position.lots) for name in ("cost", "proceeds", "gain")]
    writer.writerow(("total", "", "", "", *(f"{each:.6f}" for each in sums)))
    return out.getvalue()


def _follow(backtest: Backtest, index: int, account: _Account, cash: float) -> float:
    """Do one rebalance for the account; return its cash."""
    day = backtest.data.panel.day(int(backtest.traded_on[index]))
    prices, after = backtest.prices[:, index], backtest.held[:, index]
    value = cash + sum(account.units(asset) * float(prices[at]) for at, asset in enumerate(backtest.ids()))
    left = value * float(backtest.kept[index])
    for at, asset in enumerate(backtest.ids()):
        has = account.units(asset)
        wants = after[at] * left / prices[at] if after[at] > 0 and prices[at] > 0 else 0.0
        if wants > has * (1 + _DUST):
            account.buy(asset, day, wants - has, float(prices[at]))
        elif wants < has * (1 - _DUST):
            account.sell(asset, day, has - wants if wants else has, float(prices[at]))
    account.costs += value - left
    return float(backtest.cash[index]) * left


def _close(backtest: Backtest, account: _Account, amount: float, opened: date, cash: float, prices: Vector) -> Position:
    ids = backtest.ids()
    price = dict(zip(ids, prices.tolist(), strict=True))
    still = [
        Lot(asset, bought, None, units, cost, units * price[asset])
        for asset in sorted(account.open)
        for bought, units, cost in account.open[asset]
    ]
    units = {asset: account.units(asset) for asset in sorted(account.open) if account.open[asset]}
    value = cash + sum(size * price[asset] for asset, size in units.items())
    wanted = dict(zip(ids, backtest.targets.weights[:, len(backtest.traded_on) - 1].tolist(), strict=True))
    drift = (
        sum(abs(units.get(asset, 0.0) * price[asset] / value - wanted[asset]) for asset in ids) / 2 if value else 0.0
    )
    return Position(
        opened,
        backtest.last_day,
        amount,
        value,
        account.costs,
        drift,
        next_decision(backtest.rulebook.calendar, backtest.last_day),
        units,
        cash,
        (*account.closed, *still),
    )


def _prices(backtest: Backtest, row: int) -> Vector:
    """Return the prices that positions are valued at on a day."""
    return backtest.valued_at(row)
