"""Create the reviews of services, their earlier revisions, and their totals."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, AssetIdColumn, HashColumn

revision = "1017"
down_revision = "1016"

_TOTALS = ("one", "two", "three", "four", "five", "flagged", "weight", "weighted")


def _said() -> list[sa.Column[Any]]:
    return [
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.Column("payer", AddressColumn, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("call_id", HashColumn, nullable=False),
        sa.Column("rating", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("paid", Amount, nullable=False),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.Column("flags", sa.Text, nullable=False),
    ]


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "reviews",
        *_said(),
        sa.Column("text_hash", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("answered_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("asset_id", "payer", name="pk_reviews"),
    )
    op.create_index("ix_reviews_text_hash", "reviews", ["text_hash"])
    op.create_index("ix_reviews_asset_id_time", "reviews", ["asset_id", "time"])
    op.create_table(
        "review_revisions",
        *_said(),
        sa.PrimaryKeyConstraint("asset_id", "payer", "revision", name="pk_review_revisions"),
    )
    op.create_table(
        "review_totals",
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _TOTALS),
        sa.PrimaryKeyConstraint("asset_id", name="pk_review_totals"),
    )
