"""The call ledger's tables. SQLAlchemy declares them; the ledger itself talks to the drivers (see `ledger/`).

Identifiers are bytes, money is `Amount`, times are seconds by the database's clock. What must never
happen is refused by the schema too: a final call that changes, a charge over its ceiling, an entry that is edited.
"""

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    event,
    text,
)

from usufruct.store import AddressColumn, Amount, AssetIdColumn, HashColumn, metadata, partial_index

_Serial = BigInteger().with_variant(Integer, "sqlite")


def _one_of(column: str, *words: str) -> str:
    """Write the rule that a column holds one of `words`; SQLite tests IN lists many times slower."""
    return " OR ".join(f"{column} = '{word}'" for word in words)


accounts = Table(
    "accounts",
    metadata,
    Column("id", HashColumn, primary_key=True),
    Column("kind", String(14), nullable=False),  # its funding source's, which keeps the rest of its configuration
    Column("chain_id", BigInteger, nullable=False),
    Column("owner", AddressColumn, nullable=False),  # paid in
    Column("signer", AddressColumn, nullable=False),  # authorizes charges
    Column("token", AddressColumn, nullable=False),
    Column("block", BigInteger, nullable=False),  # of the newest chain reading
    Column("balance", Amount, nullable=False),  # on chain: deposits less withdrawals and refunds
    Column("total_claimed", Amount, nullable=False),  # confirmed on chain
    Column("total_split", Amount, nullable=False),  # confirmed and paid on to the assets
    Column("withdraw_at", BigInteger, nullable=False),  # chain time of WithdrawInitiated; 0: none
    Column("leaving", Amount, nullable=False),  # what it announced
    Column("serve_until", BigInteger, nullable=False),  # seconds, if the signer announced it; 0: the owner did
    Column("charged", Amount, nullable=False),  # cumulative
    Column("reserved", Amount, nullable=False),  # sum of open calls' ceilings
    Column("refunding", Amount, nullable=False),  # sum of planned refunds
    Column("voucher_amount", Amount, nullable=False),  # highest accepted; 0: none yet
    Column("voucher_signature", LargeBinary),
    Column("last_call_at", BigInteger, nullable=False),  # when the newest call was opened; 0: never
    Column("day", BigInteger, nullable=False, server_default="0"),  # UTC, days since 1970, of the last change of ours
    Column("charged_before", Amount),  # what was charged before that day; NULL: 0
    CheckConstraint(_one_of("kind", "escrow_channel", "pass_credits"), name="kind"),
    CheckConstraint("total_claimed <= charged", name="claimed"),
    CheckConstraint("total_split <= charged", name="split"),
)
_leaving = text("withdraw_at <> 0")
partial_index("ix_accounts_leaving", accounts.c.withdraw_at, accounts.c.id, where=_leaving)

