"""Compare what the database holds twice: rows with entries, calls with each other, signatures with what they cover.

`audit` passes once over four queries in the order of accounts, so that memory stays the same however large the ledger
is; the database sorts. `spot_check` takes a time that does not grow with the ledger: the newest entries name the
accounts and calls that it looks at, all of which are found by their primary key.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from usufruct.core import AssetId, Hash32, format_asset
from usufruct.payments.ledger.records import Account, Call
from usufruct.payments.ledger.rows import ACCOUNT_COLUMNS, CALL_COLUMNS, account_of, call_of, rows_by_id
from usufruct.payments.ledger.sql_statements import Row, Statements

MOST_FINDINGS = 100
"""What is found after so many is not written down: one fault at a time is repaired."""

_ENTRIES = "SELECT account_id, call_id, asset, debit, credit, amount FROM entries"
_CALLS = f"SELECT {CALL_COLUMNS}, voucher_amount FROM calls"
_METERED = f"{_CALLS} WHERE cumulative IS NOT NULL ORDER BY account_id, cumulative, charge DESC"
"""A call that was charged 0 reaches as far as the one before it, and comes after."""
_OPEN = "SELECT account_id, ceiling FROM calls WHERE state = 'open' ORDER BY account_id"
_CHARGED = ("reserved", "charged")


class Proofs(Protocol):
    """Checks signatures against the rows that they cover; each returns what is wrong, in words, or None."""

    def voucher(self, account: Account) -> str | None:
        """Check the account's best voucher."""

    def receipt(self, call: Call, account: Account) -> str | None:
        """Check the receipt of a metered call."""


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """What the newest entries, their calls and their accounts say."""

    faults: tuple[str, ...]
    """What does not agree, in words; at most `MOST_FINDINGS`."""
    whole: bool
    """Whether that was the whole ledger."""
    accounts: tuple[Account, ...]
    """The accounts of these entries, the newest first."""


async def audit(db: Statements, proofs: Proofs | None = None) -> list[str]:
    """Return what does not agree, in words; at most `MOST_FINDINGS`. `proofs` checks signatures as well.

    An empty list is the good answer. Memory is bounded; the time grows with the ledger.
    """
    queries = (f"{_ENTRIES} ORDER BY account_id", _METERED, _OPEN)
    entries, metered, opened = streams = [_ByAccount(db.stream(query)) for query in queries]
    found: list[str] = []
    async for row in db.stream(f"SELECT {ACCOUNT_COLUMNS} FROM accounts ORDER BY id"):
        account = account_of(row)
        books, tiles = _Books(), _Tiles(account, proofs)
        async for entry in entries.of(account.id):
            books.add(entry)
        async for call in metered.of(account.id):
            tiles.add(call)
        reserved = sum([call.money("ceiling") async for call in opened.of(account.id)])
        faults = [*books.faults(account), *tiles.gaps(books), *tiles.faults()]
        if reserved != account.reserved:
            faults.append(f"open calls reserve {reserved}, the row says {account.reserved}")
        found += [f"{account.id}: {fault}" for fault in faults]
        if len(found) >= MOST_FINDINGS:
            return found[:MOST_FINDINGS]
    for stream in streams:
        async for _ in stream.of(None):
            raise AssertionError("a row without an account is never yielded")
    strangers = set().union(*(stream.strangers for stream in streams))
    return [*found, *map(_no_account, sorted(strangers))][:MOST_FINDINGS]


async def spot_check(db: Statements, proofs: Proofs | None = None, most: int = 3_000) -> SpotCheck:
    """Audit a ledger of at most `most` entries as a whole; of a larger one check the `most` newest entries."""
    entries = await db.rows(f"{_ENTRIES} ORDER BY id DESC LIMIT $1", most + 1)
    whole, entries = len(entries) <= most, entries[:most]
    charges: dict[Hash32, Counter[Hash32]] = {}
    for entry in entries:
        calls = charges.setdefault(entry.hash32("account_id"), Counter())
        call = entry.maybe(entry.hash32, "call_id")
        if call is not None and (entry.text("debit"), entry.text("credit")) == _CHARGED:
            calls[call] += entry.money("amount")
    rows = await rows_by_id(db, f"SELECT {ACCOUNT_COLUMNS} FROM accounts WHERE id", list(charges))
    known = {row.hash32("id"): account_of(row) for row in rows}
    accounts = tuple(known[each] for each in charges if each in known)
    if whole:
        return SpotCheck(tuple(await audit(db, proofs)), True, accounts)
    found = [_no_account(each) for each in charges if each not in known]
    for account in accounts:
        found += [f"{account.id}: {fault}" for fault in await _newest(db, account, charges[account.id], proofs)]
        if len(found) >= MOST_FINDINGS:
            break
    return SpotCheck(tuple(found[:MOST_FINDINGS]), False, accounts)


