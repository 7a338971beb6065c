"""Compare what the database holds twice: rows with entries, calls with each other, signatures with what they cover.

One pass over four queries in the order of accounts, so that memory stays the same however large the ledger is; the
database sorts.
"""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Protocol

from usufruct.core import AssetId, Hash32, format_asset
from usufruct.payments.ledger.records import Account, Call
from usufruct.payments.ledger.rows import ACCOUNT_COLUMNS, CALL_COLUMNS, account_of, call_of
from usufruct.payments.ledger.statements import Row, Statements

MOST_FINDINGS = 100
"""What is found after so many is not written down: one fault at a time is repaired."""

_ENTRIES = "SELECT account_id, asset, debit, credit, amount FROM entries ORDER BY account_id"
_METERED = (
    f"SELECT {CALL_COLUMNS}, voucher_amount FROM calls WHERE cumulative IS NOT NULL "
    "ORDER BY account_id, cumulative, charge DESC"
)
"""A call that was charged 0 reaches as far as the one before it, and comes after."""
_OPEN = "SELECT account_id, ceiling FROM calls WHERE state = 'open' ORDER BY account_id"


class Proofs(Protocol):
    """Checks signatures against the rows that they cover; each returns what is wrong, in words, or None."""

    def voucher(self, account: Account) -> str | None:
        """Check the account's best voucher."""

    def receipt(self, call: Call, account: Account) -> str | None:
        """Check the receipt of a metered call."""


class _ByAccount:
    """A query's rows in the order of accounts, taken an account at a time."""

    def __init__(self, rows: AsyncIterator[Row]) -> None:
        self._rows = rows
        self._next: Row | None = None
        self.strangers: set[Hash32] = set()

    async def start(self) -> None:
        """Read the first row."""
        self._next = await anext(self._rows, None)

    async def of(self, account: Hash32 | None) -> AsyncIterator[Row]:
        """Yield the rows of `account`, which comes after the one before; None: pass over all that is left."""
        while self._next is not None:
            row, key = self._next, self._next.hash32("account_id")
            if account is not None and key > account:
                return
            self._next = await anext(self._rows, None)
            if key == account:
                yield row
            elif len(self.strangers) < MOST_FINDINGS:
                self.strangers.add(key)


async def audit(db: Statements, proofs: Proofs | None) -> list[str]:
    """Return what does not agree, in words; at most `MOST_FINDINGS`."""
    streams = [_ByAccount(db.stream(query)) for query in (_ENTRIES, _METERED, _OPEN)]
    for stream in streams:
        await stream.start()
    entries, metered, opened = streams
    found: list[str] = []
    async for row in db.stream(f"SELECT {ACCOUNT_COLUMNS} FROM accounts ORDER BY id"):
        account = account_of(row)
        books = await _books(entries.of(account.id))
        tiles = await _tiles(metered.of(account.id), account, proofs)
        reserved = sum([call.money("ceiling") async for call in opened.of(account.id)])
        found += [f"{account.id}: {text}" for text in (*books.faults(account), *tiles.faults(account, books))]
        if reserved != account.reserved:
            found.append(f"{account.id}: open calls reserve {reserved}, the row says {account.reserved}")
        if proofs and account.voucher and (fault := proofs.voucher(account)):
            found.append(f"{account.id}: {fault}")
        if len(found) >= MOST_FINDINGS:
            return found[:MOST_FINDINGS]
    for stream in streams:
        async for _ in stream.of(None):
            raise AssertionError("a stranger's row is never yielded")
    strangers = sorted(set().union(*(stream.strangers for stream in streams)))
    return (found + [f"{stranger}: there are rows of this account, but no account" for stranger in strangers])[
        :MOST_FINDINGS
    ]


class _Books:
    """An account's accounts, summed over its entries."""

    def __init__(self) -> None:
        self.accounts: Counter[str] = Counter()
        self.charges: Counter[AssetId] = Counter()
        self.restored = 0
        """What was found claimed on the chain, of which no calls are known."""

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
            f"{account} is {self.accounts[account]} by entries, {amount} by rows"
            for account, amount in expected.items()
            if self.accounts[account] != amount
        ]


async def _books(entries: AsyncIterator[Row]) -> _Books:
    books = _Books()
    async for entry in entries:
        debit, credit, amount = entry.text("debit"), entry.text("credit"), entry.money("amount")
        books.accounts[debit] -= amount
        books.accounts[credit] += amount
        asset = entry.maybe_asset("asset")
        if (debit, credit) == ("reserved", "charged") and asset is not None:
            books.charges[asset] += amount
        elif (debit, credit) == ("available", "paid"):
            books.restored += amount
    return books


class _Tiles:
    """The metered calls of an account: they tile its spending; gaps only where records were lost."""

    def __init__(self) -> None:
        self.charges: Counter[AssetId] = Counter()
        self.end = 0
        self.gaps = 0
        self.best_voucher = 0
        self.wrong: list[str] = []

    def add(self, call: Call, voucher: int) -> None:
        """Lay the next call."""
        if call.bill is None or call.cumulative is None:
            return
        start = call.cumulative - call.bill.charge
        if start < self.end:
            self.wrong.append(
                f"call {call.lease.call} covers {start} to {call.cumulative}, but the calls before reach {self.end}"
            )
        self.gaps += max(0, start - self.end)
        self.end = max(self.end, call.cumulative)
        self.charges[call.asset] += call.bill.charge
        self.best_voucher = max(self.best_voucher, voucher)

    def faults(self, account: Account, books: _Books) -> list[str]:
        """Return what does not agree with the account's row and its entries."""
        found = list(self.wrong)
        gaps = self.gaps + account.charged - self.end
        if gaps != books.restored:
            found.append(
                f"its calls leave {gaps} of the {account.charged} charged uncovered, but {books.restored} was restored "
                "from the chain"
            )
        found += [
            f"asset {format_asset(asset)} is charged {books.charges[asset]} by entries, {self.charges[asset]} by calls"
            for asset in sorted(set(self.charges) | set(books.charges))
            if self.charges[asset] != books.charges[asset]
        ]
        best = account.voucher.max_claimable if account.voucher else 0
        if best < self.best_voucher:
            found.append(f"its best voucher covers {best}, but a call came with one over {self.best_voucher}")
        return found


async def _tiles(metered: AsyncIterator[Row], account: Account, proofs: Proofs | None) -> _Tiles:
    tiles = _Tiles()
    async for row in metered:
        call = call_of(row)
        tiles.add(call, row.money("voucher_amount"))
        if proofs and (fault := proofs.receipt(call, account)) and len(tiles.wrong) < MOST_FINDINGS:
            tiles.wrong.append(fault)
    return tiles
