"""Small made-up panels: random walks with newcomers, gaps, a delisted asset, a stablecoin."""

from datetime import date

import numpy as np

from usufruct.connectors.prices import STABLECOIN, Asset, Panel

FIRST_DAY = date(2023, 1, 1)


def made_panel(days: int, columns: int, seed: int = 1) -> Panel:
    """Return a panel whose asset 0 is the largest and 1 a stablecoin; from the third on assets come later."""
    random = np.random.default_rng(seed)
    close = np.exp(random.normal(0.001, 0.04, (days, columns)).cumsum(axis=0)) * 10.0 ** random.uniform(-3, 3, columns)
    supply = 10.0 ** (10.0 - np.arange(columns) * 4.0 / columns) / close[0]
    volume = np.exp(random.normal(14.0, 1.0, (days, columns)))
    if columns > 1:
        close[:, 1] = 1.0 + 0.0001 * random.standard_normal(days)
    for column in range(2, columns):
        close[: random.integers(0, max(1, days // 3)), column] = np.nan
        gap = int(random.integers(0, days))
        close[gap : gap + int(random.integers(0, 4)), column] = np.nan
    if columns > 3:
        close[days * 3 // 4 :, 3] = np.nan  # delisted
    volume[np.isnan(close)] = np.nan
    assets = tuple(
        Asset(f"made-{n}", n + 1, f"MD{n}", f"Made {n}", frozenset({STABLECOIN} if n == 1 else {"layer-1"}))
        for n in range(columns)
    )
    return Panel(FIRST_DAY, assets, close, close * supply, volume, synthetic=True, source="made for tests")


def with_future(panel: Panel, other: Panel, newcomers: int = 0) -> Panel:
    """Return a panel that goes on with the rows of another one, and has `newcomers` more assets from then on."""
    fields = []
    for name in ("close", "market_cap", "volume"):
        past, future = getattr(panel, name), getattr(other, name)
        fields.append(np.vstack([past, future[:, : past.shape[1]]]))
        if newcomers:
            late = np.full((len(fields[-1]), newcomers), np.nan)
            late[len(past) :] = future[:, :newcomers] + 1.0
            fields[-1] = np.hstack([fields[-1], late])
    more = tuple(Asset(f"late-{n}", 10_000 + n, f"L{n}", f"Late {n}") for n in range(newcomers))
    return Panel(panel.first_day, panel.assets + more, *fields, synthetic=True)


def drifting_panel(days: int, columns: int, seed: int = 1) -> Panel:
    """Return a panel with a pattern to find: every asset drifts up or down for 80 days, so that what rose goes on."""
    random = np.random.default_rng(seed)
    stretches = -(-days // 80)
    drifts = np.repeat(random.choice([-0.01, 0.01], (stretches, columns)), 80, axis=0)[:days]
    close = np.exp((drifts + random.normal(0.0, 0.02, (days, columns))).cumsum(axis=0))
    volume = np.exp(random.normal(14.0, 1.0, (days, columns)))
    assets = tuple(Asset(f"drift-{n}", n + 1, f"DR{n}", f"Drift {n}") for n in range(columns))
    return Panel(FIRST_DAY, assets, close, close * 1e6, volume, synthetic=True, source="made for tests")
