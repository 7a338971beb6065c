"""Bull, bear and chop: what the whole market does, in stretches of weeks to months."""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from usufruct.connectors.prices.panel import Matrix
from usufruct.connectors.prices.synthetic.chance import heavy, stream, uniform, words
from usufruct.connectors.prices.synthetic.market import SyntheticMarket


class Regime(IntEnum):
    """State of the market that drives drift and volatility of every asset."""

    BULL = 0
    BEAR = 1
    CHOP = 2


class _Kind(NamedTuple):
    drift: float
    volatility: float
    shortest: int
    longest: int
    next: tuple[Regime, Regime]


_KINDS = {
    Regime.BULL: _Kind(0.0026, 0.026, 90, 330, (Regime.BEAR, Regime.CHOP)),
    Regime.BEAR: _Kind(-0.0030, 0.034, 60, 210, (Regime.CHOP, Regime.BULL)),
    Regime.CHOP: _Kind(0.0002, 0.016, 45, 180, (Regime.BULL, Regime.BEAR)),
}
_FIRST_CHOICE = 0.65


def regimes(market: SyntheticMarket) -> NDArray[np.int8]:
    """Return the regime of each day, as numbers of `Regime`: what a detector of regimes is measured against."""
    stretches = _stretches(market.seed)
    days = np.empty(market.days, dtype=np.int8)
    filled = 0
    while filled < market.days:
        regime, length = next(stretches)
        days[filled : filled + length] = regime
        filled += length
    return days


def market_returns(market: SyntheticMarket) -> tuple[Matrix, Matrix]:
    """Return the market's daily returns, and the volatility of each day's regime."""
    kinds = regimes(market)
    drift = np.array([_KINDS[each].drift for each in Regime])[kinds]
    volatility = np.array([_KINDS[each].volatility for each in Regime])[kinds]
    drawn = words(stream(market.seed, "market"), market.days, 2)
    return drift + volatility * heavy(drawn[:, 0], drawn[:, 1]), volatility


def _stretches(seed: int) -> Iterator[tuple[Regime, int]]:
    source = stream(seed, "regimes")
    regime = Regime.BULL
    while True:
        kind = _KINDS[regime]
        length, choice = uniform(words(source, 2)).tolist()
        yield regime, kind.shortest + int(length * (kind.longest - kind.shortest))
        regime = kind.next[choice >= _FIRST_CHOICE]
