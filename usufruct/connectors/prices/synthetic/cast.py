"""The assets of a simulated market: sectors, sizes, births and deaths, and the few whose fate is fixed."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.connectors.prices.panel import STABLECOIN, WRAPPED, Asset, Matrix
from usufruct.connectors.prices.synthetic.chance import stream, uniform, words
from usufruct.connectors.prices.synthetic.market import CHAIN_DELISTED_DAY

LARGEST: Final = "syn-layer-1-001"
"""The asset that begins as the largest, with about two fifths of the market."""

COLLAPSED_CHAIN: Final = "syn-layer-1-003"
"""Its price falls a million times within a week of day 300, and its supply grows 60,000 times; delisted on day 340."""

COLLAPSED_STABLECOIN: Final = "syn-stablecoin-002"
"""The algorithmic stablecoin of `COLLAPSED_CHAIN`: falls to 0.1 from day 300 on, and never comes back."""

COLLAPSED_EXCHANGE: Final = "syn-exchange-001"
"""Loses 90 % in five days from day 430 on, and trades on at a fraction of its volume."""

DEPEGGED_STABLECOIN: Final = "syn-stablecoin-001"
"""Trades at 0.88 on day 200, and is back at its peg four days later."""

SECTORS: Final = ("layer-1", "defi", "gaming", "ai", "meme", "exchange")
_SECTOR_WEIGHTS = (6, 6, 4, 3, 4, 1)
_ALSO = {"gaming": ("metaverse",), "staked": (WRAPPED,)}
_STABLECOIN, _WRAPPED, _STAKED = len(SECTORS), len(SECTORS) + 1, len(SECTORS) + 2
_KINDS = (*SECTORS, STABLECOIN, WRAPPED, "staked")
_FIXED = ("layer-1", "layer-1", "layer-1", STABLECOIN, STABLECOIN, "exchange", WRAPPED, "staked")
"""The kinds of the first assets; their ranks by cap in the beginning are `_FIXED_RANKS`."""
_FIXED_RANKS = (1, 2, 7, 4, 9, 12, 14, 11)

_FIXED_CHAIN = 2
_FIRST_PRICES = (8_000.0, 220.0, 16.0, 24.0)
_SYMBOLS = ("LAY", "DEF", "GAM", "AIX", "MEM", "EXC", "USD", "WRP", "STK")
_SAME_TICKER = 11
"""The eleventh asset of a sector has the ticker of its first, as happens in real markets."""

FOREVER: Final = 1 << 30
_BORN_FIRST = 0.6
_LAST_BIRTH = 1_800
_DYING = 0.25
_SAFE_RANK = 12
_LARGEST_CAP = 1.2e11
_RANK_POWER = -1.35


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """The assets and their constants, one value an asset. `kind` is an index of `SECTORS` plus the pegged kinds."""

    assets: tuple[Asset, ...]
    kind: NDArray[np.int64]
    cap: Matrix
    price: Matrix
    volatility: Matrix
    beta: Matrix
    growth: Matrix
    """Of the supply, a day."""
    turnover: Matrix
    """Share of the cap that is traded on a quiet day."""
    born: NDArray[np.int64]
    dies: NDArray[np.int64]
    """The row after the last price; `FOREVER` where there is none."""
    base: NDArray[np.int64]
    """What a wrapped or staked asset stands for; -1 for the others."""

    @property
    def stable(self) -> NDArray[np.bool_]:
        """Whether an asset is a stablecoin."""
        return np.equal(self.kind, _STABLECOIN)

    @property
    def staked(self) -> NDArray[np.bool_]:
        """Whether an asset earns what its base's stakers earn."""
        return np.equal(self.kind, _STAKED)


