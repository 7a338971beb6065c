"""Count the changes of reviews, of the search's index and of measured quality."""

import sqlalchemy as sa
from alembic import op

revision = "1019"
down_revision = "1018"

_revisions = sa.table("revisions", sa.column("kind", sa.String), sa.column("revision", sa.BigInteger))


def upgrade() -> None:
    """Insert the kinds of rows."""
    kinds = ("reviews", "service_index", "service_quality")
    op.bulk_insert(_revisions, [{"kind": kind, "revision": 0} for kind in kinds])
