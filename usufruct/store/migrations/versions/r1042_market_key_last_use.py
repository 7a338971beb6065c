"""Keep when each key of the market API was last used."""

import sqlalchemy as sa
from alembic import op

revision = "1042"
down_revision = "1041"


def upgrade() -> None:
    """Add the column."""
    op.add_column("market_keys", sa.Column("last_used_at", sa.BigInteger))