@lru_cache(maxsize=16)
def cast_of(seed: int, count: int) -> Cast:
    """Return the assets of a market; they do not depend on its number of days."""
    drawn = uniform(words(stream(seed, "cast"), 9, count))
    kind = _kinds(count, drawn[0])
    pegged = kind >= _STABLECOIN
    rank = _ranks(drawn[1])
    size = np.minimum(rank / 100.0, 2.0)
    cap = _six_digits(_LARGEST_CAP * np.power(rank.astype(np.float64), _RANK_POWER))
    price = np.where(pegged, 1.0, _six_digits(np.power(10.0, 3.5 - 7.5 * drawn[2])))
    price[[0, 1, 2, 5]] = _FIRST_PRICES
    born, dies = _lives(kind, rank, drawn[3:6])
    return Cast(
        assets=_assets(kind),
        kind=kind,
        cap=cap,
        price=price,
        volatility=np.where(pegged, 0.0, 0.010 + 0.022 * size + 0.012 * drawn[6] * size),
        beta=np.where(pegged, 0.0, np.where(rank == 1, 1.0, 0.9 + 0.6 * drawn[7])),
        growth=np.where(pegged, 0.0, 0.0004 * drawn[8]),
        turnover=np.where(kind == _STABLECOIN, 0.25, 0.01 + 0.06 * drawn[8]),
        born=born,
        dies=dies,
        base=np.where(kind == _WRAPPED, 0, np.where(kind == _STAKED, 1, -1)),
    )


def alive(cast: Cast, days: int) -> NDArray[np.bool_]:
    """Return for each day and asset whether it is listed."""
    rows = np.arange(days)[:, None]
    listed: NDArray[np.bool_] = (rows >= cast.born) & (rows < cast.dies)
    return listed


def _kinds(count: int, drawn: Matrix) -> NDArray[np.int64]:
    edges = np.cumsum(_SECTOR_WEIGHTS) / sum(_SECTOR_WEIGHTS)
    kind = np.searchsorted(edges, drawn, side="right")
    kind[: len(_FIXED)] = [_KINDS.index(each) for each in _FIXED]
    more_stable, more_wrapped, more_staked = count // 40, count // 80, count // 80
    start = len(_FIXED)
    for wanted, number in ((_STABLECOIN, more_stable), (_WRAPPED, more_wrapped), (_STAKED, more_staked)):
        kind[start : start + number] = wanted
        start += number
    return kind


def _ranks(drawn: Matrix) -> NDArray[np.int64]:
    """Return ranks by cap from 1 on, each once: fixed for the first assets, by chance for the others."""
    rank = np.empty(len(drawn), dtype=np.int64)
    rank[: len(_FIXED)] = _FIXED_RANKS
    free = [each for each in range(1, len(drawn) + 1) if each not in _FIXED_RANKS]
    rank[len(_FIXED) + np.argsort(drawn[len(_FIXED) :], kind="stable")] = free
    return rank


def _lives(kind: NDArray[np.int64], rank: NDArray[np.int64], drawn: Matrix) -> tuple[NDArray[np.int64], ...]:
    lasting = (kind >= _STABLECOIN) | (rank <= _SAFE_RANK) | (np.arange(len(kind)) < len(_FIXED))
    late = (drawn[0] >= _BORN_FIRST) & ~lasting
    born = np.where(late, 1 + ((drawn[0] - _BORN_FIRST) / (1 - _BORN_FIRST) * _LAST_BIRTH).astype(np.int64), 0)
    dies = np.where((drawn[1] < _DYING) & ~lasting, born + 150 + (drawn[2] * 2_400).astype(np.int64), FOREVER)
    dies[_FIXED_CHAIN] = CHAIN_DELISTED_DAY
    return born, dies


def _assets(kind: NDArray[np.int64]) -> tuple[Asset, ...]:
    counted: dict[str, int] = {}
    assets = []
    for index, each in enumerate(kind.tolist()):
        word = _KINDS[each]
        counted[word] = count = counted.get(word, 0) + 1
        symbol = f"{_SYMBOLS[each]}{1 if count == _SAME_TICKER else count}"
        name = f"Synthetic {word.capitalize()} {count:03d}"
        categories = frozenset((word, *_ALSO.get(word, ())))
        assets.append(Asset(f"syn-{word}-{count:03d}", index + 1, symbol, name, categories))
    return tuple(assets)


def _six_digits(values: Matrix) -> Matrix:
    """Round what powers give: their last bits differ from one machine to another."""
    return np.array([float(f"{each:.6g}") for each in values.tolist()])
