"""Add since when a listing is paused."""

import sqlalchemy as sa
from alembic import op

revision = "1021"
down_revision = "1020"


def upgrade() -> None:
    """Add the column; nothing is paused."""
    op.add_column("listings", sa.Column("paused_at", sa.BigInteger))
