"""Add limits by the day: to keys, and what an account was charged before the day of its last change."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount

revision = "1014"
down_revision = "1013"


def upgrade() -> None:
    """Add the columns; a day that nothing is known of is 0."""
    op.add_column("accounts", sa.Column("day", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("accounts", sa.Column("charged_before", Amount))
    op.add_column("bearer_keys", sa.Column("day_limit", Amount))
