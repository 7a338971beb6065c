"""Add market bulletins."""

import sqlalchemy as sa
from alembic import op

revision = "1041"
down_revision = "1040"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "market_bulletins",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("input_hash", sa.String(64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("written_at", sa.BigInteger, nullable=False),
        sa.Column("notified_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("kind", "period"),
    )
