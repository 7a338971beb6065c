"""What a holder does about risk: a smaller position, a stop-loss, a core beside the index. The rest is cash.

An overlay is decided at a day's close and traded at the next, as the index is. Cash earns nothing.
"""

from dataclasses import dataclass

import numpy as np

from usufruct.indices.engine import Backtest
from usufruct.indices.rulebook import Overlay
from usufruct.indices.sums import NEVER, Vector, last_true


@dataclass(frozen=True, slots=True)
class Overlaid:
    """Daily values with an overlay, after each day's trades.

    `exposure` is the part of the value that is invested, `core` the part of it that is in the core. Days are places in
    `nav`: `trades` are those on which the overlay traded, `stops` those at whose close a stop-loss was reached.
    """

    nav: Vector
    exposure: Vector
    core: Vector
    trades: tuple[int, ...]
    stops: tuple[int, ...]


def apply_overlay(backtest: Backtest) -> Overlaid:
    """Apply the rulebook's overlay to an index."""
    rule = backtest.rulebook
    core = None if rule.overlay.core is None else core_values(backtest, rule.overlay.core[0])
    return overlay_values(backtest.nav, rule.overlay, rule.costs.rate, rule.base, core)


def overlay_values(values: Vector, rule: Overlay, rate: float, base: float, core: Vector | None = None) -> Overlaid:
    """Apply an overlay to an index's values, from `base` on: core and satellite first, then the stop-loss and the size.

    `rate` is the cost of a trade, as a part of what is traded; `core` has the values of the overlay's core.
    """
    count = len(values)
    parts: Vector = np.zeros(count)
    went_back: tuple[int, ...] = ()
    if rule.core is not None and core is not None:
        values, parts, went_back = core_satellite(core, values, rule.core[1], rule.core_every_days, rate)
    if rule.position_size == 1 and not rule.stop_loss:
        scale = base / values[0]
        return Overlaid(values if scale == 1 else values * scale, np.ones(count), parts, went_back, ())
    found = stop_and_size(values, rule, rate, base)
    trades = tuple(sorted({*found.trades, *went_back}))
    return Overlaid(found.nav, found.exposure, parts, trades, found.stops)


def core_values(backtest: Backtest, asset: str) -> Vector:
    """Return the price of one asset over the days of a backtest, gaps filled, as values from 1 on."""
    column = np.array([backtest.data.column(asset)])
    last = backtest.first + len(backtest.nav) - 1
    prices = backtest.data.price_history(column, backtest.first, last)[0]
    rows = last_true(np.isfinite(prices))
    filled = np.where(rows == NEVER, 1.0, prices[np.maximum(rows, 0)])
    start = int(np.argmax(rows != NEVER))
    return np.asarray(np.where(rows == NEVER, 1.0, filled / filled[start]))


def core_satellite(
    core: Vector, satellite: Vector, share: float, every: int, rate: float
) -> tuple[Vector, Vector, tuple[int, ...]]:
    """Hold `share` in the core and the rest in the satellite; every some days they go back to their shares.

    Shares drift in between; going back costs `rate` of what is traded. Returns the values from 1 on, the core's share
    after each day, and the days on which it went back.
    """
    values, shares = np.empty(len(core)), np.empty(len(core))
    value, start, went_back = 1.0, 0, []
    for at in range(len(core)):
        parts = share * core[at] / core[start], (1 - share) * satellite[at] / satellite[start]
        grown = parts[0] + parts[1]
        values[at], shares[at] = value * grown, parts[0] / grown
        if at > start and (at - start) % every == 0:
            traded = abs(share - parts[0] / grown) + abs((1 - share) - parts[1] / grown)
            value, start = value * grown * (1 - rate * traded), at
            values[at], shares[at] = value, share
            went_back.append(at)
    return values, shares, tuple(went_back)


def stop_and_size(values: Vector, rule: Overlay, rate: float, base: float) -> Overlaid:
    """Hold `position_size` of the value in the index; sell all of it a day after it fell by `stop_loss` from its peak.

    It is bought again `re_entry_days` later. The size is set at each entry and drifts in between.
    """
    nav, exposure = np.empty(len(values)), np.empty(len(values))
    invested, cash = rule.position_size * base, (1 - rule.position_size) * base
    peak, sell, buy_at = values[0], False, -1
    stops: list[int] = []
    trades: list[int] = []
    for at in range(len(values)):
        if at:
            invested *= values[at] / values[at - 1]
        if sell:
            invested, cash, sell, buy_at = 0.0, cash + invested * (1 - rate), False, at + rule.re_entry_days
            trades.append(at)
        elif at == buy_at:
            whole, peak = cash, values[at]
            invested = rule.position_size * whole / (1 + rate * rule.position_size)
            cash = whole - invested * (1 + rate)
            trades.append(at)
        elif invested and rule.stop_loss:
            peak = max(peak, values[at])
            sell = values[at] <= peak * (1 - rule.stop_loss)
            stops += [at] if sell else []
        nav[at] = invested + cash
        exposure[at] = invested / nav[at] if nav[at] else 0.0
    return Overlaid(nav, exposure, np.zeros(len(values)), tuple(trades), tuple(stops))
