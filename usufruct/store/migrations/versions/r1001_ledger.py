"""Create the call ledger."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, AssetIdColumn, HashColumn

revision = "1001"
down_revision = None

_Serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")

_SQLITE_TRIGGERS = (
    "CREATE TRIGGER entries_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END",
    "CREATE TRIGGER entries_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END",
    "CREATE TRIGGER calls_final BEFORE UPDATE ON calls WHEN OLD.state <> 'open' "
    "BEGIN SELECT RAISE(ABORT, 'this call is final'); END",
)
_POSTGRES_TRIGGERS = (
    "CREATE FUNCTION usufruct_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = TG_ARGV[0]; END $$",
    "CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE ON entries FOR EACH ROW "
    "EXECUTE FUNCTION usufruct_refuse('entries are append-only')",
    "CREATE TRIGGER calls_final BEFORE UPDATE ON calls FOR EACH ROW WHEN (OLD.state <> 'open') "
    "EXECUTE FUNCTION usufruct_refuse('this call is final')",
)


def _one_of(column: str, *words: str) -> str:
    """Write the rule that a column holds one of `words`; SQLite tests IN lists many times slower."""
    return " OR ".join(f"{column} = '{word}'" for word in words)


def upgrade() -> None:
    """Create the tables, their indexes and their triggers."""
    _accounts()
    _calls()
    _entries()
    _claims()
    _answers()
    _deposits()
    _refunds()
    _receipt_signers()
    for trigger in _SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else _POSTGRES_TRIGGERS:
        op.execute(trigger)


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", HashColumn, primary_key=True),
        sa.Column("kind", sa.String(14), nullable=False),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("owner", AddressColumn, nullable=False),
        sa.Column("signer", AddressColumn, nullable=False),
        sa.Column("token", AddressColumn, nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("balance", Amount, nullable=False),
        sa.Column("total_claimed", Amount, nullable=False),
        sa.Column("total_split", Amount, nullable=False),
        sa.Column("withdraw_at", sa.BigInteger, nullable=False),
        sa.Column("leaving", Amount, nullable=False),
        sa.Column("serve_until", sa.BigInteger, nullable=False),
        sa.Column("charged", Amount, nullable=False),
        sa.Column("reserved", Amount, nullable=False),
        sa.Column("refunding", Amount, nullable=False),
        sa.Column("voucher_amount", Amount, nullable=False),
        sa.Column("voucher_signature", sa.LargeBinary),
        sa.Column("last_call_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint(_one_of("kind", "escrow_channel", "pass_credits"), name="kind"),
        sa.CheckConstraint("total_claimed <= charged", name="claimed"),
        sa.CheckConstraint("total_split <= charged", name="split"),
    )
    leaving = sa.text("withdraw_at <> 0")
    op.create_index(
        "ix_accounts_leaving", "accounts", ["withdraw_at", "id"], sqlite_where=leaving, postgresql_where=leaving
    )


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", HashColumn, primary_key=True),
        sa.Column("account_id", HashColumn, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("asset", AssetIdColumn, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("lease_until", sa.BigInteger, nullable=False),
        sa.Column("ceiling", Amount, nullable=False),
        sa.Column("price_card_version", sa.BigInteger, nullable=False),
        sa.Column("request_hash", HashColumn, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("reason", sa.String(64)),
        sa.Column("charge", Amount),
        sa.Column("cumulative", Amount),
        sa.Column("lines", sa.Text),
        sa.Column("flagged", sa.Boolean),
        sa.Column("counted_by", sa.String(10)),
        sa.Column("reasoning_tokens", sa.BigInteger),
        sa.Column("model_digest", HashColumn),
        sa.Column("response_hash", HashColumn),
        sa.Column("receipt_signature", sa.LargeBinary),
        sa.Column("voucher_amount", Amount),
        sa.Column("voucher_signature", sa.LargeBinary),
        sa.CheckConstraint(_one_of("state", "open", "metered", "released"), name="state"),
        sa.CheckConstraint("charge <= ceiling", name="ceiling"),
        sa.CheckConstraint("(state = 'metered') = (charge IS NOT NULL)", name="charge"),
        sa.CheckConstraint("(charge IS NULL) = (cumulative IS NULL)", name="cumulative"),
    )
    spent = sa.text("cumulative IS NOT NULL")
    op.create_index(
        "ix_calls_tiling", "calls", ["account_id", "cumulative"], sqlite_where=spent, postgresql_where=spent
    )
    running = sa.text("state = 'open'")
    op.create_index("ix_calls_open", "calls", ["lease_until"], sqlite_where=running, postgresql_where=running)


def _entries() -> None:
    op.create_table(
        "entries",
        sa.Column("id", _Serial, sa.Identity(), primary_key=True),
        sa.Column("account_id", HashColumn, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("call_id", HashColumn),
        sa.Column("asset", AssetIdColumn),
        sa.Column("debit", sa.String(9), nullable=False),
        sa.Column("credit", sa.String(9), nullable=False),
        sa.Column("amount", Amount, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("debit <> credit", name="two_sides"),
        sa.CheckConstraint(_one_of("debit", "escrow", "available", "reserved", "charged", "paid"), name="debit"),
        sa.CheckConstraint(_one_of("credit", "escrow", "available", "reserved", "charged", "paid"), name="credit"),
    )


def _claims() -> None:
    op.create_table(
        "claims",
        sa.Column("id", HashColumn, primary_key=True),
        sa.Column("account_id", HashColumn, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("split_from", Amount, nullable=False),
        sa.Column("cumulative", Amount, nullable=False),
        sa.Column("voucher_amount", Amount, nullable=False),
        sa.Column("voucher_signature", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("outbox_id", sa.String(200)),
        sa.Column("planned_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.CheckConstraint(_one_of("state", "planned", "sent", "confirmed", "failed"), name="state"),
    )
    pending = sa.text("state IN ('planned', 'sent')")
    op.create_index(
        "uq_claims_pending", "claims", ["account_id"], unique=True, sqlite_where=pending, postgresql_where=pending
    )
    op.create_index("ix_claims_published", "claims", ["account_id", "voucher_amount"])


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("scope", sa.String(85), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("body_hash", HashColumn, nullable=False),
        sa.Column("call_id", HashColumn, sa.ForeignKey("calls.id"), nullable=False, unique=True),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("scope", "key"),
    )
    op.create_index("ix_answers_expiry", "answers", ["expires_at"])


def _deposits() -> None:
    op.create_table(
        "deposits",
        sa.Column("account_id", HashColumn, nullable=False),
        sa.Column("payer", AddressColumn, nullable=False),
        sa.Column("nonce", HashColumn, nullable=False),
        sa.Column("amount", Amount, nullable=False),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("outbox_id", sa.String(200)),
        sa.Column("planned_at", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "nonce"),
        sa.CheckConstraint(_one_of("state", "planned", "confirmed", "failed"), name="state"),
    )
    op.create_index("ix_deposits_payer", "deposits", ["payer", "planned_at"])
    planned = sa.text("state = 'planned'")
    op.create_index(
        "uq_deposits_planned", "deposits", ["payer"], unique=True, sqlite_where=planned, postgresql_where=planned
    )


def _refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("account_id", HashColumn, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("nonce", sa.BigInteger, nullable=False),
        sa.Column("amount", Amount, nullable=False),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("outbox_id", sa.String(200)),
        sa.Column("planned_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "nonce"),
        sa.CheckConstraint(_one_of("state", "planned", "confirmed", "failed"), name="state"),
    )


def _receipt_signers() -> None:
    op.create_table(
        "receipt_signers",
        sa.Column("address", AddressColumn, nullable=False),
        sa.Column("mark", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_receipt_signers"),
    )
