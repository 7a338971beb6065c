"""Create revisions of rows, listings, and the gateway's upstreams."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, AssetIdColumn, HashColumn

revision = "1004"
down_revision = "1003"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "revisions",
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_revisions"),
    )
    op.execute("INSERT INTO revisions (kind, revision) VALUES ('listings', 0), ('upstreams', 0)")
    _listings()
    _gateway()


def _listings() -> None:
    op.create_table(
        "listings",
        sa.Column("id", AssetIdColumn, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("operation", sa.String(16), nullable=False),
        sa.Column("pay_to", AddressColumn, nullable=False),
        sa.Column("registered", sa.Boolean, nullable=False),
        sa.Column("caps", sa.String, nullable=False),
        sa.Column("model_digest", HashColumn, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("retired_at", sa.BigInteger),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_listings"),
    )
    on_sale = sa.text("retired_at IS NULL")
    op.create_index(
        "uq_listings_name", "listings", ["name"], unique=True, sqlite_where=on_sale, postgresql_where=on_sale
    )
    op.create_index("ix_listings_revision", "listings", ["revision"])
    op.create_table(
        "listing_prices",
        sa.Column("listing_id", AssetIdColumn, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("input_per_million", Amount, nullable=False),
        sa.Column("output_per_million", Amount, nullable=False),
        sa.Column("per_call", Amount, nullable=False),
        sa.Column("cached_input_bps", sa.Integer, nullable=False),
        sa.Column("unit", sa.String(16), nullable=False),
        sa.Column("context_window", sa.BigInteger, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("listing_id", "version", name="pk_listing_prices"),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name="fk_listing_prices_listing_id"),
    )


def _gateway() -> None:
    op.create_table(
        "gateway_upstreams",
        sa.Column("listing_id", AssetIdColumn, nullable=False),
        sa.Column("sealed_upstreams", sa.LargeBinary, nullable=False),
        sa.Column("counting", sa.String, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("listing_id", name="pk_gateway_upstreams"),
    )
    op.create_index("ix_gateway_upstreams_revision", "gateway_upstreams", ["revision"])
    op.create_table(
        "gateway_vocabularies",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_gateway_vocabularies"),
    )
