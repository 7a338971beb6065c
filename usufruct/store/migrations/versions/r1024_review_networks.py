"""Create the table of which networks reviews came from in the last day."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.identifiers import AddressColumn, AssetIdColumn

revision = "1024"
down_revision = "1023"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "review_networks",
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.Column("payer", AddressColumn, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("network", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "payer", "time", name="pk_review_networks"),
    )
    op.create_index("ix_review_networks_network", "review_networks", ["network"])
    op.create_index("ix_review_networks_created_at", "review_networks", ["created_at"])
