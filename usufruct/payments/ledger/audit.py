"""Compare what the database says twice: rows with entries, calls with each other, signatures with what they cover.

One pass over four queries in the order of channels, so that memory stays the same however large the ledger is; the
database sorts.
"""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Protocol

from usufruct.core import AssetId, Hash32, format_asset
from usufruct.payments.ledger.database import Row, Statements
from usufruct.payments.ledger.records import Call, Channel
from usufruct.payments.ledger.rows import CALL_COLUMNS, CHANNEL_COLUMNS, call_of, channel_of

MOST_FINDINGS = 100
"""What is found after so many is not written down: one fault at a time is repaired."""

_ENTRIES = "SELECT channel_id, asset, debit, credit, amount FROM entries ORDER BY channel_id"
_METERED = (
    f"SELECT {CALL_COLUMNS}, voucher_amount FROM calls WHERE cumulative IS NOT NULL ORDER BY channel_id, cumulative"
)
_OPEN = "SELECT channel_id, ceiling FROM calls WHERE state = 'open' ORDER BY channel_id"


class Proofs(Protocol):
    """Checks signatures against the rows that they cover; each returns what is wrong, in words, or None."""

    def voucher(self, channel: Channel) -> str | None:
        """Check the channel's best voucher."""

    def receipt(self, call: Call, channel: Channel) -> str | None:
        """Check the receipt of a metered call."""


class _ByChannel:
    """A query's rows in the order of channels, taken a channel at a time."""

    def __init__(self, rows: AsyncIterator[Row]) -> None:
        self._rows = rows
        self._next: Row | None = None
        self.strangers: set[Hash32] = set()

    async def start(self) -> None:
        """Read the first row."""
        self._next = await anext(self._rows, None)

    async def of(self, channel: Hash32 | None) -> AsyncIterator[Row]:
        """Yield the rows of `channel`, which comes after the one before; None: pass over all that is left."""
        while self._next is not None:
            row, key = self._next, self._next.hash32("channel_id")
            if channel is not None and key > channel:
                return
            self._next = await anext(self._rows, None)
            if key == channel:
                yield row
            elif len(self.strangers) < MOST_FINDINGS:
                self.strangers.add(key)


async def audit(db: Statements, proofs: Proofs | None) -> list[str]:
    """Return what does not agree, in words; at most `MOST_FINDINGS`."""
    streams = [_ByChannel(db.stream(query)) for query in (_ENTRIES, _METERED, _OPEN)]
    for stream in streams:
        await stream.start()
    entries, metered, opened = streams
    found: list[str] = []
    async for row in db.stream(f"SELECT {CHANNEL_COLUMNS} FROM channels ORDER BY id"):
        channel = channel_of(row)
        books = await _books(entries.of(channel.reading.id))
        tiles = await _tiles(metered.of(channel.reading.id), channel, proofs)
        reserved = sum([call.money("ceiling") async for call in opened.of(channel.reading.id)])
        found += [f"{channel.reading.id}: {text}" for text in (*books.faults(channel), *tiles.faults(channel, books))]
        if reserved != channel.reserved:
            found.append(f"{channel.reading.id}: open calls reserve {reserved}, the row says {channel.reserved}")
        if proofs and channel.voucher and (fault := proofs.voucher(channel)):
            found.append(f"{channel.reading.id}: {fault}")
        if len(found) >= MOST_FINDINGS:
            return found[:MOST_FINDINGS]
    for stream in streams:
        async for _ in stream.of(None):
            raise AssertionError("a stranger's row is never yielded")
    strangers = sorted(set().union(*(stream.strangers for stream in streams)))
    return (found + [f"{stranger}: there are rows of this channel, but no channel" for stranger in strangers])[
        :MOST_FINDINGS
    ]


class _Books:
    """A channel's accounts, summed over its entries."""

    def __init__(self) -> None:
        self.accounts: Counter[str] = Counter()
        self.charges: Counter[AssetId] = Counter()
        self.restored = 0
        """What was found claimed on the chain, of which no calls are known."""

    def faults(self, channel: Channel) -> list[str]:
        """Return what does not agree with the channel's row."""
        balance = channel.reading.balance
        expected = {
            "escrow": -balance,
            "available": balance - channel.charged - channel.reserved,
            "reserved": channel.reserved,
            "charged": channel.charged - channel.total_split,
            "paid": channel.total_split,
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
    """A channel's metered calls: they tile its spending without overlap, and with gaps only where records were lost."""

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

    def faults(self, channel: Channel, books: _Books) -> list[str]:
        """Return what does not agree with the channel's row and its entries."""
        found = list(self.wrong)
        gaps = self.gaps + channel.charged - self.end
        if gaps != books.restored:
            found.append(
                f"its calls leave {gaps} of the {channel.charged} charged uncovered, but {books.restored} was restored "
                "from the chain"
            )
        found += [
            f"asset {format_asset(asset)} is charged {books.charges[asset]} by entries, {self.charges[asset]} by calls"
            for asset in sorted(set(self.charges) | set(books.charges))
            if self.charges[asset] != books.charges[asset]
        ]
        best = channel.voucher.max_claimable if channel.voucher else 0
        if best < self.best_voucher:
            found.append(f"its best voucher covers {best}, but a call came with one over {self.best_voucher}")
        return found


async def _tiles(metered: AsyncIterator[Row], channel: Channel, proofs: Proofs | None) -> _Tiles:
    tiles = _Tiles()
    async for row in metered:
        call = call_of(row)
        tiles.add(call, row.money("voucher_amount"))
        if proofs and (fault := proofs.receipt(call, channel)) and len(tiles.wrong) < MOST_FINDINGS:
            tiles.wrong.append(fault)
    return tiles
