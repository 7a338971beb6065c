"""Create the tables of notifications, and the lists of refunds and batches that persons are told of."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, HashColumn

revision = "1022"
down_revision = "1021"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "notification_contacts",
        sa.Column("person", AddressColumn, nullable=False),
        sa.Column("events", sa.Text, nullable=False),
        sa.Column("low_balance", Amount, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("site", sa.String(300), nullable=False),
        sa.Column("webhook_url", sa.String(2000)),
        sa.Column("webhook_secret", sa.LargeBinary),
        sa.Column("email", sa.String(254)),
        sa.Column("email_confirmed_at", sa.BigInteger),
        sa.Column("confirm_nonce", sa.String(64)),
        sa.Column("confirm_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_notification_contacts"),
    )
    op.create_table(
        "notification_events",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("person", AddressColumn, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notification_events"),
        sa.UniqueConstraint("person", "kind", "subject", name="uq_notification_events_person_kind_subject"),
    )
    _create_deliveries()
    op.create_table(
        "notification_levels",
        sa.Column("person", AddressColumn, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("person", "kind", "subject", name="pk_notification_levels"),
    )
    op.create_table(
        "refunds_to_report",
        sa.Column("account_id", HashColumn, nullable=False),
        sa.Column("nonce", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "nonce", name="pk_refunds_to_report"),
    )
    op.create_table(
        "batches_to_report",
        sa.Column("batch_id", HashColumn, nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name="pk_batches_to_report"),
        sa.ForeignKeyConstraint(["batch_id"], ["claim_batches.id"], name="fk_batches_to_report_batch_id"),
    )


def _create_deliveries() -> None:
    op.create_table(
        "notification_deliveries",
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.Column("way", sa.String(8), nullable=False),
        sa.Column("person", AddressColumn, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("target", sa.String(254)),
        sa.Column("error", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "way", name="pk_notification_deliveries"),
        sa.ForeignKeyConstraint(["event_id"], ["notification_events.id"], name="fk_notification_deliveries_event_id"),
    )
    pending = sa.text("state = 'pending'")
    op.create_index(
        "ix_notification_deliveries_due",
        "notification_deliveries",
        ["way", "next_at"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
    for name, columns in (
        ("person", ["person", "created_at"]),
        ("target", ["target", "created_at"]),
        ("created_at", ["created_at"]),
    ):
        op.create_index(f"ix_notification_deliveries_{name}", "notification_deliveries", columns)
