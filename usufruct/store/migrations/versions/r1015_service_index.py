"""Create the index of services that can be found, with its full text."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AssetIdColumn

revision = "1015"
down_revision = "1014"

_SQLITE = (
    "CREATE VIRTUAL TABLE service_words USING fts5(words, content='service_index', content_rowid='number', "
    'tokenize="unicode61 remove_diacritics 0")',
    "CREATE TRIGGER service_index_insert AFTER INSERT ON service_index BEGIN "
    "INSERT INTO service_words(rowid, words) VALUES (new.number, new.words); END",
    "CREATE TRIGGER service_index_delete AFTER DELETE ON service_index BEGIN "
    "INSERT INTO service_words(service_words, rowid, words) VALUES ('delete', old.number, old.words); END",
)
_POSTGRESQL = (
    "ALTER TABLE service_index ADD COLUMN found tsvector "
    "GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED",
    "CREATE INDEX ix_service_index_found ON service_index USING gin (found)",
)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "service_index",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), nullable=False),
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("operation", sa.String(16), nullable=False),
        sa.Column("context_window", sa.BigInteger, nullable=False),
        sa.Column("usual_cost", Amount),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_service_index"),
        sa.UniqueConstraint("asset_id", name="uq_service_index_asset_id"),
    )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(sa.text(statement))
