"""What a worker publishes of each index, and gateways serve."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from usufruct.analytics import RowTable
from usufruct.core import NotFound
from usufruct.indices.history import IndexHistory
from usufruct.indices.rulebook import Rulebook
from usufruct.indices.sums import Vector

Packed = NDArray[np.uint8]
"""Bytes that can be mapped."""


class UnknownIndex(NotFound, code="unknown_index"):
    """No index of this installation has this number or name."""


def index_number(name: str) -> int:
    """Return the number that clients know an index by: 31 bits of the SHA-256 of its name, so it never changes."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) >> 1


def is_active(rulebook: Rulebook) -> bool:
    """Return whether an index changes with the market: by a regime, or by anything else than market caps."""
    return rulebook.regime is not None or rulebook.selection.by != "market-cap"


@dataclass(frozen=True, slots=True, eq=False)
class PublishedIndex:
    """One index as it is served. Times are seconds since 1970.

    `values`: one value a day from `first_day` on: `nav` (after costs), `level` (before), `market` (all assets of the
    right category, held), `bullish` (1 or 0), and `market_cap` and `volume` of what is held. `restatements`: how often
    published levels were corrected. `failure`: why it could not be computed; the rest is then of the time before.
    """

    rulebook: Rulebook
    first_day: int
    last_day: int
    restatements: int
    listing: dict[str, Any]
    """Its row of `/v2/indices`."""
    report: dict[str, Any]
    values: Mapping[str, Vector]
    tables: Mapping[str, RowTable]
    """`holdings` of the last day; `performance` of each day; `portfolios` after, `trades` and `rebalances` of each
    rebalance: the newest first. `restatements`: each day that was published again, the newest restatement first."""
    history: IndexHistory | None
    """What positions in it are computed from; None where an earlier version published it."""
    record: Packed | None
    """Its record as JSON, gzipped: what others verify it by; None where an earlier version published it."""
    failure: str = ""

    @property
    def number(self) -> int:
        """Its number."""
        return index_number(self.rulebook.name)

    @property
    def whole(self) -> bool:
        """Whether it has all that this version publishes."""
        return self.history is not None and self.record is not None

    def restated_days(self) -> list[dict[str, Any]]:
        """Return each day that was published again, the newest restatement first."""
        return [orjson.loads(each) for each in self.tables["restatements"].rows[:]]

    def failed(self, reason: str) -> "PublishedIndex":
        """Return it as it was, with the reason why it could not be computed now."""
        return replace(self, failure=reason)


@dataclass(frozen=True, slots=True, eq=False)
class IndexTables:
    """All indices of one state of the prices. `id` differs where anything does.

    `key` names what they were computed from. `failures`: why the indices that never were computed are not there.
    `attribution`: what the licences of the prices' sources want shown with the data.
    """

    id: str
    key: str
    last_day: int
    synthetic: bool
    source: str
    indices: tuple[PublishedIndex, ...]
    failures: Mapping[str, str]
    attribution: tuple[str, ...] = ()

    @property
    def incomplete(self) -> bool:
        """Whether an index could not be computed, or lacks its history or its record."""
        return bool(self.failures) or any(each.failure or not each.whole for each in self.indices)

    def find(self, name: str) -> PublishedIndex:
        """Return the index of a number or a name.

        Raises:
            UnknownIndex: when there is none.
        """
        for each in self.indices:
            if name in (each.rulebook.name, str(each.number)):
                return each
        raise UnknownIndex(f"{name[:40]!r} is not an index of this installation; send an ID of /v2/indices", field="id")
