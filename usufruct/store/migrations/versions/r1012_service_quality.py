"""Create the tallies of services' calls by hour and day, and what they say about each service."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AssetIdColumn

revision = "1012"
down_revision = "1011"

_ENDS = ("answered", "failed", "broken", "interrupted", "refused", "left", "input_tokens", "output_tokens")
_MEASURED = ("first_text", "speed", "whole")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "service_tallies",
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.Column("span", sa.Integer, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _ENDS),
        sa.Column("income", Amount, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in _MEASURED),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "span", "starts_at", name="pk_service_tallies"),
    )
    op.create_index("ix_service_tallies_changed_at", "service_tallies", ["changed_at"])
    op.create_table(
        "service_quality",
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("tried", sa.BigInteger, nullable=False),
        sa.Column("success", sa.Float),
        *(sa.Column(f"{name}_sample", sa.BigInteger, nullable=False) for name in _MEASURED),
        *(sa.Column(f"{name}_{part}", sa.Float) for name in _MEASURED for part in ("median", "p95")),
        sa.Column("input_tokens", sa.BigInteger, nullable=False),
        sa.Column("output_tokens", sa.BigInteger, nullable=False),
        sa.Column("income", Amount, nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "days", name="pk_service_quality"),
    )
