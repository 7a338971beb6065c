"""Add the free samples of listings, to the search too, and the table that counts them."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.identifiers import AssetIdColumn

revision = "1026"
down_revision = "1025"


def upgrade() -> None:
    """Add columns and table; no listing has a free sample."""
    op.add_column("listings", sa.Column("sample", sa.String))
    op.add_column("service_index", sa.Column("sample_calls", sa.BigInteger))
    op.create_table(
        "sample_counts",
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.Column("day", sa.BigInteger, nullable=False),
        sa.Column("visitor", sa.LargeBinary, nullable=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "day", "visitor", name="pk_sample_counts"),
    )
    op.create_index("ix_sample_counts_day", "sample_counts", ["day"])
