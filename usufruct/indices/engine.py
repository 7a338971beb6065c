"""The index engine: from a rulebook and a panel to levels, weights and trades.

A decision is made at a day's close, from what was known then, and traded at the close some days later
(`calendar.delay_days`). Between trades the number of units of each asset stays. The level is chain-linked: a trade
changes what is held, not the level. The net value pays the costs of each trade.

All trades that only depend on targets and prices are computed at once, as matrices of one row an asset and one column
a rebalance. Where one depends on what was left before (a frozen position, a band, a cap on turnover, impact), it is
computed alone, by the same operations in the same order: both ways give the same bytes.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from usufruct.connectors.prices import Matrix, Panel
from usufruct.indices.errors import NoTrade
from usufruct.indices.market_data import Filled, MarketData, fill_prices
from usufruct.indices.rulebook import Rulebook
from usufruct.indices.screens import Screens, deviation, open_screens
from usufruct.indices.sums import Indices, Vector, total
from usufruct.indices.targets import Signals, Targets, find_targets, read_signals
from usufruct.indices.trading import Liquidity, Trade, kept_after_trades, needs_sequence, trade

_IMPACT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Backtest:
    """What an index did on the days from `first` on, with everything that its report and its events need.

    `nav` and `level` have one value a day, both begin at the rulebook's base: `nav` after costs, `level` without.
    Of each rebalance (columns): `held` after it, `drifted` before it, the part of the value `kept` after costs, and
    what was `traded`. `cash` is the part of the value that is in no asset.
    """

    rulebook: Rulebook
    data: MarketData
    screens: Screens
    first: int
    signals: Signals
    targets: Targets
    decided: Indices
    traded_on: Indices
    held: Matrix
    drifted: Matrix
    cash: Vector
    kept: Vector
    traded: Vector
    growth: Vector
    nav: Vector
    level: Vector
    prices: Matrix
    """Of each asset (row) at each rebalance: the price it was traded or valued at."""

    @property
    def first_day(self) -> date:
        """The day of the first value."""
        return self.data.panel.day(self.first)

    @property
    def last_day(self) -> date:
        """The day of the last value."""
        return self.data.panel.day(self.first + len(self.nav) - 1)

    def ids(self) -> tuple[str, ...]:
        """Return the ids of the assets that are ever held, in the order of the rows of `held`."""
        return tuple(self.data.ids[each] for each in self.targets.columns)

    def valued_at(self, row: int) -> Vector:
        """Return the price at which each asset that is ever held is valued on a row; 0 before its first."""
        history = self.data.price_history(self.targets.columns, 0, row)
        return np.ascontiguousarray(fill_prices(history, self.rulebook.delisting).prices[:, -1])


@dataclass(slots=True)
class _Book:
    """The state of all rebalances while they are computed."""

    rows: Indices
    prices: Matrix
    held: Matrix
    units: Matrix
    drifted: Matrix
    cash: Vector
    kept: Vector
    traded: Vector
    relative: Vector
    """Of each day after the first trade: the value over that after the trade before it."""


def run_index(rulebook: Rulebook, panel: Panel, first: date | None = None, last: date | None = None) -> Backtest:
    """Compute an index from one day to another, by default over all of the panel.

    Rows before `first` are read by look-backs and the regime. Rows after `last` are not read.

    Raises:
        Invalid: when a day is outside the panel.
        TooFewAssets: when too few assets are eligible at the start.
        CapsInfeasible: when caps cannot be met, and the rulebook refuses that.
        NoTrade: when the range ends before the first trade.
    """
    start, end = panel.row(first or panel.first_day), panel.row(last or panel.last_day)
    data = MarketData(panel, rulebook.float_factors)
    screens = open_screens(rulebook, data)
    signals = read_signals(rulebook, data, screens, start, end)
    signals, targets = find_targets(rulebook, data, screens, signals)
    trade_rows = signals.decisions + rulebook.calendar.delay_days
    count = int((trade_rows <= end).sum())
    if not count:
        raise NoTrade(
            f"from {panel.day(start)} to {panel.day(end)} {rulebook.name} decides and does not trade; "
            f"choose a range of more than {rulebook.calendar.delay_days} days"
        )
    rows = trade_rows[:count]
    filled = _filled(rulebook, data, targets.columns, int(rows[0]), end)
    book = _trade_all(rulebook, filled, rows - rows[0], targets, count)
    _trade_in_sequence(rulebook, data, book, filled, targets, signals)
    return _finish(rulebook, data, screens, signals, targets, book, start)


def _filled(rulebook: Rulebook, data: MarketData, columns: Indices, first: int, last: int) -> Filled:
    """Return prices from the first trade on; gaps at its start are filled from the days before."""
    filled = fill_prices(data.price_history(columns, first, last), rulebook.delisting)
    before = min(first, rulebook.delisting.after_days + 1)
    if not before or filled.known[:, 0].all():
        return filled
    filled = fill_prices(data.price_history(columns, first - before, last), rulebook.delisting)
    rest = slice(before, None)
    return Filled(
        np.ascontiguousarray(filled.prices[:, rest]),
        np.ascontiguousarray(filled.known[:, rest]),
        np.ascontiguousarray(filled.settled[:, rest]),
    )


def _trade_all(rulebook: Rulebook, filled: Filled, rows: Indices, targets: Targets, count: int) -> _Book:
    """Compute all rebalances as if each reached its target; `rows` count from the first trade."""
    wanted = np.array(
        targets.weights[:, :count], order="C"
    )  # a copy: trades that miss their target are written into it
    cash = targets.cash[:count].copy()
    prices = filled.prices[:, rows]
    units = np.divide(wanted, prices, out=np.zeros_like(wanted), where=(wanted > 0) & (prices > 0))
    relative = _relative_values(filled.prices, rows, units, cash)
    growth = relative[rows[1:] - 1]
    drifted = np.zeros_like(wanted)
    np.divide(units[:, :-1] * prices[:, 1:], growth, out=drifted[:, 1:], where=growth > 0)
    if needs_sequence(rulebook):
        kept, traded = np.ones(count), np.zeros(count)
    else:
        kept, traded = kept_after_trades(drifted, wanted, rulebook.costs)
    return _Book(rows, prices, wanted, units, drifted, cash, kept, traded, relative)


def _relative_values(prices: Matrix, rows: Indices, units: Matrix, cash: Vector) -> Vector:
    """Return for each day after the first row the value of what was held, over the value after the trade."""
    ends = np.append(rows[1:], prices.shape[1] - 1)
    values = np.repeat(units, ends - rows, axis=1)
    values *= prices[:, 1:]
    return total(values) + np.repeat(cash, ends - rows)


def _trade_in_sequence(
    rulebook: Rulebook, data: MarketData, book: _Book, filled: Filled, targets: Targets, signals: Signals
) -> None:
    """Compute again the rebalances that did not reach their target, or that follow one which did not."""
    wanted = targets.weights[:, : len(book.rows)]
    tradable = filled.known[:, book.rows] | (filled.settled[:, book.rows] & (wanted == 0))
    before = np.zeros_like(wanted)
    before[:, 1:] = wanted[:, :-1]
    alone = (~tradable & ((wanted > 0) | (before > 0))).any(axis=0) | needs_sequence(rulebook)
    if not alone.any():
        return
    differs, nav = False, 1.0
    for at in range(len(book.rows)):
        if at and (differs or alone[at - 1]):
            _drift(book, filled, at)
        if alone[at] or differs:
            liquidity = _liquidity(rulebook, data, targets, int(signals.decisions[at]), nav * _grown(book, at))
            by_calendar = at > 0 and bool(signals.by_calendar[at]) and not bool(signals.switched[at])
            made = trade(
                rulebook, book.drifted[:, at], wanted[:, at], float(targets.cash[at]), tradable[:, at], liquidity,
                limited=by_calendar,
            )  # fmt: skip
            differs = not np.array_equal(made.after, wanted[:, at]) or made.cash != targets.cash[at]
            _enter(book, filled, at, made)
        nav *= _grown(book, at) * float(book.kept[at])


def _grown(book: _Book, at: int) -> float:
    return float(book.relative[book.rows[at] - 1]) if at else 1.0


def _drift(book: _Book, filled: Filled, at: int) -> None:
    """Find what is held just before a rebalance, from what the one before left."""
    value = book.units[:, at - 1] * book.prices[:, at]
    whole = _grown(book, at)
    book.drifted[:, at] = value / whole if whole > 0 else 0.0


def _enter(book: _Book, filled: Filled, at: int, made: Trade) -> None:
    """Write a rebalance into the book, and the values of the days until the next."""
    book.held[:, at], book.cash[at] = made.after, made.cash
    book.kept[at], book.traded[at] = made.kept, made.traded
    price = book.prices[:, at]
    book.units[:, at] = np.divide(made.after, price, out=np.zeros(len(price)), where=(made.after > 0) & (price > 0))
    start = int(book.rows[at])
    end = int(book.rows[at + 1]) if at + 1 < len(book.rows) else filled.prices.shape[1] - 1
    values = total(filled.prices[:, start + 1 : end + 1] * book.units[:, at, None])
    book.relative[start:end] = values + made.cash


def _liquidity(rulebook: Rulebook, data: MarketData, targets: Targets, row: int, nav: float) -> Liquidity | None:
    costs = rulebook.costs
    if not costs.impact and not costs.gas_per_trade:
        return None
    volume = spread = np.zeros(len(targets.columns))
    if costs.impact:
        volume = data.volumes(np.array([row]), targets.columns)[0]
        prices = data.price_history(targets.columns, max(0, row - _IMPACT_DAYS), row).T
        spread = np.nan_to_num(deviation(prices[1:] / prices[:-1] - 1, _IMPACT_DAYS))
    return Liquidity(nav * costs.capital, volume, spread)


def _finish(
    rulebook: Rulebook, data: MarketData, screens: Screens, signals: Signals, targets: Targets, book: _Book, start: int
) -> Backtest:
    """Chain the values of the days: before the first trade the index is in cash."""
    count = len(book.rows)
    growth = np.concatenate(([1.0], book.relative[book.rows[1:] - 1]))
    level_after = np.cumprod(growth)
    nav_after = np.cumprod(growth * book.kept)
    lengths = np.diff(np.append(book.rows, len(book.relative)))
    level = np.repeat(level_after, lengths) * book.relative
    nav = np.repeat(nav_after, lengths) * book.relative
    nav[book.rows[1:] - 1] = nav_after[1:]
    level[book.rows[1:] - 1] = level_after[1:]
    first_trade = int(signals.decisions[0]) + rulebook.calendar.delay_days
    waiting: Vector = np.ones(first_trade - start)
    return Backtest(
        rulebook, data, screens, start, signals, targets, signals.decisions[:count],
        signals.decisions[:count] + rulebook.calendar.delay_days, book.held, book.drifted, book.cash, book.kept,
        book.traded, growth,
        np.asarray(rulebook.base * np.concatenate((waiting, nav_after[:1], nav)), dtype=float),
        np.asarray(rulebook.base * np.concatenate((waiting, level_after[:1], level)), dtype=float),
        book.prices,
    )  # fmt: skip
