"""Create the outbox of transactions and the checkpoints of log streams."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, HashColumn

revision = "1002"
down_revision = "1001"

_Key = sa.String(200)


def upgrade() -> None:
    """Create the tables."""
    _outbox()
    _streams()


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("chain_id", sa.BigInteger, autoincrement=False),
        sa.Column("key", _Key),
        sa.Column("sender", AddressColumn, nullable=False),
        sa.Column("nonce", sa.BigInteger, nullable=False),
        sa.Column("receiver", AddressColumn, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("value", Amount, nullable=False),
        sa.Column("gas", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("hash", HashColumn),
        sa.Column("block", sa.BigInteger),
        sa.Column("trouble", sa.String(300)),
        sa.PrimaryKeyConstraint("chain_id", "key", name="pk_outbox"),
        sa.UniqueConstraint("chain_id", "sender", "nonce", name="uq_outbox_chain_id_sender_nonce"),
    )
    op.create_table(
        "outbox_attempts",
        sa.Column("hash", HashColumn, nullable=False),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("key", _Key, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("max_fee", Amount, nullable=False),
        sa.Column("tip", Amount, nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_outbox_attempts"),
        sa.ForeignKeyConstraint(
            ["chain_id", "key"], ["outbox.chain_id", "outbox.key"], name="fk_outbox_attempts_chain_id_key"
        ),
        sa.UniqueConstraint("chain_id", "key", "max_fee", name="uq_outbox_attempts_chain_id_key_max_fee"),
    )


def _streams() -> None:
    op.create_table(
        "log_streams",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("hash", HashColumn, nullable=False),
        sa.Column("gaps", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("gap_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("name", name="pk_log_streams"),
    )
    op.create_table(
        "log_stream_blocks",
        sa.Column("name", sa.String(100)),
        sa.Column("block", sa.BigInteger, autoincrement=False),
        sa.Column("hash", HashColumn, nullable=False),
        sa.Column("logs", sa.BigInteger),
        sa.PrimaryKeyConstraint("name", "block", name="pk_log_stream_blocks"),
    )
