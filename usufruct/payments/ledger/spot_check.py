"""Compare the newest part of the ledger with itself, in a time that does not grow with the ledger.

The newest entries name the accounts and the calls that are looked at; entries are found by their primary key, and so
are the calls and accounts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.core import Hash32
from usufruct.payments.ledger.audit import MOST_FINDINGS, Proofs, audit
from usufruct.payments.ledger.records import Account, Call
from usufruct.payments.ledger.rows import ACCOUNT_COLUMNS, CALL_COLUMNS, account_of, call_of, rows_by_id
from usufruct.payments.ledger.statements import Row, Statements

_NEWEST = "SELECT account_id, call_id, debit, credit, amount FROM entries ORDER BY id DESC LIMIT $1"


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """What the newest entries, their calls and their accounts say."""

    faults: tuple[str, ...]
    """What does not agree, in words; at most `MOST_FINDINGS`."""
    whole: bool
    """Whether that was the whole ledger."""
    accounts: tuple[Account, ...]
    """The accounts of these entries, the newest first."""


async def spot_check(db: Statements, proofs: Proofs | None, most: int) -> SpotCheck:
    """Audit a ledger of at most `most` entries as a whole; of a larger one check the `most` newest entries."""
    entries = await db.rows(_NEWEST, most + 1)
    whole, entries = len(entries) <= most, entries[:most]
    charges: dict[Hash32, Counter[Hash32]] = {}
    for entry in entries:
        calls = charges.setdefault(entry.hash32("account_id"), Counter())
        if (entry.text("debit"), entry.text("credit")) == ("reserved", "charged") and entry.maybe_raw("call_id"):
            calls[entry.hash32("call_id")] += entry.money("amount")
    rows = await _by_id(db, f"SELECT {ACCOUNT_COLUMNS} FROM accounts", list(charges))
    accounts = tuple(account_of(rows[each]) for each in charges if each in rows)
    if whole:
        return SpotCheck(tuple(await audit(db, proofs)), True, accounts)
    found = [f"{each}: there are rows of this account, but no account" for each in charges if each not in rows]
    for account in accounts:
        faults = await _faults(db, account, charges[account.id], proofs)
        found += [f"{account.id}: {fault}" for fault in faults]
        if len(found) >= MOST_FINDINGS:
            break
    return SpotCheck(tuple(found[:MOST_FINDINGS]), False, accounts)


def _position(pair: tuple[Call, int]) -> tuple[int, int]:
    """Return where a call is among its account's: one that was charged 0 comes after the one it follows."""
    call, _ = pair
    return call.cumulative or 0, -call.bill.charge if call.bill else 0


async def _faults(db: Statements, account: Account, charges: Counter[Hash32], proofs: Proofs | None) -> list[str]:
    """Return what does not agree between an account, some of its calls and what entries say these were charged."""
    rows = await _by_id(db, f"SELECT {CALL_COLUMNS}, voucher_amount FROM calls", list(charges))
    found: list[str] = []
    end = best_voucher = 0
    calls = [(call_of(row), row.money("voucher_amount")) for row in rows.values()]
    for call, voucher in sorted(calls, key=_position):
        name, charge, cumulative = call.lease.call, call.bill.charge if call.bill else 0, call.cumulative or 0
        if charge != charges[name]:
            found.append(f"call {name} is charged {charges[name]} by its entry, {charge} by its row")
        if cumulative - charge < end:
            found.append(f"call {name} covers {cumulative - charge} to {cumulative}, but the calls before reach {end}")
        if proofs and (fault := proofs.receipt(call, account)):
            found.append(fault)
        end, best_voucher = max(end, cumulative), max(best_voucher, voucher)
    found += [f"call {name} is charged by its entry, and has no row" for name in charges if name not in rows]
    if end > account.charged:
        found.append(f"its calls reach {end}, the row says {account.charged} is charged")
    best = account.voucher.max_claimable if account.voucher else 0
    if best < best_voucher:
        found.append(f"its best voucher covers {best}, but a call came with one over {best_voucher}")
    if proofs and account.voucher and (fault := proofs.voucher(account)):
        found.append(fault)
    return found


async def _by_id(db: Statements, query: str, ids: Sequence[Hash32]) -> dict[Hash32, Row]:
    """Return the rows of a query by id; an unknown id is missing."""
    return {row.hash32("id"): row for row in await rows_by_id(db, f"{query} WHERE id", ids)}
