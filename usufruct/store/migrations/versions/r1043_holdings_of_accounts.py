"""Find what accounts received of revenue shares, and open offers of all services, by indexes."""

from alembic import op

revision = "1043"
down_revision = "1042"


def upgrade() -> None:
    """Add the indexes."""
    op.create_index("ix_share_moves_receiver", "share_moves", ["receiver"])
    op.create_index("ix_share_offers_over_created_at", "share_offers", ["over", "created_at", "hash"])
