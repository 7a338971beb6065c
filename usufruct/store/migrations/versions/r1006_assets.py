"""Create the assets room's tables: assets, price cards, titles, retirements, names, shares, plans."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, AssetIdColumn, HashColumn

revision = "1006"
down_revision = "1005"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "assets",
        sa.Column("id", AssetIdColumn, nullable=False),
        sa.Column("registry", AddressColumn, nullable=False),
        sa.Column("shares", AddressColumn, nullable=False),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("currency", AddressColumn, nullable=False),
        sa.Column("notice_period", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(200)),
        sa.Column("symbol", sa.String(200)),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_assets"),
    )
    op.create_table(
        "asset_cards",
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("input_per_million", Amount, nullable=False),
        sa.Column("output_per_million", Amount, nullable=False),
        sa.Column("per_call", Amount, nullable=False),
        sa.Column("cached_input_bps", sa.Integer, nullable=False),
        sa.Column("unit", sa.String(16), nullable=False),
        sa.Column("context_window", sa.BigInteger, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "version", name="pk_asset_cards"),
    )
    _changes()
    _shares()
    _passes()


def _changes() -> None:
    for name, column in (
        ("asset_titles", sa.Column("holder", AddressColumn, nullable=False)),
        ("asset_retirements", sa.Column("retires_at", sa.BigInteger, nullable=False)),
    ):
        op.create_table(
            name,
            sa.Column("asset_id", AssetIdColumn, nullable=False),
            sa.Column("block", sa.BigInteger, nullable=False),
            sa.Column("position", sa.Integer, nullable=False),
            column,
            sa.PrimaryKeyConstraint("asset_id", "block", "position", name=f"pk_{name}"),
        )
    op.create_table(
        "asset_names",
        sa.Column("registry", AddressColumn, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.PrimaryKeyConstraint("registry", "name", name="pk_asset_names"),
    )


def _shares() -> None:
    op.create_table(
        "share_balances",
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.Column("holder", AddressColumn, nullable=False),
        sa.Column("amount", Amount, nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "holder", name="pk_share_balances"),
    )
    op.create_table(
        "share_moves",
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("giver", AddressColumn, nullable=False),
        sa.Column("receiver", AddressColumn, nullable=False),
        sa.Column("amount", Amount, nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "block", "position", name="pk_share_moves"),
    )


def _passes() -> None:
    op.create_table(
        "pass_plans",
        sa.Column("id", HashColumn, nullable=False),
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pass_plans"),
    )
    op.create_index("ix_pass_plans_asset_id", "pass_plans", ["asset_id"])
    op.create_table(
        "pass_activations",
        sa.Column("plan_id", HashColumn, nullable=False),
        sa.Column("holder", AddressColumn, nullable=False),
        sa.Column("meter", AddressColumn, nullable=False),
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "holder", "meter", name="pk_pass_activations"),
    )
