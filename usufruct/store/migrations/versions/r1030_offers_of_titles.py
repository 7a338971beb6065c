"""Let offers be of titles too, alone or together with shares and credits."""

import sqlalchemy as sa
from alembic import op

revision = "1030"
down_revision = "1029"


def upgrade() -> None:
    """Add the columns; offers so far are of shares or credits."""
    op.add_column("share_offers", sa.Column("title", sa.Boolean))
    op.add_column("share_offers", sa.Column("more", sa.Text))
