"""Keep what each week of the VoteEscrow brought its stakers."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount

revision = "1032"
down_revision = "1031"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "staking_weeks",
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("block", "position", "week")),
        *(sa.Column(name, Amount, nullable=False) for name in ("booked", "divided", "penalties", "waiting")),
        sa.Column("weight", Amount),
        sa.PrimaryKeyConstraint("block", "position", name="pk_staking_weeks"),
    )
    op.create_index("ix_staking_weeks_week", "staking_weeks", ["week", "block", "position"])
