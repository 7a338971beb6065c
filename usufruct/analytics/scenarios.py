"""What an asset's price would be if the whole market's capitalization were another: by how it moved with the market."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.indicators import log_returns
from usufruct.connectors.prices import Panel

DAYS: Final = 365
LEAST_DAYS: Final = 90
HORIZON_DAYS: Final = 365
FACTORS: Final = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
"""Scenarios, as multiples of today's total market cap."""

Row = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Prices where the total market cap is `total_market_cap`; `bear` and `moon` are one standard error away."""

    factor: float
    total_market_cap: float
    bear: float
    base: float
    moon: float


def compute_scenarios(panel: Panel) -> list[list[Scenario]]:
    """Return each asset's scenarios as of the last day; none for one with under `LEAST_DAYS` daily returns."""
    beta, error, count = sensitivity(panel)
    total = float(np.nansum(panel.market_cap[-1])) if panel.days else 0.0
    price = np.where(panel.close[-1] > 0, panel.close[-1], np.nan)
    known = ~np.isnan(beta) & ~np.isnan(price) & (count >= LEAST_DAYS)
    spread = error * np.sqrt(HORIZON_DAYS)
    return [
        [_scenario(factor, total, float(price[at]), float(beta[at]), float(spread[at])) for factor in FACTORS]
        if known[at]
        else []
        for at in range(len(panel.assets))
    ]


def sensitivity(panel: Panel) -> tuple[Row, Row, NDArray[np.int64]]:
    """Regress each asset's daily log returns on the market's: slope, standard error of a day, number of days.

    The market's return of a day compares the caps of the assets that are known on both days, so newcomers are no gain.
    """
    caps, closes = panel.market_cap[-DAYS - 1 :], panel.close[-DAYS - 1 :]
    both = ~np.isnan(caps[1:]) & ~np.isnan(caps[:-1])
    after, before = (np.where(both, each, 0.0).sum(axis=1) for each in (caps[1:], caps[:-1]))
    usable = (after > 0) & (before > 0)
    market = np.where(usable, np.log(np.where(usable, after, 1.0) / np.where(usable, before, 1.0)), np.nan)[:, None]
    own = log_returns(np.where(closes > 0, closes, np.nan))[1:]
    known = ~np.isnan(own) & ~np.isnan(market)
    count = known.sum(axis=0)
    divisor = np.maximum(count, 1)
    x, y = np.where(known, market, 0.0), np.where(known, own, 0.0)
    x = np.where(known, x - x.sum(axis=0) / divisor, 0.0)
    y = np.where(known, y - y.sum(axis=0) / divisor, 0.0)
    spread = (x * x).sum(axis=0)
    beta = np.where(spread > 1e-18, (x * y).sum(axis=0) / np.where(spread > 1e-18, spread, 1.0), np.nan)
    rest = np.where(known, y - np.nan_to_num(beta) * x, 0.0)
    error = np.sqrt((rest * rest).sum(axis=0) / np.maximum(count - 2, 1))
    return beta, error, count


def _scenario(factor: float, total: float, price: float, beta: float, spread: float) -> Scenario:
    base = price * factor**beta
    return Scenario(factor, total * factor, base * float(np.exp(-spread)), base, base * float(np.exp(spread)))
