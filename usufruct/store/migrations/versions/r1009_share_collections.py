"""Create what shareholders collected."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, AssetIdColumn

revision = "1009"
down_revision = "1008"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "share_collections",
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("token", AddressColumn, nullable=False),
        sa.Column("holder", AddressColumn, nullable=False),
        sa.Column("amount", Amount, nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "block", "position", name="pk_share_collections"),
    )
