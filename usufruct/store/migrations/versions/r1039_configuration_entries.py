"""Keep which transaction wrote each entry `configuration` of the registry."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.identifiers import AssetIdColumn, HashColumn

revision = "1039"
down_revision = "1038"


def upgrade() -> None:
    """Create the table; its stream of logs begins with the registry."""
    op.create_table(
        "configuration_entries",
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.Column("transaction", HashColumn, nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "block", "position", name="pk_configuration_entries"),
    )
