"""Keep keys of the market API, and their calls by month."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.identifiers import AddressColumn

revision = "1038"
down_revision = "1037"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "market_keys",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("account", AddressColumn),
        sa.Column("network", sa.LargeBinary, nullable=False),
        sa.Column("label", sa.String(100), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("calls_per_month", sa.BigInteger),
        sa.Column("calls_per_minute", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_market_keys"),
        sa.UniqueConstraint("secret_hash", name="uq_market_keys_secret_hash"),
    )
    op.create_index("ix_market_keys_account", "market_keys", ["account"])
    op.create_index("ix_market_keys_created_at", "market_keys", ["created_at"])
    op.create_table(
        "market_key_calls",
        sa.Column("key_id", sa.String(40), nullable=False),
        sa.Column("month", sa.Integer, nullable=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "month", name="pk_market_key_calls"),
    )
