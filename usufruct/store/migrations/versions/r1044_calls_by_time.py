"""Find an account's calls by the time they ended, for its spending log and its days, by an index."""

from alembic import op

revision = "1044"
down_revision = "1043"


def upgrade() -> None:
    """Add the index."""
    op.execute(
        "CREATE INDEX ix_calls_finished ON calls (account_id, finished_at, cumulative) WHERE cumulative IS NOT NULL"
    )
