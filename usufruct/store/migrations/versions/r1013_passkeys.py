"""Create passkeys, and what the relayer spends on their accounts."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.identifiers import AddressColumn, HashColumn

revision = "1013"
down_revision = "1012"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "passkeys",
        sa.Column("credential_hash", HashColumn, nullable=False),
        sa.Column("credential", sa.LargeBinary, nullable=False),
        sa.Column("signer", sa.LargeBinary, nullable=False),
        sa.Column("account", AddressColumn, nullable=False),
        sa.Column("first", sa.Boolean, nullable=False),
        sa.Column("label", sa.String(100), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("credential_hash", name="pk_passkeys"),
    )
    op.create_index("ix_passkeys_account", "passkeys", ["account"])
    op.create_index("ix_passkeys_created_at", "passkeys", ["created_at"])
    op.create_table(
        "relayed_operations",
        sa.Column("hash", HashColumn, nullable=False),
        sa.Column("account", AddressColumn, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("gas", sa.BigInteger, nullable=False),
        sa.Column("gwei", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("transaction", HashColumn, nullable=True),
        sa.Column("reason", sa.String(300), nullable=True),
        sa.PrimaryKeyConstraint("hash", name="pk_relayed_operations"),
    )
    op.create_index("ix_relayed_operations_account", "relayed_operations", ["account"])
    op.create_index("ix_relayed_operations_created_at", "relayed_operations", ["created_at"])
