"""Create the bearer keys, and the list of those that got no money yet."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, HashColumn

revision = "1003"
down_revision = "1002"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "bearer_keys",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("payer", AddressColumn, nullable=False),
        sa.Column("channel", HashColumn, nullable=False),
        sa.Column("session", AddressColumn, nullable=False),
        sa.Column("sealed_session", sa.LargeBinary, nullable=False),
        sa.Column("spending_limit", Amount, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("assets", sa.String, nullable=False),
        sa.Column("label", sa.String, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("proof_nonce", Amount, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bearer_keys"),
        sa.UniqueConstraint("payer", "proof_nonce", name="uq_bearer_keys_payer_proof_nonce"),
        sa.UniqueConstraint("secret_hash", name="uq_bearer_keys_secret_hash"),
        sa.UniqueConstraint("channel", name="uq_bearer_keys_channel"),
    )
    op.create_index("ix_bearer_keys_payer", "bearer_keys", ["payer"])
    op.create_table(
        "keys_without_money",
        sa.Column("key_id", sa.String(40), nullable=False),
        sa.Column("payer", AddressColumn, nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_keys_without_money"),
    )
    op.create_index("ix_keys_without_money_payer", "keys_without_money", ["payer"])
