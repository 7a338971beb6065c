"""Create the share offers, the trades on the exchange, and the nonces that makers cancelled."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, AssetIdColumn, HashColumn

revision = "1020"
down_revision = "1019"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "share_offers",
        sa.Column("hash", HashColumn, nullable=False),
        sa.Column("asset_id", AssetIdColumn, nullable=False),
        *(sa.Column(name, AddressColumn, nullable=False) for name in ("shares", "maker", "currency")),
        *(sa.Column(name, Amount, nullable=False) for name in ("amount", "price")),
        sa.Column("expiry", sa.BigInteger, nullable=False),
        sa.Column("max_deduction_bps", sa.Integer, nullable=False),
        sa.Column("nonce", Amount, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        *(sa.Column(name, Amount, nullable=False) for name in ("rate", "sold")),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("used", "over")),
        sa.PrimaryKeyConstraint("hash", name="pk_share_offers"),
    )
    op.create_index("ix_share_offers_maker", "share_offers", ["maker"])
    op.create_index("ix_share_offers_asset_id_over_rate", "share_offers", ["asset_id", "over", "rate"])
    op.create_table(
        "share_trades",
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("offer", HashColumn, nullable=False),
        sa.Column("maker", AddressColumn, nullable=False),
        sa.Column("buyer", AddressColumn, nullable=False),
        *(sa.Column(name, Amount, nullable=False) for name in ("nonce", "amount", "price", "fee")),
        sa.Column("transaction", HashColumn, nullable=False),
        sa.Column("time", sa.BigInteger),
        sa.PrimaryKeyConstraint("block", "position", name="pk_share_trades"),
    )
    op.create_index("ix_share_trades_offer", "share_trades", ["offer"])
    op.create_index("ix_share_trades_maker", "share_trades", ["maker"])
    op.create_table(
        "exchange_cancellations",
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("maker", AddressColumn, nullable=False),
        *(sa.Column(name, Amount, nullable=False) for name in ("word", "mask")),
        sa.PrimaryKeyConstraint("block", "position", name="pk_exchange_cancellations"),
    )
    op.create_index("ix_exchange_cancellations_maker", "exchange_cancellations", ["maker"])
