"""Rows to records."""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache

from usufruct.core import ChainId, Hash32, address_from_bytes, hash32_from_bytes, id_to_bytes
from usufruct.payments.ledger.errors import AccountUnknown
from usufruct.payments.ledger.records import (
    Account,
    AccountIdentity,
    AccountKind,
    AccountReading,
    Bill,
    Call,
    CallState,
    Lease,
)
from usufruct.payments.ledger.sql_statements import Row, Statements
from usufruct.payments.ledger.working_set import KeptKey
from usufruct.payments.pricing import CountedBy, VerifiedVoucher, Voucher
from usufruct_client.bill_lines import CALL, ROUNDING, Line, bill_lines

PAGE = 256
"""Rows that a verb returns or changes at a time, where its caller sets no limit."""
_MOST_IDS = 500

ACCOUNT_COLUMNS = (
    "id, kind, chain_id, owner, signer, token, block, balance, total_claimed, total_split, withdraw_at, leaving, "
    "serve_until, charged, reserved, refunding, voucher_amount, voucher_signature, last_call_at, day, charged_before"
)
CALL_COLUMNS = (
    "id, account_id, asset, state, owner, epoch, lease_until, ceiling, price_card_version, request_hash, opened_at, "
    "finished_at, reason, charge, cumulative, lines, flagged, model_digest, "
    "response_hash, counted_by, reasoning_tokens, receipt_signature"
)
KEY_COLUMNS = "scope, key, call_id, body_hash, sealed, expires_at"


def account_of(row: Row) -> Account:
    """Read an account from a row of `ACCOUNT_COLUMNS`."""
    identity = _identity(
        row.raw("id"),
        row.text("kind"),
        row.integer("chain_id"),
        row.raw("owner"),
        row.raw("signer"),
        row.raw("token"),
    )
    signature = row.maybe(row.raw, "voucher_signature")
    reading = AccountReading(
        identity=identity,
        block=row.integer("block"),
        balance=row.money("balance"),
        total_claimed=row.money("total_claimed"),
        withdraw_at=row.integer("withdraw_at"),
        leaving=row.money("leaving"),
        serve_until=row.integer("serve_until"),
    )
    return Account(
        reading=reading,
        total_split=row.money("total_split"),
        charged=row.money("charged"),
        reserved=row.money("reserved"),
        refunding=row.money("refunding"),
        voucher=None if signature is None else voucher_of(identity.id, row.money("voucher_amount"), signature),
        last_call_at=row.integer("last_call_at"),
        day=row.integer("day"),
        charged_before=row.maybe(row.money, "charged_before") or 0,
    )


@lru_cache(maxsize=1 << 14)
def _identity(id_: bytes, kind: str, chain_id: int, owner: bytes, signer: bytes, token: bytes) -> AccountIdentity:
    """Make an account's identity once: it never changes, and calls read it all the time."""
    return AccountIdentity(
        id=hash32_from_bytes(id_),
        kind=AccountKind(kind),
        chain_id=ChainId(chain_id),
        owner=address_from_bytes(owner),
        signer=address_from_bytes(signer),
        token=address_from_bytes(token),
    )


def voucher_of(account: Hash32, amount: int, signature: bytes) -> VerifiedVoucher:
    """Read a voucher; what is stored was verified before it was."""
    return VerifiedVoucher(Voucher(account, amount, signature))


def call_of(row: Row) -> Call:
    """Read a call from a row that has the `CALL_COLUMNS`."""
    return Call(
        lease=Lease(row.hash32("id"), row.hash32("account_id"), row.integer("epoch")),
        asset=row.asset("asset"),
        state=CallState(row.text("state")),
        owner=row.text("owner"),
        lease_until=row.integer("lease_until"),
        ceiling=row.money("ceiling"),
        price_card_version=row.integer("price_card_version"),
        request_hash=row.hash32("request_hash"),
        opened_at=row.integer("opened_at"),
        finished_at=row.maybe(row.integer, "finished_at"),
        reason=row.maybe(row.text, "reason"),
        bill=_bill(row),
        cumulative=row.maybe(row.money, "cumulative"),
        receipt_signature=row.maybe(row.raw, "receipt_signature"),
    )


def lines_text(lines: Iterable[Line]) -> str:
    """Write the lines of a bill: a JSON array of [unit, quantity, price, per]; the rest is made of these."""
    return (
        "["
        + ",".join(
            [f'["{unit}",{quantity},{price},{per}]' for unit, quantity, price, per, _ in lines if unit != ROUNDING]
        )
        + "]"
    )


def _lines(text: str) -> tuple[Line, ...]:
    found = json.loads(text)
    quantities = {unit: quantity for unit, quantity, _, _ in found if unit != CALL}
    return bill_lines(quantities, {unit: (price, per) for unit, _, price, per in found})


def _bill(row: Row) -> Bill | None:
    charge = row.maybe(row.money, "charge")
    if charge is None:
        return None
    return Bill(
        charge,
        _lines(row.text("lines")),
        flagged=bool(row.integer("flagged")),
        model_digest=row.hash32("model_digest"),
        response_hash=row.hash32("response_hash"),
        counted_by=CountedBy(row.text("counted_by")),
        reasoning_tokens=row.integer("reasoning_tokens"),
    )


def key_of(row: Row) -> KeptKey:
    """Read an idempotency key from its row."""
    return KeptKey(
        scope=row.text("scope"),
        key=row.text("key"),
        call=row.hash32("call_id"),
        body_hash=row.hash32("body_hash"),
        sealed=row.maybe(row.raw, "sealed"),
        expires_at=row.integer("expires_at"),
    )


async def rows_by_id(db: Statements, select: str, ids: Sequence[Hash32]) -> list[Row]:
    """Return the rows of `select`, which ends with the name of an id column, for these ids."""
    found: list[Row] = []
    for start in range(0, len(ids), _MOST_IDS):
        some = [id_to_bytes(each) for each in ids[start : start + _MOST_IDS]]
        places = ", ".join(f"${number}" for number in range(1, len(some) + 1))
        found += await db.rows(f"{select} IN ({places})", *some)
    return found


async def locked_account(db: Statements, account: Hash32) -> Account:
    """Read an account and lock its row until the commit.

    Raises:
        AccountUnknown: when there is none.
    """
    row = await db.row(f"SELECT {ACCOUNT_COLUMNS} FROM accounts WHERE id = $1 FOR UPDATE", id_to_bytes(account))
    if row is None:
        raise AccountUnknown(account)
    return account_of(row)
