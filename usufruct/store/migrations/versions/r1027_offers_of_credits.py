"""Let offers be of pass credits too, and keep the royalty of a trade."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import HashColumn

revision = "1027"
down_revision = "1026"


def upgrade() -> None:
    """Add the columns; offers so far are of shares, which pay no royalty."""
    op.add_column("share_offers", sa.Column("plan_id", HashColumn))
    op.add_column("share_trades", sa.Column("royalty", Amount))
