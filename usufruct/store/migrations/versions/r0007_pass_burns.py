"""Create the table of burned pass credits."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "pass_burns",
        sa.Column("account", sa.String(66), nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("amount", Amount, nullable=False),
        sa.PrimaryKeyConstraint("block", "position", name="pk_pass_burns"),
    )
    op.create_index("ix_pass_burns_account", "pass_burns", ["account"])
