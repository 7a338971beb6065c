"""Count the cached part of services' input."""

import sqlalchemy as sa
from alembic import op

revision = "1023"
down_revision = "1022"


def upgrade() -> None:
    """Add the column; what was counted before had nothing cached, as far as is known."""
    op.add_column(
        "service_tallies", sa.Column("cached_input_tokens", sa.BigInteger, nullable=False, server_default="0")
    )
