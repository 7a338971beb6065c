"""What a model learns to say: how an asset will do among the others, over the days after the signal is traded."""

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.indicators import carried, day_ranks
from usufruct.analytics.learned.plan import DELAY_DAYS
from usufruct.connectors.prices import Matrix


def forward_returns(close: Matrix, horizon_days: int) -> Matrix:
    """Return the log return from the close a day after each day to that of `horizon_days` later.

    NaN without a price to buy at, and where the end is not there yet. An asset whose prices end before counts with its
    last price: leaving it out would be a choice by what is known only later.
    """
    prices = np.where(close > 0, close, np.nan)
    result = np.full_like(prices, np.nan)
    days = len(prices) - DELAY_DAYS - horizon_days
    if days > 0:
        bought = prices[DELAY_DAYS : DELAY_DAYS + days]
        sold = carried(prices, horizon_days)[DELAY_DAYS + horizon_days :]
        result[:days] = np.log(sold / bought)
    return result


def rank_labels(returns: Matrix, known: NDArray[np.bool_]) -> Matrix:
    """Return each return's rank among those of its day, from -0.5 (lowest) to 0.5; only of assets that are scored."""
    return day_ranks(np.where(known, returns, np.nan)) / 100.0 - 0.5


def shuffled_labels(labels: Matrix, days: NDArray[np.int64], seed: int) -> Matrix:
    """Return the labels of each day dealt to its assets at random: what is learned from them is nothing.

    `days` numbers the rows, so that a row's order is the same whatever rows come after it.
    """
    result = labels.copy()
    for row, day in enumerate(days.tolist()):
        there = np.flatnonzero(~np.isnan(labels[row]))
        result[row, there] = labels[row, np.random.default_rng([seed, day]).permutation(there)]
    return result
