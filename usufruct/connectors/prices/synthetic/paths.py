"""Daily prices, supplies and volumes of a simulated market."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usufruct.connectors.prices.panel import Matrix, Panel
from usufruct.connectors.prices.synthetic.cast import (
    COLLAPSED_CHAIN,
    COLLAPSED_EXCHANGE,
    COLLAPSED_STABLECOIN,
    DEPEGGED_STABLECOIN,
    SECTORS,
    Cast,
    alive,
    cast_of,
)
from usufruct.connectors.prices.synthetic.chance import bell, heavy, stream, uniform, words
from usufruct.connectors.prices.synthetic.market import (
    CHAIN_COLLAPSE_DAY,
    DEPEG_DAY,
    EXCHANGE_COLLAPSE_DAY,
    SyntheticMarket,
)
from usufruct.connectors.prices.synthetic.regimes import market_returns

_CHAIN_FALL = (0.80, 0.62, 0.22, 0.07, 0.01, 0.02, 0.20, 0.80)
_CHAIN_SUPPLY = (1.0, 1.1, 4.0, 18.0, 60.0, 12.0, 1.1, 1.0)
_STABLE_FALL = (0.985, 0.93, 0.78, 0.52, 0.34, 0.22, 0.16, 0.12, 0.10)
_EXCHANGE_FALL = (0.78, 0.28, 0.72, 0.80, 0.82)
_DEPEG = (0.88, 0.94, 0.975, 0.992)

_SECTOR_VOLATILITY = 0.011
_WORST, _BEST = -0.5, 1.0
_FADING_DAYS = 30
_FADING = -0.09
_HALT_SHARE = 0.0005
_SMALL = 2e8
_STAKING_RATE = 0.00011


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Price, supply and volume of each day and asset, NaN outside of its life and while it is halted."""

    cast: Cast
    close: Matrix
    supply: Matrix
    volume: Matrix


def synthesize(market: SyntheticMarket) -> Panel:
    """Return the daily prices, caps and volumes of a simulated market; they are labelled synthetic."""
    paths = paths_of(market)
    caps = paths.close * paths.supply
    return Panel(
        market.first_day, paths.cast.assets, paths.close, caps, paths.volume, synthetic=True, source=market.source
    )


def synthesize_supply(market: SyntheticMarket) -> Matrix:
    """Return the circulating supply of each day and asset; the caps of `synthesize` are price x supply."""
    return paths_of(market).supply


def paths_of(market: SyntheticMarket) -> Paths:
    """Return the daily values of a market's assets."""
    cast = cast_of(market.seed, market.assets)
    listed = alive(cast, market.days)
    returns, volatility = market_returns(market)
    close = cast.price * np.cumprod(_growth(market, cast, listed, returns, volatility), axis=0)
    _peg(market, cast, close)
    supply = _supply(market, cast, close, returns)
    changes = np.abs(np.diff(close, axis=0, prepend=close[:1]) / close)
    volume = close * supply * _turnover(market, cast, changes, returns)
    unknown = ~listed | _halted(market, cast, listed)
    for values in (close, supply, volume):
        values[unknown] = np.nan
    return Paths(cast, close, supply, volume)


def _growth(
    market: SyntheticMarket, cast: Cast, listed: NDArray[np.bool_], returns: Matrix, volatility: Matrix
) -> Matrix:
    """Return each day's price over the day before; 1 on an asset's first day and where it is not listed."""
    shocks = heavy(
        words(stream(market.seed, "shocks"), market.days, market.assets),
        words(stream(market.seed, "tails"), market.days, market.assets),
    )
    own = _clustered(shocks) * cast.volatility
    sectors = bell(words(stream(market.seed, "sectors"), market.days, len(SECTORS))) * _SECTOR_VOLATILITY
    priced = cast.kind < len(SECTORS)
    kind = np.where(priced, cast.kind, 0)
    growth = own * shocks
    growth += cast.beta * returns[:, None] + np.where(priced, sectors[:, kind], 0.0)
    growth += 0.5 * (cast.beta * volatility[:, None]) ** 2  # what volatility takes from compound growth
    rows = np.arange(market.days)[:, None]
    growth += np.where(rows >= cast.dies - _FADING_DAYS, _FADING, 0.0)
    np.clip(growth, _WORST, _BEST, out=growth)
    growth += 1.0
    growth[~listed | (rows == cast.born) | ~priced] = 1.0
    _script(growth, cast, COLLAPSED_CHAIN, CHAIN_COLLAPSE_DAY, _CHAIN_FALL)
    _script(growth, cast, COLLAPSED_EXCHANGE, EXCHANGE_COLLAPSE_DAY, _EXCHANGE_FALL)
    return growth


