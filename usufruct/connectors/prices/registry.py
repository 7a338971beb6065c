"""The assets of an archive: stable ids and numbers, what they are called, and what changed about them, dated."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Literal

import polars as pl

from usufruct.connectors.prices.bars import MOMENT
from usufruct.connectors.prices.panel import Asset
from usufruct.core import Invalid

ASSETS: Final = "assets"
CHANGES: Final = "changes"

ASSET_SCHEMA: Final[dict[str, Any]] = {
    "id": pl.String(),
    "number": pl.Int64(),
    "symbol": pl.String(),
    "name": pl.String(),
    "categories": pl.List(pl.String()),
    "known_at": MOMENT,
}
CHANGE_SCHEMA: Final[dict[str, Any]] = {
    "kind": pl.String(),
    "asset": pl.String(),
    "to": pl.String(),
    "units": pl.Float64(),
    "day": pl.Date(),
    "known_at": MOMENT,
}


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """What a source says about an asset; the archive gives the number.

    `fills_gaps`: it counts only where nothing is known yet, so that a fetch never replaces what you described.
    """

    id: str
    symbol: str = ""
    name: str = ""
    categories: frozenset[str] = frozenset()
    fills_gaps: bool = False


@dataclass(frozen=True, slots=True)
class AssetChange:
    """Something dated that readers of the archive take into account; stored rows stay as they are.

    `renamed`: prices of `asset` before `day` are those of `to`. `redenominated`: on `day`, one old unit became `units`
    new ones (10 for a split in ten, 0.001 where 1,000 old ones became one new one).
    """

    kind: Literal["renamed", "redenominated"]
    asset: str
    day: date
    to: str = ""
    units: float = 1.0

    def __post_init__(self) -> None:
        if self.kind == "renamed" and self.to in ("", self.asset):
            raise Invalid(f"{self.asset!r} must be renamed to another id, not {self.to!r}", code="invalid_change")
        if not 0 < self.units < float("inf"):
            raise Invalid(f"units must be a number over 0, not {self.units}", code="invalid_change")


class Registry:
    """The assets of an archive as they were known at a moment."""

    def __init__(self, assets: pl.DataFrame | None, changes: pl.DataFrame | None, as_of: datetime | None) -> None:
        self._assets = _known(assets, ASSET_SCHEMA)
        self._changes = rows = _known(changes, CHANGE_SCHEMA)
        rows = rows if as_of is None else rows.filter(pl.col("known_at") <= as_of)
        self.changes = tuple(_change(row) for row in rows.sort("day", "known_at").iter_rows(named=True))
        self.numbers: dict[str, int] = dict(self._assets.select("id", "number").iter_rows())
        self.by_id: dict[str, Asset] = {}
        for row in self._assets.sort("known_at", maintain_order=True).iter_rows(named=True):
            if row["id"] not in self.by_id or as_of is None or row["known_at"] <= as_of:
                self.by_id[row["id"]] = _asset(row)
        self._inherit()

    @property
    def renames(self) -> tuple[AssetChange, ...]:
        """The changes of ids, by day."""
        return tuple(each for each in self.changes if each.kind == "renamed")

    @property
    def redenominations(self) -> tuple[AssetChange, ...]:
        """Splits and redenominations, by day."""
        return tuple(each for each in self.changes if each.kind == "redenominated")

    def asset(self, id_: str) -> Asset:
        """Return the asset of an id.

        Raises:
            Invalid: when there is none.
        """
        if id_ not in self.by_id:
            raise Invalid(
                f"{id_!r} is not an asset of this archive; see `usufruct prices assets`", code="unknown_asset"
            )
        return self.by_id[id_]

    def resolve(self, word: str) -> Asset:
        """Return the asset of an id, or of a ticker that only one asset has.

        Raises:
            Invalid: when there is none, or several have the ticker.
        """
        found = [each for each in self.by_id.values() if each.symbol.lower() == word.lower()]
        if word in self.by_id or not found:
            return self.asset(word)
        if len(found) > 1:
            ids = ", ".join(sorted(each.id for each in found))
            raise Invalid(f"{word!r} is the ticker of several assets: {ids}; give an id", code="ambiguous_ticker")
        return found[0]

    def new_rows(self, facts: Iterable[AssetFacts], known_at: datetime) -> pl.DataFrame:
        """Return the rows that facts add: of assets not known before, and of those whose facts differ."""
        number = max(self.numbers.values(), default=0)
        rows = []
        for said in facts:
            old = self.by_id.get(said.id)
            each = _filling(said, old) if old is not None and said.fills_gaps else said
            if old is None or _differs(old, each):
                number += old is None
                rows.append(_row(each, old, self.numbers.get(each.id, number), known_at))
        return pl.DataFrame(rows, schema=ASSET_SCHEMA)

    def learnt(self, rows: pl.DataFrame) -> "Registry":
        """Return the registry with more rows of assets."""
        return Registry(pl.concat([self._assets, rows]), self._changes, None)

    def _inherit(self) -> None:
        """Give a renamed asset the number of its old id; a number is never given to another asset."""
        for change in self.renames:
            old, new = self.by_id.get(change.asset), self.by_id.get(change.to)
            if old is not None and new is not None:
                self.by_id[change.to] = Asset(new.id, old.number, new.symbol, new.name, new.categories)


def _known(rows: pl.DataFrame | None, schema: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(schema=schema) if rows is None else rows


def _asset(row: Mapping[str, Any]) -> Asset:
    return Asset(row["id"], row["number"], row["symbol"], row["name"], frozenset(row["categories"]))


def _change(row: Mapping[str, Any]) -> AssetChange:
    return AssetChange(row["kind"], row["asset"], row["day"], row["to"], row["units"])


def _differs(old: Asset, new: AssetFacts) -> bool:
    """Compare what the facts have with what is known: an empty fact changes nothing."""
    pairs = ((new.symbol, old.symbol), (new.name, old.name), (new.categories, old.categories))
    return any(given and given != known for given, known in pairs)


def _filling(facts: AssetFacts, old: Asset) -> AssetFacts:
    """Return the facts that nothing is known of: a bare asset has its id as ticker and name."""
    return AssetFacts(
        facts.id,
        facts.symbol if old.symbol == old.id.upper() else "",
        facts.name if old.name == old.id else "",
        frozenset() if old.categories else facts.categories,
    )


def _row(facts: AssetFacts, old: Asset | None, number: int, known_at: datetime) -> dict[str, Any]:
    return {
        "id": facts.id,
        "number": number,
        "symbol": facts.symbol or (old.symbol if old else facts.id.upper()),
        "name": facts.name or (old.name if old else facts.id),
        "categories": sorted(facts.categories or (old.categories if old else ())),
        "known_at": known_at.astimezone(UTC),
    }
