"""An account's metered calls by time: the newest first, and what was charged until a moment.

Calls of several accounts have one order: by the second they ended in, within it by the account's cumulative charge,
then by their ids. A page goes on from the last call of the page before, so that calls made meanwhile shift nothing.
"""

from collections.abc import Iterable

from usufruct.core import Hash32, id_to_bytes
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
