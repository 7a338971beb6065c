"""Keep the airdrop claims that the relayer sends, counted by day and network."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.identifiers import AddressColumn, HashColumn

revision = "1029"
down_revision = "1028"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "airdrop_claims",
        sa.Column("airdrop", AddressColumn, nullable=False),
        sa.Column("entry", sa.BigInteger, nullable=False),
        sa.Column("day", sa.BigInteger, nullable=False),
        sa.Column("network", sa.LargeBinary, nullable=False),
        sa.Column("gwei", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("transaction", HashColumn),
        sa.PrimaryKeyConstraint("airdrop", "entry", name="pk_airdrop_claims"),
    )
    op.create_index("ix_airdrop_claims_day", "airdrop_claims", ["day"])
