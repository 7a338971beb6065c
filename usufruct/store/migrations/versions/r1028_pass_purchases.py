"""Keep which packages of prepaid credits were bought."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, HashColumn

revision = "1028"
down_revision = "1027"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "pass_purchases",
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("block", "position")),
        sa.Column("plan_id", HashColumn, nullable=False),
        *(sa.Column(name, AddressColumn, nullable=False) for name in ("buyer", "receiver")),
        sa.Column("credits", Amount, nullable=False),
        sa.Column("transaction", HashColumn, nullable=False),
        sa.PrimaryKeyConstraint("block", "position", name="pk_pass_purchases"),
    )
    for name in ("buyer", "receiver"):
        op.create_index(f"ix_pass_purchases_{name}", "pass_purchases", [name])
