"""Create what tokens said of themselves."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.identifiers import AddressColumn

revision = "1008"
down_revision = "1007"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "tokens",
        sa.Column("chain_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("address", AddressColumn, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("symbol", sa.String(200), nullable=False),
        sa.Column("decimals", sa.Integer, nullable=False),
        sa.Column("version", sa.String(200)),
        sa.PrimaryKeyConstraint("chain_id", "address", name="pk_tokens"),
    )
