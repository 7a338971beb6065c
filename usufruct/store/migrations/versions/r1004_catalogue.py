"""Create the gateway's catalogue."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, AssetIdColumn, HashColumn

revision = "1004"
down_revision = "1003"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "gateway_assets",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("endpoint", sa.String(16), nullable=False),
        sa.Column("pay_to", AddressColumn, nullable=False),
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.Column("sealed_replicas", sa.LargeBinary, nullable=False),
        sa.Column("counting", sa.String, nullable=False),
        sa.Column("caps", sa.String, nullable=False),
        sa.Column("model_digest", HashColumn, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("retired_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("name", name="pk_gateway_assets"),
        sa.UniqueConstraint("asset_id", name="uq_gateway_assets_asset_id"),
    )
    op.create_table(
        "gateway_prices",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("input_per_million", Amount, nullable=False),
        sa.Column("output_per_million", Amount, nullable=False),
        sa.Column("per_call", Amount, nullable=False),
        sa.Column("cached_input_bps", sa.Integer, nullable=False),
        sa.Column("unit", sa.String(16), nullable=False),
        sa.Column("context_window", sa.BigInteger, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name="pk_gateway_prices"),
        sa.ForeignKeyConstraint(["name"], ["gateway_assets.name"], name="fk_gateway_prices_name"),
    )
    op.create_table(
        "gateway_changes",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("changes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_gateway_changes"),
    )
    op.execute("INSERT INTO gateway_changes (id, changes) VALUES (1, 0)")
    op.create_table(
        "gateway_vocabularies",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_gateway_vocabularies"),
    )
