"""Add what is known of the configurations that services follow."""

import sqlalchemy as sa
from alembic import op

revision = "1036"
down_revision = "1035"


def upgrade() -> None:
    """Add the column; no service follows one."""
    op.add_column("gateway_upstreams", sa.Column("configuration", sa.Text))
