"""Count every service's days together under the id 0, and changes of sale drafts."""

from collections import Counter
from typing import Any

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AssetIdColumn

revision = "1025"
down_revision = "1024"

_DAY = 86_400
_OUTCOMES = ("answered", "failed", "broken", "interrupted", "refused", "left")
_COUNTS = (*_OUTCOMES, "input_tokens", "cached_input_tokens", "output_tokens")
_TIMES = ("first_text", "speed", "whole")

_revisions = sa.table("revisions", sa.column("kind", sa.String), sa.column("revision", sa.BigInteger))
_tallies = sa.table(
    "service_tallies",
    sa.column("asset_id", AssetIdColumn),
    *(sa.column(name, sa.BigInteger) for name in ("span", "starts_at", "changed_at", *_COUNTS)),
    sa.column("income", Amount),
    *(sa.column(name, sa.Text) for name in _TIMES),
)


def upgrade() -> None:
    """Add the days up, without their times, which no page shows of all services together."""
    op.bulk_insert(_revisions, [{"kind": "sale_drafts", "revision": 0}])
    days: dict[int, Counter[str]] = {}
    for row in op.get_bind().execute(sa.select(_tallies).where(_tallies.c.span == _DAY)):
        days.setdefault(row.starts_at, Counter()).update({name: getattr(row, name) for name in (*_COUNTS, "income")})
    rows: list[dict[str, Any]] = [
        {"asset_id": 0, "span": _DAY, "starts_at": start, "changed_at": 0}
        | dict.fromkeys(_TIMES, "")
        | {name: counts[name] for name in (*_COUNTS, "income")}
        for start, counts in days.items()
    ]
    if rows:
        op.bulk_insert(_tallies, rows)
