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
    """Daily values with an overlay; `exposure` is the part that is invested after each day's trades."""

    nav: Vector
    exposure: Vector
    stops: tuple[int, ...]
    """Days (places in `nav`) at whose close a stop-loss was reached."""


def apply_overlay(backtest: Backtest) -> Overlaid:
    """Apply the rulebook's overlay to an index: core and satellite first, then the stop-loss and the size."""
    rule, rate = backtest.rulebook.overlay, backtest.rulebook.costs.rate
    values = backtest.nav
    if rule == Overlay():
        return Overlaid(values, np.ones(len(values)), ())
    if rule.core is not None:
        asset, share = rule.core
        values = core_satellite(core_values(backtest, asset), values, share, rule.core_every_days, rate)
    return stop_and_size(values, rule, rate, backtest.rulebook.base)


def core_values(backtest: Backtest, asset: str) -> Vector:
    """Return the price of one asset over the days of a backtest, gaps filled, as values from 1 on."""
    column = np.array([backtest.data.column(asset)])
    last = backtest.first + len(backtest.nav) - 1
    prices = backtest.data.price_history(column, backtest.first, last)[0]
    rows = last_true(np.isfinite(prices))
    filled = np.where(rows == NEVER, 1.0, prices[np.maximum(rows, 0)])
    start = int(np.argmax(rows != NEVER))
    return np.asarray(np.where(rows == NEVER, 1.0, filled / filled[start]))


def core_satellite(core: Vector, satellite: Vector, share: float, every: int, rate: float) -> Vector:
    """Return the value of `share` in the core and the rest in the satellite, back to their shares every some days.

    Shares drift in between; going back costs `rate` of what is traded.
    """
    values = np.empty(len(core))
    value, start = 1.0, 0
    for at in range(len(core)):
        parts = share * core[at] / core[start], (1 - share) * satellite[at] / satellite[start]
        grown = parts[0] + parts[1]
        values[at] = value * grown
        if at > start and (at - start) % every == 0:
            traded = abs(share - parts[0] / grown) + abs((1 - share) - parts[1] / grown)
            value, start = value * grown * (1 - rate * traded), at
            values[at] = value
    return values


def stop_and_size(values: Vector, rule: Overlay, rate: float, base: float) -> Overlaid:
    """Hold `position_size` of the value in the index; sell all of it a day after it fell by `stop_loss` from its peak.

    It is bought again `re_entry_days` later. The size is set at each entry and drifts in between.
    """
    nav, exposure = np.empty(len(values)), np.empty(len(values))
    invested, cash = rule.position_size * base, (1 - rule.position_size) * base
    peak, stops, sell, buy_at = values[0], [], False, -1
    for at in range(len(values)):
        if at:
            invested *= values[at] / values[at - 1]
        if sell:
            invested, cash, sell, buy_at = 0.0, cash + invested * (1 - rate), False, at + rule.re_entry_days
        elif at == buy_at:
            whole, peak = cash, values[at]
            invested = rule.position_size * whole / (1 + rate * rule.position_size)
            cash = whole - invested * (1 + rate)
        elif invested and rule.stop_loss:
            peak = max(peak, values[at])
            sell = values[at] <= peak * (1 - rule.stop_loss)
            stops += [at] if sell else []
        nav[at] = invested + cash
        exposure[at] = invested / nav[at] if nav[at] else 0.0
    return Overlaid(nav, exposure, tuple(stops))
