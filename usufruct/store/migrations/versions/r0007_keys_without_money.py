"""Create the list of keys that got no money yet."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "keys_without_money",
        sa.Column("key_id", sa.String(40), nullable=False),
        sa.Column("payer", sa.String(42), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_keys_without_money"),
    )
    op.create_index("ix_keys_without_money_payer", "keys_without_money", ["payer"])
