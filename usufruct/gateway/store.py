"""The tables of what is served: each listing's servers and counting rule, and vocabularies.

Upstreams' addresses and keys are sealed.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, insert, select, update

from usufruct.core import AssetId, format_asset
from usufruct.gateway.model import CountingRule, Upstream
from usufruct.store import AssetIdColumn, Seal, Unit, metadata, next_revision

_upstreams = Table(
    "gateway_upstreams",
    metadata,
    Column("listing_id", AssetIdColumn, primary_key=True),
    Column("sealed_upstreams", LargeBinary, nullable=False),
    Column("counting", String, nullable=False),
    Column("revision", BigInteger, nullable=False, index=True),
)

_vocabularies = Table(
    "gateway_vocabularies",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Serving:
    """Who answers for a listing, sealed, and how it is counted."""

    listing: AssetId
    sealed_upstreams: bytes
    counting: CountingRule

    def upstreams(self, seal: Seal) -> tuple[Upstream, ...]:
        """Open the seal, which costs more than reading a row."""
        opened = json.loads(seal.open(self.sealed_upstreams, format_asset(self.listing)))
        return tuple(Upstream(**entry) for entry in opened)


def sealed_serving(listing: AssetId, upstreams: Sequence[Upstream], counting: CountingRule, seal: Seal) -> Serving:
    """Seal a listing's servers."""
    content = json.dumps([asdict(upstream) for upstream in upstreams]).encode()
    return Serving(listing, seal.close(content, format_asset(listing)), counting)


async def put_serving(unit: Unit, serving: Serving) -> None:
    """Store who answers for a listing, in place of who did."""
    values = {
        "sealed_upstreams": serving.sealed_upstreams,
        "counting": json.dumps(asdict(serving.counting), default=sorted),
        "revision": await next_revision(unit, "upstreams"),
    }
    changed = update(_upstreams).where(_upstreams.c.listing_id == serving.listing).values(values)
    if not await unit.change(changed):
        await unit.change(insert(_upstreams).values(listing_id=serving.listing, **values))


async def changed_serving(unit: Unit, revision: int) -> list[Serving]:
    """Return who answers for the listings where that changed after `revision`."""
    rows = await unit.rows(select(_upstreams).where(_upstreams.c.revision > revision))
    return [Serving(AssetId(row.listing_id), bytes(row.sealed_upstreams), _counting(row.counting)) for row in rows]


async def add_vocabulary(unit: Unit, digest: str, content: bytes) -> None:
    """Store a vocabulary under its SHA-256, unless it is there."""
    if await vocabulary_content(unit, digest) is None:
        await unit.change(insert(_vocabularies).values({"digest": digest, "content": content}))


async def vocabulary_content(unit: Unit, digest: str) -> bytes | None:
    """Return a stored vocabulary."""
    row = await unit.row(select(_vocabularies.c.content).where(_vocabularies.c.digest == digest))
    return bytes(row.content) if row else None


def _counting(text: str) -> CountingRule:
    stored = json.loads(text)
    return CountingRule(**stored | {"forward": frozenset(stored["forward"])})
