"""Create settlement's tables: leases, batches of claims, quarantined accounts, configurations and readings."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, HashColumn

revision = "1005"
down_revision = "1004"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "settlement_leases",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_settlement_leases"),
    )
    _batches()
    op.create_table(
        "quarantined_accounts",
        sa.Column("account_id", HashColumn, nullable=False),
        sa.Column("reason", sa.String(100), nullable=False),
        sa.Column("message", sa.String(500), nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("retry_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_quarantined_accounts"),
    )
    op.create_table(
        "account_readings",
        sa.Column("account_id", HashColumn, nullable=False),
        sa.Column("marks", sa.BigInteger, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
        sa.Column("event_block", sa.BigInteger, nullable=False),
        sa.Column("event_at", sa.BigInteger, nullable=False),
        sa.Column("block", sa.BigInteger),
        sa.Column("hash", HashColumn),
        sa.Column("read_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("account_id", name="pk_account_readings"),
    )
    op.create_table(
        "escrow_channels",
        sa.Column("account_id", HashColumn, nullable=False),
        sa.Column("payer", AddressColumn, nullable=False),
        sa.Column("payer_authorizer", AddressColumn, nullable=False),
        sa.Column("receiver", AddressColumn, nullable=False),
        sa.Column("receiver_authorizer", AddressColumn, nullable=False),
        sa.Column("token", AddressColumn, nullable=False),
        sa.Column("withdraw_delay", sa.BigInteger, nullable=False),
        sa.Column("salt", HashColumn, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_escrow_channels"),
    )
    op.create_table(
        "pass_credits",
        sa.Column("account_id", HashColumn, nullable=False),
        sa.Column("plan", HashColumn, nullable=False),
        sa.Column("holder", AddressColumn, nullable=False),
        sa.Column("meter", AddressColumn, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_pass_credits"),
    )
    op.create_table(
        "claim_requests",
        sa.Column("id", HashColumn, nullable=False),
        sa.Column("everything", sa.Boolean, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("batches", sa.Text, nullable=False),
        sa.Column("error", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_claim_requests"),
    )


def _batches() -> None:
    op.create_table(
        "claim_batches",
        sa.Column("id", HashColumn, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("token", AddressColumn, nullable=False),
        sa.Column("split_key", sa.String(200)),
        sa.Column("root", HashColumn),
        sa.Column("receipts", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("hash", HashColumn),
        sa.Column("block", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_claim_batches"),
        sa.UniqueConstraint("split_key", name="uq_claim_batches_split_key"),
    )
    op.create_table(
        "claim_batch_members",
        sa.Column("batch_id", HashColumn, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("claim_id", HashColumn, nullable=False),
        sa.Column("account_id", HashColumn, nullable=False),
        sa.Column("start", Amount, nullable=False),
        sa.Column("end", Amount, nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "position", name="pk_claim_batch_members"),
        sa.UniqueConstraint("batch_id", "claim_id", name="uq_claim_batch_members_batch_id_claim_id"),
        sa.ForeignKeyConstraint(["batch_id"], ["claim_batches.id"], name="fk_claim_batch_members_batch_id"),
    )
    op.create_index("ix_claim_batch_members_claim_id", "claim_batch_members", ["claim_id"])
    op.create_index("ix_claim_batch_members_account_id", "claim_batch_members", ["account_id"])
