"""Create the sales that are being drafted in a browser."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.identifiers import AddressColumn

revision = "1016"
down_revision = "1015"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "sale_drafts",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("seller", AddressColumn, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_sale_drafts"),
    )
    op.create_index("ix_sale_drafts_seller", "sale_drafts", ["seller"])
