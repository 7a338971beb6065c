"""Verify a record: compute its index again from the rules and the days in it, and find the first difference."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Any, Final

from usufruct.connectors.prices import Panel
from usufruct.indices.engine import Backtest, run_index
from usufruct.indices.errors import InvalidRecord
from usufruct.indices.events import record
from usufruct.indices.rulebook import Rulebook, read_rulebook

Record = Mapping[str, Any]

_DAILY: Final = ("level", "nav")
_INPUT_HASH: Final = "input_hash"
_BY_ASSET: Final = ("holdings", "moves")
_SOURCE: Final = "source"
"""What prices are called: two archives with the same prices may call them differently."""
_FIRST: Final = ("traded", "decided", "cause", "regime", *_BY_ASSET)
"""These values of a rebalance are compared before the others."""
_NEVER: Final = "9999-12-31"


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that differs between a record and its computation; `day` and `asset` are empty where it is of none.

    `recorded` and `computed` are None where one of them does not have it.
    """

    value: str
    recorded: object
    computed: object
    day: str = ""
    asset: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """A record and what the same rules give over other prices of the same days."""

    recorded: Record
    computed: Record

    @property
    def difference(self) -> Difference | None:
        """The first value that differs, by day; a hash of inputs only where no other value does."""
        return next(_differences(self.recorded, self.computed), None) or self.input_difference

    @property
    def input_difference(self) -> Difference | None:
        """The first rebalance at whose decision other prices were known, of any asset of the data."""
        pairs = zip(_rebalances(self.recorded), _rebalances(self.computed), strict=False)
        return next(
            (
                Difference(_INPUT_HASH, one.get(_INPUT_HASH), other.get(_INPUT_HASH), str(other.get("decided")))
                for one, other in pairs
                if one.get(_INPUT_HASH) != other.get(_INPUT_HASH)
            ),
            None,
        )


def read_record(content: bytes, source: str = "the record") -> Record:
    """Read a record, as `record_bytes` writes it.

    Raises:
        InvalidRecord: when it is not JSON, or is not a record.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidRecord(f"{source} is not valid JSON: {error}; fetch it again") from None
    missing = [
        each for each in ("rulebook", "first_day", "last_day") if not isinstance(found, dict) or each not in found
    ]
    if missing:
        raise InvalidRecord(f"{source} has no {missing[0]!r}; pass the record.json of a backtest or of a server")
    return dict(found)


def verify_record(recorded: Record, panel: Panel) -> Verification:
    """Compute the index of a record again over a panel.

    Raises:
        InvalidRulebook: when its rules are not valid.
        InvalidRecord: when its days are not days.
        Invalid: when the panel does not have them.
        TooFewAssets, CapsInfeasible, NoTrade: when no index is possible over the panel.
    """
    found = recompute(read_rulebook(recorded["rulebook"], "the rulebook of the record"), recorded, panel)
    return Verification(recorded, json.loads(json.dumps(record(found))))


def recompute(rulebook: Rulebook, recorded: Record, panel: Panel) -> Backtest:
    """Run the rules over the days of a record."""
    try:
        first, last = (date.fromisoformat(recorded[each]) for each in ("first_day", "last_day"))
    except (TypeError, ValueError) as error:
        raise InvalidRecord(f"first_day or last_day of the record is not a day: {error}; fetch it again") from None
    return run_index(rulebook, panel, first, last)


def _differences(recorded: Record, computed: Record) -> Iterator[Difference]:
    """Yield differences of the whole, then the first of the rebalances and of the daily values, by day."""
    for name in sorted({*recorded, *computed} - {*_DAILY, "rebalances", _SOURCE}):
        if recorded.get(name) != computed.get(name):
            yield Difference(name, recorded.get(name), computed.get(name))
    first_day = date.fromisoformat(computed["first_day"])
    found = [_first_rebalance(_rebalances(recorded), _rebalances(computed))]
    found += [_first_value(name, recorded.get(name), computed[name], first_day) for name in _DAILY]
    yield from sorted((each for each in found if each is not None), key=lambda each: each.day or _NEVER)


def _first_value(name: str, recorded: object, computed: Sequence[float], first_day: date) -> Difference | None:
    """Return the first day on which a daily value differs."""
    values = recorded if isinstance(recorded, list) else []
    for at, (one, other) in enumerate(zip_longest(values, computed)):
        if one != other:
            return Difference(name, one, other, str(date.fromordinal(first_day.toordinal() + at)))
    return None


def _first_rebalance(recorded: Sequence[Record], computed: Sequence[Record]) -> Difference | None:
    for one, other in zip_longest(recorded, computed):
        if one is None or other is None:
            there, here = (None if each is None else str(each.get("traded")) for each in (one, other))
            return Difference("rebalance", there, here, there or here or "")
        if one == other:
            continue
        day = min(str(one.get("traded")), str(other.get("traded")))
        for name in dict.fromkeys((*_FIRST, *other, *one)):
            if name == _INPUT_HASH or one.get(name) == other.get(name):
                continue
            if name in _BY_ASSET:
                return _first_asset(name, one.get(name), other.get(name), day)
            return Difference(name, one.get(name), other.get(name), day)
    return None


def _first_asset(name: str, recorded: object, computed: object, day: str) -> Difference:
    """Return the first asset, by id, of which a move or a holding differs."""
    one, other = _by_asset(recorded), _by_asset(computed)
    for asset in sorted(one.keys() ^ other.keys()):
        return Difference(name, one.get(asset), other.get(asset), day, asset)
    values = dict.fromkeys(value for each in (*other.values(), *one.values()) for value in each)
    for value in values:
        for asset in sorted(one):
            left, right = one[asset].get(value), other[asset].get(value)
            if left != right:
                return Difference(f"{name}.{value}", left, right, day, asset)
    return Difference(name, recorded, computed, day)


def _by_asset(rows: object) -> dict[str, Record]:
    found = rows if isinstance(rows, list) else []
    return {str(each.get("asset")): each for each in found if isinstance(each, dict)}


def _rebalances(whole: Record) -> list[Record]:
    found = whole.get("rebalances")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