def _clustered(shocks: Matrix) -> Matrix:
    """Return a volatility for each day that rises after large shocks and calms down after small ones."""
    state = np.ones(shocks.shape[1])
    states = np.empty_like(shocks)
    sizes = np.abs(shocks) * 0.055
    sizes += 0.018
    for row in range(len(shocks)):
        states[row] = state
        state = state * 0.94 + sizes[row]
    return states


def _peg(market: SyntheticMarket, cast: Cast, close: Matrix) -> None:
    """Set the prices of stablecoins, wrapped and staked assets."""
    stable, pegged = np.flatnonzero(cast.stable), np.flatnonzero(cast.base >= 0)
    noise = bell(words(stream(market.seed, "pegs"), market.days, len(stable) + len(pegged)))
    close[:, stable] = 1.0 + 0.0006 * noise[:, : len(stable)]
    _overwrite(close, cast, DEPEGGED_STABLECOIN, DEPEG_DAY, _DEPEG)
    _overwrite(close, cast, COLLAPSED_STABLECOIN, CHAIN_COLLAPSE_DAY, _STABLE_FALL)
    left = close[CHAIN_COLLAPSE_DAY + len(_STABLE_FALL) :, _index(cast, COLLAPSED_STABLECOIN)]
    left *= _STABLE_FALL[-1]
    earned = np.cumprod(np.full(market.days, 1.0 + _STAKING_RATE))[:, None]
    rate = np.where(cast.staked[pegged], earned, 1.0)
    close[:, pegged] = close[:, cast.base[pegged]] * rate * (1.0 + 0.0008 * noise[:, len(stable) :])


def _supply(market: SyntheticMarket, cast: Cast, close: Matrix, returns: Matrix) -> Matrix:
    growth = np.ones_like(close) + cast.growth
    growth[:, cast.stable] = 1.0006 + 0.03 * returns[:, None]
    pegged = np.flatnonzero(cast.base >= 0)
    growth[:, pegged] = 1.0 + 0.004 * bell(words(stream(market.seed, "supplies"), market.days, len(pegged)))
    growth[0] = 1.0
    _script(growth, cast, COLLAPSED_CHAIN, CHAIN_COLLAPSE_DAY, _CHAIN_SUPPLY)
    supply: Matrix = cast.cap / close[0] * np.cumprod(growth, axis=0)
    return supply


def _turnover(market: SyntheticMarket, cast: Cast, changes: Matrix, returns: Matrix) -> Matrix:
    """Return the share of the cap that is traded in a day: more when prices move, little before an asset's end."""
    drawn = uniform(words(stream(market.seed, "volumes"), market.days, market.assets))
    moved = np.where(cast.stable, np.abs(returns)[:, None], np.minimum(changes, 1.0))
    share = cast.turnover * (0.6 + 0.8 * drawn) * (1.0 + 8.0 * moved)
    rows = np.arange(market.days)[:, None]
    share *= np.where(rows >= cast.dies - _FADING_DAYS, 0.3, 1.0)
    share[EXCHANGE_COLLAPSE_DAY + len(_EXCHANGE_FALL) :, _index(cast, COLLAPSED_EXCHANGE)] *= 0.05
    return share


def _halted(market: SyntheticMarket, cast: Cast, listed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the few days on which a small asset has no price, though it had one the day before."""
    small = np.flatnonzero((cast.cap < _SMALL) & (cast.kind < len(SECTORS)))
    drawn = uniform(words(stream(market.seed, "halts"), market.days, len(small)))
    halted = np.zeros_like(listed)
    halted[:, small] = drawn < _HALT_SHARE
    return halted & listed & (np.arange(market.days)[:, None] > cast.born)


def _index(cast: Cast, asset: str) -> int:
    return next(index for index, each in enumerate(cast.assets) if each.id == asset)


def _script(growth: Matrix, cast: Cast, asset: str, day: int, factors: tuple[float, ...]) -> None:
    part = growth[day : day + len(factors), _index(cast, asset)]
    part[:] = factors[: len(part)]


def _overwrite(close: Matrix, cast: Cast, asset: str, day: int, prices: tuple[float, ...]) -> None:
    part = close[day : day + len(prices), _index(cast, asset)]
    part[:] = prices[: len(part)]
