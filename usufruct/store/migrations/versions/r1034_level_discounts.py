"""Add how much sellers let the staking levels of payers take off their prices."""

import sqlalchemy as sa
from alembic import op

revision = "1034"
down_revision = "1033"


def upgrade() -> None:
    """Add the column; no listing gives a discount."""
    op.add_column("listings", sa.Column("level_discount_bps", sa.Integer))
