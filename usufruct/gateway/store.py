"""The tables of what is served: each listing's servers and counting rule, and vocabularies.

Upstreams' addresses and keys are sealed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

from sqlalchemy import BigInteger, Column, ColumnElement, LargeBinary, String, Table, Text, insert, select, update

from usufruct.core import AssetId, format_asset
from usufruct.gateway.configurations.model import FollowedConfiguration
from usufruct.gateway.model import CountingRule, Upstream
from usufruct.http import Reach
from usufruct.store import AssetIdColumn, Seal, Unit, metadata, next_revision

_upstreams = Table(
    "gateway_upstreams",
    metadata,
    Column("listing_id", AssetIdColumn, primary_key=True),
    Column("sealed_upstreams", LargeBinary, nullable=False),
    Column("counting", String, nullable=False),
    Column("revision", BigInteger, nullable=False, index=True),
    Column("configuration", Text),  # JSON; NULL: none is followed
)

_vocabularies = Table(
    "gateway_vocabularies",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)


_AT_ONCE = 500
"""Rows in memory at the same time."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Who answers for a listing, sealed, how it is counted, and the configuration that is followed, if one is."""

    listing: AssetId
    sealed_upstreams: bytes
    counting: CountingRule
    followed: FollowedConfiguration | None = None

    def upstreams(self, seal: Seal) -> tuple[Upstream, ...]:
        """Open the seal, which costs more than reading a row."""
        opened = json.loads(seal.open(self.sealed_upstreams, format_asset(self.listing)))
        return tuple(Upstream(**entry | {"reach": Reach(entry.get("reach", Reach.ANY))}) for entry in opened)


def sealed_upstreams(listing: AssetId, upstreams: Sequence[Upstream], seal: Seal) -> bytes:
    """Seal a listing's servers."""
    return seal.close(json.dumps([asdict(upstream) for upstream in upstreams]).encode(), format_asset(listing))


async def put_serving(unit: Unit, serving: Serving) -> None:
    """Store a listing's servers and counting rule, in place of those it had."""
    values = {"sealed_upstreams": serving.sealed_upstreams, "counting": counting_text(serving.counting)}
    if not await _change(unit, serving.listing, values):
        revision = await next_revision(unit, "upstreams")
        await unit.change(insert(_upstreams).values(listing_id=serving.listing, revision=revision, **values))


async def set_upstreams(unit: Unit, known: Serving, sealed: bytes) -> None:
    """Replace a listing's servers, unless they are not those of `known` any more; its counting rule stays."""
    same = _upstreams.c.sealed_upstreams == known.sealed_upstreams
    await _change(unit, known.listing, {"sealed_upstreams": sealed}, same)


async def set_forwarded(unit: Unit, listing: AssetId, members: frozenset[str]) -> None:
    """Replace the members of requests that are forwarded; the rest stays as it is stored."""
    row = await unit.row(select(_upstreams.c.counting).where(_upstreams.c.listing_id == listing))
    if row is not None:
        await _change(unit, listing, {"counting": counting_text(replace(_counting(row.counting), forward=members))})


async def set_followed(unit: Unit, listing: AssetId, followed: FollowedConfiguration | None) -> None:
    """Replace what is known of the configuration that a listing follows; None: it follows none."""
    await _change(unit, listing, {"configuration": None if followed is None else json.dumps(asdict(followed))})


async def _change(unit: Unit, listing: AssetId, values: Mapping[str, object], *conditions: ColumnElement[bool]) -> int:
    revision = await next_revision(unit, "upstreams")
    rows = update(_upstreams).where(_upstreams.c.listing_id == listing, *conditions)
    return await unit.change(rows.values(revision=revision, **values))


async def changed_serving(unit: Unit, revision: int) -> list[Serving]:
    """Return who answers for the listings where that changed after `revision`; rows are read some at a time."""
    changed = select(_upstreams).where(_upstreams.c.revision > revision).order_by(_upstreams.c.listing_id)
    found: list[Serving] = []
    rows = await unit.rows(changed.limit(_AT_ONCE))
    while rows:
        found += [
            Serving(
                AssetId(row.listing_id),
                bytes(row.sealed_upstreams),
                _counting(row.counting),
                FollowedConfiguration(**json.loads(row.configuration)) if row.configuration else None,
            )
            for row in rows
        ]
        rows = await unit.rows(changed.where(_upstreams.c.listing_id > rows[-1].listing_id).limit(_AT_ONCE))
    return found


async def add_vocabulary(unit: Unit, digest: str, content: bytes) -> None:
    """Store a vocabulary under its SHA-256, unless it is there."""
    if await vocabulary_content(unit, digest) is None:
        await unit.change(insert(_vocabularies).values({"digest": digest, "content": content}))


async def vocabulary_content(unit: Unit, digest: str) -> bytes | None:
    """Return a stored vocabulary."""
    row = await unit.row(select(_vocabularies.c.content).where(_vocabularies.c.digest == digest))
    return bytes(row.content) if row else None


@lru_cache
def _counting(text: str) -> CountingRule:
    """Return the rule in a text; thousands of listings share a few, which are kept once."""
    stored = json.loads(text)
    return CountingRule(**stored | {"forward": frozenset(stored["forward"])})


def counting_text(counting: CountingRule) -> str:
    """Return a counting rule as the table has it."""
    return json.dumps(asdict(counting), default=sorted)
