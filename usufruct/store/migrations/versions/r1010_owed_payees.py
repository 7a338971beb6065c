"""Create the payees that the till owes."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.identifiers import AddressColumn

revision = "1010"
down_revision = "1009"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "owed_payees",
        sa.Column("pay_to", AddressColumn, nullable=False),
        sa.Column("token", AddressColumn, nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("pay_to", "token", name="pk_owed_payees"),
    )
