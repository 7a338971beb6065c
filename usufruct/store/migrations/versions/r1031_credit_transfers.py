"""Keep which accounts got prepaid credits of which plans."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.identifiers import AddressColumn, HashColumn

revision = "1031"
down_revision = "1030"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "credit_transfers",
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("block", "position")),
        sa.Column("plan_id", HashColumn, nullable=False),
        sa.Column("receiver", AddressColumn, nullable=False),
        sa.PrimaryKeyConstraint("block", "position", "plan_id", name="pk_credit_transfers"),
    )
    op.create_index("ix_credit_transfers_receiver", "credit_transfers", ["receiver"])
