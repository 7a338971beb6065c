"""Metered calls by time: the newest first, and what was charged on each day.

Calls of several accounts have one order: by the second they ended in, within it by the account's cumulative charge,
then by their ids. A page goes on from the last call of the page before, so that calls made meanwhile shift nothing.
"""

from collections import Counter
from collections.abc import Iterable

from usufruct.core import DAY_SECONDS, Hash32, id_to_bytes
from usufruct.payments.ledger.records import Call
from usufruct.payments.ledger.rows import CALL_COLUMNS, PAGE, call_of
from usufruct.payments.ledger.sql_statements import Money, Parameter, Statements

_FIRST_READ = 20
_SPENT = f"SELECT {CALL_COLUMNS} FROM calls WHERE account_id = $1 AND cumulative IS NOT NULL"
_NEWEST_FIRST = "ORDER BY finished_at DESC, cumulative DESC, id DESC LIMIT $2"


async def latest_metered(
    db: Statements, accounts: Iterable[Hash32], limit: int = PAGE, before: Call | None = None
) -> list[Call]:
    """Return the last metered calls of several accounts, the newest first; with `before`, those that come after it.

    An account is read on, twice as far each time, while all that was read of it is among the newest: in all at most a
    few times `limit` rows, and `_FIRST_READ` of each account.
    """
    found: dict[Hash32, list[Call]] = {}
    reads = dict.fromkeys(accounts, min(_FIRST_READ, limit))
    while reads:
        for account, count in reads.items():
            found[account] = await _latest_metered(db, account, count, before)
        newest = sorted((call for each in found.values() for call in each), key=_position, reverse=True)[:limit]
        reads = {
            account: min(2 * count, limit)
            for account, count in reads.items()
            if count == len(found[account]) < limit and _position(found[account][-1]) >= _position(newest[-1])
        }
    return newest if found else []


async def charged_by_day(db: Statements, accounts: Iterable[Hash32], since: int) -> dict[int, int]:
    """Return what accounts were charged on each day with calls from the day `since` on; days (UTC) since 1970.

    A call's `cumulative` is the sum of the account's charges up to it. So a day's total is that of its last call, less
    what was charged before its first: two rows of each account and day are read, however many calls there are. What a
    restored ledger took over from the chain (`account_verbs.observe`) counts only between two calls of one day.
    """
    found: Counter[int] = Counter()
    for account in accounts:
        day = since
        while (first := await _first_metered(db, account, day * DAY_SECONDS)) is not None:
            started_at, charged_before = first
            day = started_at // DAY_SECONDS + 1
            found[day - 1] += await _charged_until(db, account, day * DAY_SECONDS) - charged_before
    return dict(found)


async def _first_metered(db: Statements, account: Hash32, since: int) -> tuple[int, int] | None:
    """Return when the first call since a moment ended, and what its account was charged before it."""
    row = await db.row(
        "SELECT finished_at, cumulative, charge FROM calls WHERE account_id = $1 AND cumulative IS NOT NULL "
        "AND finished_at >= $2 ORDER BY finished_at, cumulative, charge DESC LIMIT 1",
        id_to_bytes(account),
        since,
    )
    return None if row is None else (row.integer("finished_at"), row.money("cumulative") - row.money("charge"))


async def _charged_until(db: Statements, account: Hash32, end: int) -> int:
    """Return what an account was charged up to its last call before the moment `end`."""
    row = await db.row(
        "SELECT cumulative FROM calls WHERE account_id = $1 AND cumulative IS NOT NULL AND finished_at < $2 "
        "ORDER BY finished_at DESC, cumulative DESC LIMIT 1",
        id_to_bytes(account),
        end,
    )
    return 0 if row is None else row.money("cumulative")


async def _latest_metered(db: Statements, account: Hash32, limit: int, before: Call | None) -> list[Call]:
    parameters: list[Parameter] = [id_to_bytes(account), limit]
    select = _SPENT
    if before is not None:
        finished_at, cumulative, call = _position(before)
        select += " AND (finished_at, cumulative, id) < ($3, $4, $5)"
        parameters += [finished_at, Money(cumulative), id_to_bytes(call)]
    return [call_of(row) for row in await db.rows(f"{select} {_NEWEST_FIRST}", *parameters)]


def _position(call: Call) -> tuple[int, int, Hash32]:
    return call.finished_at or 0, call.cumulative or 0, call.lease.call
