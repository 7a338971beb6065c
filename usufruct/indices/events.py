"""The log of an index: each rebalance with what was held, what was traded, and why."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from usufruct.indices.engine import Backtest
from usufruct.indices.input_hash import input_hashes
from usufruct.indices.screens import Reason, Screened
from usufruct.indices.sums import Mask, Vector, total

NOT_TRADED: Final = "not traded: no price, or within the band"
"""Ends the reason of a move that was wanted and not made."""

_CHUNK = 64
_NOTHING = 1e-12
_WORDS = {
    Reason.CATEGORY: "its category is excluded",
    Reason.NO_PRICE: "no price",
    Reason.NO_MARKET_CAP: "no market cap",
    Reason.TOO_NEW: "too new",
    Reason.TOO_SMALL_TO_STAY: "market cap too small",
    Reason.TOO_LITTLE_TRADED_TO_STAY: "traded too little",
    Reason.NO_HISTORY: "too little history",
    Reason.OUTSIDE_PARENT: "outside the parent index",
    Reason.TOO_SMALL: "market cap too small to enter",
    Reason.TOO_LITTLE_TRADED: "traded too little to enter",
}


@dataclass(frozen=True, slots=True)
class Holding:
    """One asset after a rebalance. The level is the sum of `index_shares x price`, over the divisor."""

    asset: str
    weight: float
    index_shares: float


@dataclass(frozen=True, slots=True)
class Move:
    """What a rebalance did to one asset: its weight just before and after, and why."""

    asset: str
    before: float
    after: float
    why: str


@dataclass(frozen=True, slots=True)
class Rebalance:
    """One rebalance. `turnover` is half of what was bought and sold, `cost` what it cost, as parts of the value."""

    decided: date
    traded: date
    cause: str
    regime: str
    input_hash: str
    turnover: float
    cost: float
    cash: float
    level: float
    nav: float
    divisor: float
    eligible: int
    notes: tuple[str, ...]
    holdings: tuple[Holding, ...]
    moves: tuple[Move, ...]


def rebalances(backtest: Backtest) -> list[Rebalance]:
    """Return the log of all rebalances, in the order of time."""
    hashes = input_hashes(backtest.data.panel, backtest.data.order, backtest.decided)
    found = []
    for start in range(0, len(backtest.decided), _CHUNK):
        rows = backtest.decided[start : start + _CHUNK]
        screened = backtest.screens.at(rows)
        caps = backtest.data.market_caps(rows)[:, backtest.targets.columns]
        found += [
            _rebalance(backtest, start + at, hashes[start + at], screened, at, caps[at]) for at in range(len(rows))
        ]
    return found


def record(backtest: Backtest, log: Sequence[Rebalance] | None = None) -> dict[str, Any]:
    """Return everything that a replay has to give again: rules, data, daily values and the log.

    `log`: its rebalances, where they are already known.
    """
    panel = backtest.data.panel
    return {
        "index": backtest.rulebook.name,
        "rulebook": backtest.rulebook.model_dump(mode="json"),
        "rulebook_hash": backtest.rulebook.hash,
        "source": panel.source,
        "synthetic": panel.synthetic,
        "quote": panel.quote,
        "first_day": str(backtest.first_day),
        "last_day": str(backtest.last_day),
        "nav": backtest.nav.tolist(),
        "level": backtest.level.tolist(),
        "rebalances": [_plain(each) for each in (rebalances(backtest) if log is None else log)],
    }


def record_bytes(backtest: Backtest, log: Sequence[Rebalance] | None = None) -> bytes:
    """Return the record as JSON: the same rulebook and data give the same bytes on any machine."""
    return json.dumps(record(backtest, log), sort_keys=True, separators=(",", ":")).encode()


def record_hash(backtest: Backtest, log: Sequence[Rebalance] | None = None) -> str:
    """Return the SHA-256 of the record."""
    return hashlib.sha256(record_bytes(backtest, log)).hexdigest()


def _plain(rebalance: Rebalance) -> dict[str, Any]:
    document = asdict(rebalance)
    return document | {"decided": str(rebalance.decided), "traded": str(rebalance.traded)}


def _rebalance(backtest: Backtest, at: int, digest: str, screened: Screened, line: int, caps: Vector) -> Rebalance:
    data, signals = backtest.data, backtest.signals
    held, prices = backtest.held[:, at], backtest.prices[:, at]
    row = int(backtest.traded_on[at]) - backtest.first
    level = float(backtest.level[row])
    members = held > 0
    basket = float(total(np.where(members & np.isfinite(caps), caps, 0.0)[:, None])[0]) or level
    shares = np.divide(held * basket, prices, out=np.zeros(len(held)), where=members & (prices > 0))
    ids = backtest.ids()
    bullish = bool(signals.bullish[backtest.decided[at] - signals.first])
    return Rebalance(
        data.panel.day(int(backtest.decided[at])),
        data.panel.day(int(backtest.traded_on[at])),
        _cause(backtest, at),
        "bullish" if bullish else "bearish",
        digest,
        float(backtest.traded[at]) / 2,
        1 - float(backtest.kept[at]),
        float(backtest.cash[at]),
        level,
        float(backtest.nav[row]),
        basket / level if level else 0.0,
        int(screened.may_enter[line].sum()),
        tuple(_notes(backtest, at)),
        tuple(Holding(ids[each], float(held[each]), float(shares[each])) for each in np.flatnonzero(members)),
        tuple(_moves(backtest, at, screened, line, bullish=bullish)),
    )


def _cause(backtest: Backtest, at: int) -> str:
    if at == 0:
        return "launch"
    if backtest.signals.by_calendar[at]:
        return "calendar"
    return "regime change" if backtest.signals.switched[at] else "stablecoin off its peg"


def _notes(backtest: Backtest, at: int) -> Iterator[str]:
    rule = backtest.rulebook
    wanted = backtest.targets.weights[:, at]
    count = int((wanted > 0).sum())
    bullish = bool(backtest.signals.bullish[backtest.decided[at] - backtest.signals.first])
    if bullish and count < rule.selection.count:
        yield f"{count} members of {rule.selection.count}"
    if backtest.targets.relaxed[at]:
        yield (
            "the caps could not be met and were relaxed"
            if bullish
            else "too few stablecoins keep their peg: the rest is cash"
        )
    if not np.array_equal(wanted, backtest.held[:, at]):
        yield "not all targets were reached: some assets were not traded, or turnover is capped"


def _moves(backtest: Backtest, at: int, screened: Screened, line: int, *, bullish: bool) -> Iterator[Move]:
    held, drifted, kept = backtest.held[:, at], backtest.drifted[:, at], backtest.kept[at]
    wanted, columns = backtest.targets.weights[:, at], backtest.targets.columns
    before = backtest.targets.weights[:, at - 1] if at else np.zeros(len(held))
    moved = np.abs(held * kept - drifted) > _NOTHING
    stale = ((wanted > 0) | (drifted > 0)) & ~moved & (wanted != held)
    ranks = _ranks(screened, line)
    stable = np.isin(columns, backtest.signals.stable)
    ids = backtest.ids()
    for each in np.flatnonzero(moved | stale | ((wanted > 0) != (before > 0))):
        why = _why(backtest, at, screened, line, int(each), ranks, bullish=bullish, stable=bool(stable[each]))
        if wanted[each] > 0 and before[each] > 0:
            why = "back to its target"
        if not moved[each]:
            why += f"; {NOT_TRADED}"
        yield Move(ids[each], float(drifted[each]), float(held[each]), why)


def _why(
    backtest: Backtest, at: int, screened: Screened, line: int, place: int, ranks: Sequence[int], *,
    bullish: bool, stable: bool,
) -> str:  # fmt: skip
    """Say why an asset is or is not a target."""
    column = int(backtest.targets.columns[place])
    is_target = backtest.targets.weights[place, at] > 0
    if stable:
        if is_target:
            return "stablecoin that keeps its peg"
        return "the market is bullish" if bullish else "stablecoin off its peg"
    if not bullish:
        return "the market is bearish"
    if is_target:
        return f"rank {ranks[column]}"
    failed = Reason(int(screened.failed[line, column])) & ~(Reason.TOO_SMALL | Reason.TOO_LITTLE_TRADED)
    words = [_WORDS[each] for each in Reason if each in failed]
    return ", ".join(words) or f"rank {ranks[column]}"


def _ranks(screened: Screened, line: int) -> list[int]:
    """Return the rank of each asset among those that may enter or stay; 0 for the others."""
    scores = screened.ranked_scores()[line]
    order = np.argsort(-scores, kind="stable")
    ranks = np.zeros(len(scores), dtype=int)
    inside: Mask = scores[order] > -np.inf
    ranks[order[inside]] = np.arange(1, int(inside.sum()) + 1)
    return ranks.tolist()
