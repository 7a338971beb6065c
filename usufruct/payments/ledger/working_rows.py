"""The rows of a working set: read as its verbs need them, and its changes as parameters of statements.

The two drivers differ in the text of a statement, in how they run one for many rows, and in how they carry an amount.
"""

from collections.abc import Awaitable, Callable, Sequence

from usufruct.core import asset_to_bytes, id_to_bytes, value
from usufruct.payments.ledger.call_admission import scope_of
from usufruct.payments.ledger.records import Call
from usufruct.payments.ledger.rows import account_of, call_of, key_of, lines_text
from usufruct.payments.ledger.sql_statements import Parameter, Row
from usufruct.payments.ledger.working_set import Needs, WorkingSet

Amount = Callable[[int], str | bytes]
Rows = list[tuple[Parameter, ...]]
Find = Callable[[str, Rows], Awaitable[Sequence[Row]]]
"""Returns the rows that a query finds for each of its parameters."""


@value
class Queries:
    """How to find accounts (locked, with the time `now`), calls, keys by call and by name, and claimed vouchers."""

    accounts: str
    calls: str
    keys_of_calls: str
    keys: str
    published: str


async def read_needs(find: Find, queries: Queries, needs: Sequence[Needs], amount: Amount) -> WorkingSet:
    """Read the rows that verbs need."""
    found = await find(queries.accounts, [(id_to_bytes(account),) for account in {need.account for need in needs}])
    work = WorkingSet(now=found[0].integer("now") if found else 0)
    work.accounts.update((account.id, account) for account in map(account_of, found))
    calls = await find(queries.calls, [(id_to_bytes(need.call),) for need in needs if need.call is not None])
    work.calls.update((call.lease.call, call) for call in map(call_of, calls))
    work.load_keys(map(key_of, await find(queries.keys_of_calls, [(row.raw("id"),) for row in calls])))
    names: Rows = [
        (scope_of(account.owner, account.signer), need.key)
        for need in needs
        if need.key is not None and (account := work.accounts.get(need.account))
    ]
    work.load_keys(map(key_of, await find(queries.keys, names)))
    sent: Rows = [(id_to_bytes(need.account), amount(need.promise)) for need in needs if need.promise is not None]
    published = await find(queries.published, sent)
    work.published.update((row.hash32("account_id"), row.money("voucher_amount")) for row in published)
    return work


FREE_KEY = "DELETE FROM answers WHERE call_id = $1"
TAKE_KEY = "INSERT INTO answers (scope, key, call_id, body_hash, expires_at) VALUES ($1, $2, $3, $4, $5)"
KEEP_ANSWER = "UPDATE answers SET sealed = $2, expires_at = $3 WHERE call_id = $1"

_NOT_BILLED = (None,) * 8


def freed_keys(work: WorkingSet) -> Rows:
    """Return the parameters of `FREE_KEY`."""
    return [(id_to_bytes(call),) for call in work.keys_freed]


def taken_keys(work: WorkingSet) -> Rows:
    """Return the parameters of `TAKE_KEY`."""
    return [
        (key.scope, key.key, id_to_bytes(key.call), id_to_bytes(key.body_hash), key.expires_at)
        for key in work.keys_taken
    ]


def kept_answers(work: WorkingSet) -> Rows:
    """Return the parameters of `KEEP_ANSWER`."""
    return [(id_to_bytes(key.call), key.sealed, key.expires_at) for key in work.answers_kept]


def opened_calls(work: WorkingSet, amount: Amount) -> Rows:
    """Return new calls: id, account, asset, owner, epoch, end of lease, ceiling, price card, request, time, voucher.

    The voucher is two columns, its amount and its signature.
    """
    return [
        (
            id_to_bytes(call.lease.call),
            id_to_bytes(call.lease.account),
            asset_to_bytes(call.asset),
            call.owner,
            call.lease.epoch,
            call.lease_until,
            amount(call.ceiling),
            call.price_card_version,
            id_to_bytes(call.request_hash),
            call.opened_at,
            amount(voucher.max_claimable),
            voucher.signature,
        )
        for call, voucher in work.opened
    ]


def ended_calls(work: WorkingSet, amount: Amount) -> Rows:
    """Return final calls: id, the epoch before, state, epoch, time, reason, the receipt's signature, and the bill.

    The bill is charge, cumulative, lines, flag, model, response, who counted and reasoning tokens, or as many NULLs.
    """
    return [
        (
            id_to_bytes(call.lease.call),
            before,
            call.state.value,
            call.lease.epoch,
            call.finished_at,
            call.reason,
            call.receipt_signature,
            *_bill(call, amount),
        )
        for call, before in work.ended
    ]


def _bill(call: Call, amount: Amount) -> tuple[Parameter, ...]:
    bill = call.bill
    if bill is None or call.cumulative is None:
        return _NOT_BILLED
    return (
        amount(bill.charge),
        amount(call.cumulative),
        lines_text(bill.lines),
        bill.flagged,
        id_to_bytes(bill.model_digest),
        id_to_bytes(bill.response_hash),
        bill.counted_by.value,
        bill.reasoning_tokens,
    )


def changed_accounts(work: WorkingSet, amount: Amount) -> Rows:
    """Return accounts: id, charged, reserved, the voucher's amount and signature, and when they were used.

    That is the time of the newest call, the day, and what was charged before it.
    """
    return [
        (
            id_to_bytes(account.id),
            amount(account.charged),
            amount(account.reserved),
            amount(account.voucher.max_claimable if account.voucher else 0),
            account.voucher.signature if account.voucher else None,
            account.last_call_at,
            account.day,
            amount(account.charged_before),
        )
        for account in work.touched.values()
    ]


def added_entries(work: WorkingSet, amount: Amount) -> Rows:
    """Return entries: account, call, asset, debit, credit, amount, time."""
    return [
        (
            id_to_bytes(entry.account),
            None if entry.call is None else id_to_bytes(entry.call),
            None if entry.asset is None else asset_to_bytes(entry.asset),
            entry.debit,
            entry.credit,
            amount(entry.amount),
            work.now,
        )
        for entry in work.entries
    ]
