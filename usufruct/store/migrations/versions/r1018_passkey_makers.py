"""Create the networks that passkeys were made from within a day."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.identifiers import HashColumn

revision = "1018"
down_revision = "1017"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "passkey_makers",
        sa.Column("credential_hash", HashColumn, nullable=False),
        sa.Column("network", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("credential_hash", name="pk_passkey_makers"),
    )
    op.create_index("ix_passkey_makers_network", "passkey_makers", ["network"])
    op.create_index("ix_passkey_makers_created_at", "passkey_makers", ["created_at"])
