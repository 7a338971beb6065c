"""What happens in a simulated market, by day: tests look for these events in what they compute."""

from usufruct.connectors.prices.synthetic.cast import (
    COLLAPSED_CHAIN,
    COLLAPSED_EXCHANGE,
    COLLAPSED_STABLECOIN,
    DEPEGGED_STABLECOIN,
    cast_of,
)
from usufruct.connectors.prices.synthetic.market import (
    CHAIN_COLLAPSE_DAY,
    DEPEG_DAY,
    EXCHANGE_COLLAPSE_DAY,
    EventKind,
    MarketEvent,
    SyntheticMarket,
)

_FIXED: tuple[tuple[int, EventKind, str], ...] = (
    (DEPEG_DAY, "depeg", DEPEGGED_STABLECOIN),
    (CHAIN_COLLAPSE_DAY, "collapse", COLLAPSED_CHAIN),
    (CHAIN_COLLAPSE_DAY, "depeg", COLLAPSED_STABLECOIN),
    (EXCHANGE_COLLAPSE_DAY, "collapse", COLLAPSED_EXCHANGE),
)


def events(market: SyntheticMarket) -> tuple[MarketEvent, ...]:
    """Return births, deaths, collapses and de-pegs within the market's days, by day.

    An asset that is there on the first day has no birth. A death is on the day after the last price.
    """
    cast = cast_of(market.seed, market.assets)
    found = list(_FIXED)
    for asset, born, dies in zip(cast.assets, cast.born.tolist(), cast.dies.tolist(), strict=True):
        found += [(born, "birth", asset.id)] if born else []
        found.append((dies, "death", asset.id))
    return tuple(MarketEvent(market.day(row), kind, asset) for row, kind, asset in sorted(found) if row < market.days)
