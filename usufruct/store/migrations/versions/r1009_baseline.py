"""The baseline: the tables as the packages of the first release declare them, which a new database gets at once."""

revision = "1009"
down_revision = None


def upgrade() -> None:
    """Change nothing: no database is older than its baseline."""
