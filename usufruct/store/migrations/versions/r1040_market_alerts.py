"""Add market alerts."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.identifiers import AddressColumn

revision = "1040"
down_revision = "1039"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "market_alerts",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("person", AddressColumn, nullable=False),
        sa.Column("asset", sa.String(120), nullable=False),
        sa.Column("measure", sa.String(16), nullable=False),
        sa.Column("direction", sa.String(8), nullable=False),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_market_alerts_person", "market_alerts", ["person", "created_at"])
