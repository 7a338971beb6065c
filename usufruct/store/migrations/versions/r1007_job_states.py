"""Create the states of processes' jobs."""

import sqlalchemy as sa
from alembic import op

revision = "1007"
down_revision = "1006"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "job_states",
        sa.Column("process", sa.String(40), nullable=False),
        sa.Column("job", sa.String(40), nullable=False),
        sa.Column("failing_since", sa.BigInteger),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("code", sa.String(100), nullable=False),
        sa.Column("message", sa.String(300), nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("process", "job", name="pk_job_states"),
    )
