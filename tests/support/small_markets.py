"""Small random markets with everything that goes wrong in real ones, and rulebooks for them."""

from datetime import date

import numpy as np

from usufruct.connectors.prices import Asset, Panel

FIRST_DAY = date(2024, 1, 1)


def small_market(seed: int, days: int = 120, assets: int = 14, stable: int = 4, *, clean: bool = False) -> Panel:
    """Make a market in which prices are missing, zero or negative, assets end, begin late, and coins lose their peg."""
    chance = np.random.default_rng(seed)
    steps = chance.normal(0, 0.05, (days, assets)) + np.sin(np.arange(days) / 15)[:, None] * 0.01
    close = np.exp(np.cumsum(steps, axis=0)) * np.exp(chance.normal(0, 2, assets))
    supply = np.exp(chance.normal(14, 1.5, assets))
    close[:, :stable] = 1 + chance.normal(0, 0.002, (days, stable))
    if not clean:
        _damage(chance, close, stable)
    market_cap = close * supply
    volume = np.abs(market_cap) * chance.uniform(0.01, 0.2, (days, assets))
    if not clean:
        for _ in range(6):
            market_cap[chance.integers(days), chance.integers(assets)] = chance.choice([np.nan, 0.0, -5.0])
            volume[chance.integers(days), chance.integers(assets)] = chance.choice([np.nan, 0.0])
    kinds = [{"stablecoin"} if at < stable else {"defi" if at % 3 else "layer-1"} for at in range(assets)]
    names = chance.permutation(assets)
    listed = tuple(
        Asset(f"asset-{names[at]:02d}", at, f"A{at % 5}", f"Asset {at}", frozenset(kinds[at])) for at in range(assets)
    )
    return Panel(FIRST_DAY, listed, close, market_cap, volume, synthetic=True, source="a test")


def _damage(chance: np.random.Generator, close: np.ndarray, stable: int) -> None:
    days, assets = close.shape
    for _ in range(10):
        at, start = chance.integers(assets), chance.integers(days)
        close[start : start + chance.integers(1, 12), at] = chance.choice([np.nan, np.nan, 0.0, -1.0, np.inf])
    late, gone = chance.integers(stable, assets, 2)
    close[: chance.integers(5, days // 2), late] = np.nan
    if gone != late:
        close[chance.integers(days // 3, days) :, gone] = np.nan
    coin = chance.integers(stable)
    start = chance.integers(days // 3, days)
    close[start : start + 20, coin] *= chance.choice([0.97, 0.2])