calls = Table(
    "calls",
    metadata,
    Column("id", HashColumn, primary_key=True),
    Column("account_id", HashColumn, ForeignKey("accounts.id"), nullable=False),
    Column("asset", AssetIdColumn, nullable=False),
    Column("state", String(8), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("ceiling", Amount, nullable=False),
    Column("price_card_version", BigInteger, nullable=False),
    Column("request_hash", HashColumn, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("reason", String(64)),  # why released
    Column("charge", Amount),
    Column("cumulative", Amount),  # the account's charged, this call included
    Column("lines", Text),  # of the bill, as `rows.lines_text` writes them
    Column("flagged", Boolean),
    Column("counted_by", String(10)),
    Column("reasoning_tokens", BigInteger),
    Column("model_digest", HashColumn),
    Column("response_hash", HashColumn),
    Column("receipt_signature", LargeBinary),  # the operator's, made once
    Column("voucher_amount", Amount),  # the voucher that it came with
    Column("voucher_signature", LargeBinary),
    CheckConstraint(_one_of("state", "open", "metered", "released"), name="state"),
    CheckConstraint("charge <= ceiling", name="ceiling"),
    CheckConstraint("(state = 'metered') = (charge IS NOT NULL)", name="charge"),
    CheckConstraint("(charge IS NULL) = (cumulative IS NULL)", name="cumulative"),
)
_spent = text("cumulative IS NOT NULL")
partial_index("ix_calls_tiling", calls.c.account_id, calls.c.cumulative, where=_spent)
partial_index("ix_calls_finished", calls.c.account_id, calls.c.finished_at, calls.c.cumulative, where=_spent)
_open = text("state = 'open'")
partial_index("ix_calls_open", calls.c.lease_until, where=_open)

entries = Table(
    "entries",
    metadata,
    Column("id", _Serial, Identity(), primary_key=True),
    Column("account_id", HashColumn, ForeignKey("accounts.id"), nullable=False),
    Column("call_id", HashColumn),
    Column("asset", AssetIdColumn),
    Column("debit", String(9), nullable=False),
    Column("credit", String(9), nullable=False),
    Column("amount", Amount, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint("debit <> credit", name="two_sides"),
    CheckConstraint(_one_of("debit", "escrow", "available", "reserved", "charged", "paid"), name="debit"),
    CheckConstraint(_one_of("credit", "escrow", "available", "reserved", "charged", "paid"), name="credit"),
)

claims = Table(
    "claims",
    metadata,
    Column("id", HashColumn, primary_key=True),
    Column("account_id", HashColumn, ForeignKey("accounts.id"), nullable=False),
    Column("split_from", Amount, nullable=False),
    Column("cumulative", Amount, nullable=False),
    Column("voucher_amount", Amount, nullable=False),
    Column("voucher_signature", LargeBinary, nullable=False),
    Column("state", String(9), nullable=False),
    Column("outbox_id", String(200)),  # in the sender's outbox
    Column("planned_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    CheckConstraint(_one_of("state", "planned", "sent", "confirmed", "failed"), name="state"),
)
_pending = text("state IN ('planned', 'sent')")
partial_index("uq_claims_pending", claims.c.account_id, unique=True, where=_pending)
Index("ix_claims_published", claims.c.account_id, claims.c.voucher_amount)

answers = Table(
    "answers",
    metadata,
    Column("scope", String(85), nullable=False),  # payer/payerAuthorizer: who may repeat a call
    Column("key", String(255), nullable=False),
    Column("body_hash", HashColumn, nullable=False),
    Column("call_id", HashColumn, ForeignKey("calls.id"), nullable=False, unique=True),
    Column("sealed", LargeBinary),  # encrypted; NULL while the call runs
    Column("expires_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("scope", "key"),
)
Index("ix_answers_expiry", answers.c.expires_at)

deposits = Table(
    "deposits",
    metadata,
    Column("account_id", HashColumn, nullable=False),
    Column("payer", AddressColumn, nullable=False),
    Column("nonce", HashColumn, nullable=False),
    Column("amount", Amount, nullable=False),
    Column("state", String(9), nullable=False),
    Column("outbox_id", String(200)),  # in the sender's outbox
    Column("planned_at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    PrimaryKeyConstraint("account_id", "nonce"),
    CheckConstraint(_one_of("state", "planned", "confirmed", "failed"), name="state"),
)
Index("ix_deposits_payer", deposits.c.payer, deposits.c.planned_at)
_planned = text("state = 'planned'")
partial_index("uq_deposits_planned", deposits.c.payer, unique=True, where=_planned)

refunds = Table(
    "refunds",
    metadata,
    Column("account_id", HashColumn, ForeignKey("accounts.id"), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("amount", Amount, nullable=False),
    Column("state", String(9), nullable=False),
    Column("outbox_id", String(200)),  # in the sender's outbox
    Column("planned_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "nonce"),
    CheckConstraint(_one_of("state", "planned", "confirmed", "failed"), name="state"),
)

refunds_to_report = Table(
    "refunds_to_report",  # confirmed, and their payers not told yet
    metadata,
    Column("account_id", HashColumn, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "nonce"),
)

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
for _dialect, _triggers in (("sqlite", _SQLITE_TRIGGERS), ("postgresql", _POSTGRES_TRIGGERS)):
    for _trigger in _triggers:
        event.listen(entries, "after_create", DDL(_trigger).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