async def _newest(db: Statements, account: Account, charges: Counter[Hash32], proofs: Proofs | None) -> list[str]:
    """Return what does not agree between an account, some of its calls and what entries say these were charged."""
    rows = await rows_by_id(db, f"{_CALLS} WHERE id", list(charges))
    known = {row.hash32("id") for row in rows}
    found = [f"call {name} is charged by its entry, and has no row" for name in charges if name not in known]
    tiles = _Tiles(account, proofs)
    for row in sorted(rows, key=_position):
        tiles.add(row)
        name, charge = row.hash32("id"), row.maybe(row.money, "charge") or 0
        if charge != charges[name]:
            found.append(f"call {name} is charged {charges[name]} by its entry, {charge} by its row")
    if tiles.end > account.charged:
        found.append(f"its calls reach {tiles.end}, the row says {account.charged} is charged")
    return [*found, *tiles.faults()]


def _position(call: Row) -> tuple[int, int]:
    """Return where a call is among its account's, as `_METERED` orders them."""
    return call.maybe(call.money, "cumulative") or 0, -(call.maybe(call.money, "charge") or 0)


def _no_account(account: Hash32) -> str:
    return f"{account}: there are rows of this account, but no account"


class _ByAccount:
    """A query's rows in the order of accounts, taken an account at a time."""

    def __init__(self, rows: AsyncIterator[Row]) -> None:
        self._rows = rows
        self._ahead: Row | None = None
        self.strangers: set[Hash32] = set()

    async def of(self, account: Hash32 | None) -> AsyncIterator[Row]:
        """Yield the rows of `account`, which comes after the one before; None: pass over all that is left."""
        while (row := self._ahead or await anext(self._rows, None)) is not None:
            self._ahead, key = None, row.hash32("account_id")
            if account is not None and key > account:
                self._ahead = row
                return
            if key == account:
                yield row
            elif len(self.strangers) < MOST_FINDINGS:
                self.strangers.add(key)


class _Books:
    """An account's accounts, summed over its entries."""

    def __init__(self) -> None:
        self.accounts: Counter[str] = Counter()
        self.charges: Counter[AssetId] = Counter()
        self.restored = 0
        """What was found claimed on the chain, of which no calls are known."""

    def add(self, entry: Row) -> None:
        """Sum the next entry."""
        debit, credit, amount = entry.text("debit"), entry.text("credit"), entry.money("amount")
        self.accounts[debit] -= amount
        self.accounts[credit] += amount
        asset = entry.maybe(entry.asset, "asset")
        if (debit, credit) == _CHARGED and asset is not None:
            self.charges[asset] += amount
        elif (debit, credit) == ("available", "paid"):
            self.restored += amount

    def faults(self, account: Account) -> list[str]:
        """Return what does not agree with the account's row."""
        balance = account.reading.balance
        expected = {
            "escrow": -balance,
            "available": balance - account.charged - account.reserved,
            "reserved": account.reserved,
            "charged": account.charged - account.total_split,
            "paid": account.total_split,
        }
        return [
            f"{name} is {self.accounts[name]} by entries, {amount} by rows"
            for name, amount in expected.items()
            if self.accounts[name] != amount
        ]


class _Tiles:
    """Metered calls of an account, in the order of its spending, which they tile without overlap."""

    def __init__(self, account: Account, proofs: Proofs | None) -> None:
        self._account = account
        self._proofs = proofs
        self._charges: Counter[AssetId] = Counter()
        self._uncovered = 0
        self._best_voucher = 0
        self._wrong: list[str] = []
        self.end = 0
        """The position that they reach."""

    def add(self, row: Row) -> None:
        """Lay the next call."""
        call = call_of(row)
        charge, end = call.bill.charge if call.bill else 0, call.cumulative or 0
        start = end - charge
        if start < self.end:
            self._add_fault(f"call {call.lease.call} covers {start} to {end}, but the calls before reach {self.end}")
        if self._proofs and (fault := self._proofs.receipt(call, self._account)):
            self._add_fault(fault)
        self._uncovered += max(0, start - self.end)
        self.end = max(self.end, end)
        self._charges[call.asset] += charge
        self._best_voucher = max(self._best_voucher, row.money("voucher_amount"))

    def faults(self) -> list[str]:
        """Return what does not agree between the calls, the account's row and the signatures."""
        found, voucher = list(self._wrong), self._account.voucher
        best = voucher.max_claimable if voucher else 0
        if best < self._best_voucher:
            found.append(f"its best voucher covers {best}, but a call came with one over {self._best_voucher}")
        if self._proofs and voucher and (fault := self._proofs.voucher(self._account)):
            found.append(fault)
        return found

    def gaps(self, books: _Books) -> list[str]:
        """Return what does not agree between all calls and all entries: gaps are only where records were lost."""
        found: list[str] = []
        charged = self._account.charged
        gaps = self._uncovered + charged - self.end
        if gaps != books.restored:
            found.append(
                f"its calls leave {gaps} of the {charged} charged uncovered, but {books.restored} was restored from "
                "the chain"
            )
        found += [
            f"asset {format_asset(asset)} is charged {books.charges[asset]} by entries, {self._charges[asset]} by calls"
            for asset in sorted(set(self._charges) | set(books.charges))
            if self._charges[asset] != books.charges[asset]
        ]
        return found

    def _add_fault(self, fault: str) -> None:
        if len(self._wrong) < MOST_FINDINGS:
            self._wrong.append(fault)
