"""Keep the deals of the deal room: terms, payments and allotments, and what was paid by window."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, HashColumn

revision = "1035"
down_revision = "1034"


def upgrade() -> None:
    """Make the tables; they are filled from the chain."""
    op.create_table(
        "deals",
        sa.Column("id", HashColumn, nullable=False),
        sa.Column("room", AddressColumn, nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("issuer", AddressColumn, nullable=False),
        sa.Column("sale_token", AddressColumn, nullable=False),
        sa.Column("payment_token", AddressColumn, nullable=False),
        sa.Column("policy", AddressColumn, nullable=False),
        sa.Column("for_sale", Amount, nullable=False),
        sa.Column("hard_cap", Amount, nullable=False),
        sa.Column("soft_cap", Amount, nullable=False),
        sa.Column("closes_at", sa.BigInteger, nullable=False),
        sa.Column("cliff_days", sa.Integer, nullable=False),
        sa.Column("vesting_days", sa.Integer, nullable=False),
        sa.Column("fee_bps", sa.Integer, nullable=False),
        sa.Column("levels", sa.Text, nullable=False),
        sa.Column("cancelled", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deals"),
    )
    op.create_index("ix_deals_room", "deals", ["room"])
    op.create_table(
        "deal_events",
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("deal_id", HashColumn, nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("account", AddressColumn),
        sa.Column("amount", Amount, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("block", "position", name="pk_deal_events"),
    )
    op.create_index("ix_deal_events_deal_id", "deal_events", ["deal_id"])
    op.create_index("ix_deal_events_account", "deal_events", ["account"])
    op.create_table(
        "deal_windows",
        sa.Column("deal_id", HashColumn, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("paid", Amount, nullable=False),
        sa.Column("accounts", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("deal_id", "number", name="pk_deal_windows"),
    )
