"""Keep the sums of the votes about each proposal, which were added up at each reading."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, HashColumn

revision = "1037"
down_revision = "1036"

_SUMS = ("against", "in_favour", "abstained")
"""In the order of the numbers that votes have on the chain."""

_KEY = ("governor", "proposal_id")
_votes = sa.table(
    "proposal_votes",
    sa.column("governor", AddressColumn),
    sa.column("proposal_id", HashColumn),
    sa.column("support", sa.Integer),
    sa.column("weight", Amount),
)


def upgrade() -> None:
    """Create the table, and count the votes that are known."""
    tallies = op.create_table(
        "proposal_tallies",
        sa.Column("governor", AddressColumn, nullable=False),
        sa.Column("proposal_id", HashColumn, nullable=False),
        *(sa.Column(name, Amount, nullable=False) for name in ("in_favour", "against", "abstained")),
        sa.PrimaryKeyConstraint(*_KEY, name="pk_proposal_tallies"),
    )
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in op.get_bind().execute(sa.select(_votes)):
        sums = found.setdefault((row.governor, row.proposal_id), dict.fromkeys(_SUMS, 0))
        sums[_SUMS[row.support]] += row.weight
    if found:
        op.bulk_insert(tallies, [dict(zip(_KEY, key, strict=True)) | sums for key, sums in found.items()])
