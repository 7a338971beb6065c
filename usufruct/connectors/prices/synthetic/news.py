"""News of a simulated market: what its prices did, in words, an hour after each day's close."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from usufruct.connectors.prices.bars import start_of
from usufruct.connectors.prices.panel import Panel
from usufruct.connectors.prices.synthetic.cast import LARGEST
from usufruct.connectors.prices.synthetic.chance import stream, words
from usufruct.connectors.prices.synthetic.events import events
from usufruct.connectors.prices.synthetic.market import SyntheticMarket
from usufruct.connectors.prices.synthetic.paths import synthesize

_KINDS = ("news", "reddit", "twitter")
_LARGE = 60
_MOVE = 0.15
_MARKET_MOVE = 0.03
_LATER = timedelta(days=1, hours=1)

_EVENTS = {
    "birth": "{name} starts trading, and early buyers are excited",
    "death": "{name} is delisted; holders are left with worthless coins",
    "collapse": "{name} collapses in a panic, and investors fear heavy losses",
    "depeg": "{name} loses its peg, and traders worry about its reserves",
}
_UP = (
    "{name} surges {percent} %, a great day for its holders",
    "Strong gains: {name} is up {percent} %",
    "{name} rallies {percent} % on good demand",
)
_DOWN = (
    "{name} plunges {percent} % as fear spreads",
    "Painful losses: {name} falls {percent} %",
    "{name} drops {percent} % after a wave of panic selling",
)
_QUIET = (
    "{name} trades sideways; volume is as usual",
    "A calm day for {name}, with little news",
    "What to know about {name} this week",
)

_Item = tuple[int, str, tuple[str, ...]]
"""A day's row, a text and the assets that it is about."""


@dataclass(frozen=True, slots=True)
class SyntheticHeadline:
    """A text that appears at a time, in UTC; `kind` is news, reddit or twitter; `assets` are ids."""

    time: datetime
    kind: str
    text: str
    assets: tuple[str, ...]


def synthesize_news(market: SyntheticMarket) -> tuple[SyntheticHeadline, ...]:
    """Return headlines of events, of the largest asset's days, and of large assets' moves, by time.

    Their tone follows the prices of the day that has passed; each is known when it appears.
    """
    panel = synthesize(market)
    items = sorted([*_of_events(market, panel), *_of_moves(market, panel)])
    kinds = words(stream(market.seed, "kinds"), len(items)) % np.uint64(len(_KINDS))
    return tuple(
        SyntheticHeadline(start_of(market.day(row)) + _LATER, _KINDS[kind], text, assets)
        for (row, text, assets), kind in zip(items, kinds.tolist(), strict=True)
    )


def _of_events(market: SyntheticMarket, panel: Panel) -> Iterator[_Item]:
    for event in events(market):
        name = panel.assets[panel.column[event.asset]].name
        yield (event.day - market.first_day).days, _EVENTS[event.kind].format(name=name), (event.asset,)


def _of_moves(market: SyntheticMarket, panel: Panel) -> Iterator[_Item]:
    """Yield a text about the largest asset for each day, and about large assets that moved much."""
    moves = panel.close[1:] / panel.close[:-1] - 1.0
    caps = np.nan_to_num(panel.market_cap[1:])
    floor = np.partition(caps, -_LARGE, axis=1)[:, -_LARGE] if caps.shape[1] > _LARGE else np.zeros(len(caps))
    chosen = (caps >= floor[:, None]) & (np.abs(np.nan_to_num(moves)) >= _MOVE)
    chosen[:, panel.column[LARGEST]] = True
    picks = words(stream(market.seed, "headlines"), *moves.shape) % np.uint64(len(_UP))
    for row, column in np.argwhere(chosen).tolist():
        move, asset = float(moves[row, column]), panel.assets[column]
        most = _MARKET_MOVE if asset.id == LARGEST else _MOVE
        texts = _UP if move >= most else _DOWN if move <= -most else _QUIET
        text = texts[int(picks[row, column])].format(name=asset.name, percent=f"{abs(move):.0%}".rstrip("%"))
        yield row + 1, text, (asset.id,)
