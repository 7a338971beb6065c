"""Circulating supplies from a chain: what a token's contract counts at the end of each day, less what is held back.

With prices of exchanges, which report no supply, they make market caps that anyone can check.
"""

import asyncio
import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, Final

import polars as pl

from usufruct.chain import Client, Header, NoAnswer, Revert, RpcRefused, UnreadableAnswer
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.connectors.prices import BATCH_SCHEMA, Batch, Interval, SourceFacts
from usufruct.core import DAY_SECONDS, Address, Clock, Invalid, Unavailable, address

CHAIN: Final = "chain"
"""The name of this source."""

_COLUMNS: Final = ("chain", "token", "asset", "excluded")
_LARGEST_TABLE: Final = 1 << 24


class InvalidTokens(Invalid, code="invalid_tokens"):
    """The table of tokens cannot be right."""


class NoOldState(Unavailable, code="no_old_state"):
    """The node does not keep what a contract answered at an old block."""


@dataclass(frozen=True, slots=True)
class CountedToken:
    """A token's contract on a chain, the asset that it is, and the addresses whose balances do not circulate."""

    chain: int
    token: Address
    asset: str
    excluded: tuple[Address, ...] = ()


def read_tokens(path: Path) -> tuple[CountedToken, ...]:
    """Read a table of tokens: a CSV file with the columns chain,token,asset,excluded; addresses parted by spaces.

    Raises:
        InvalidTokens: when it cannot be read, a row is wrong, or an asset has two rows.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_TABLE + 1)
        rows = csv.DictReader(StringIO(content.decode("utf-8-sig")))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidTokens(f"{path} is not readable as UTF-8 text: {error}") from None
    if len(content) > _LARGEST_TABLE or tuple(rows.fieldnames or ()) not in (_COLUMNS, _COLUMNS[:3]):
        raise InvalidTokens(f"{path} must have the first line {','.join(_COLUMNS)} and at most {_LARGEST_TABLE} bytes")
    found: dict[str, CountedToken] = {}
    for row in rows:
        try:
            read = _row(row)
        except (Invalid, ValueError) as error:
            raise InvalidTokens(f"{path}, line {rows.line_num}: {error}; correct the row") from None
        if read.asset in found:
            raise InvalidTokens(
                f"{path}, line {rows.line_num}: {read.asset!r} has a row already; name the chain on which it is issued"
            )
        found[read.asset] = read
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class TokenSupplies:
    """Supplies of tokens of one chain on each day from `first` on, as rows without a price.

    A day's supply is that of its last block. Days before a contract was there have none. `url` is a node's; for days
    that are older than some minutes it must keep old state, as archive nodes do. Not to be used inside an event loop.
    """

    tokens: tuple[CountedToken, ...]
    first: date
    url: str
    clock: Clock = field(default_factory=Clock)

    @property
    def facts(self) -> SourceFacts:
        """Named for where the numbers are from."""
        return SourceFacts(CHAIN, "Supplies: read from the tokens' contracts")

    @property
    def interval(self) -> Interval:
        """Days."""
        return Interval.DAY

    @property
    def quote(self) -> str:
        """Rows have no prices; the archive's are in dollars."""
        return "USD"

    @property
    def keeps_caps(self) -> bool:
        """There are none."""
        return False

    def batches(self, position: Any) -> Iterator[Batch]:
        """Yield token after token the days after its position.

        Raises:
            InvalidTokens: when no row is of the node's chain, or a contract is no ERC-20.
            NoOldState: when the node does not keep a day's state; what was read is yielded first.
            RpcUnavailable: when the node does not answer.
        """
        positions: dict[str, str] = dict(position or {})
        today = datetime.fromtimestamp(self.clock.now(), UTC).date()
        with asyncio.Runner() as runner:
            reader = _Reader(Client(self.url))
            try:
                chain = runner.run(reader.client.chain_id())
                mine = [each for each in self.tokens if each.chain == chain]
                if not mine:
                    raise InvalidTokens(
                        f"the node serves chain {chain}, and no row is of it; correct --url or the table"
                    )
                for number, token in enumerate(mine, 1):
                    known = positions.get(token.asset)
                    first = date.fromisoformat(known) + timedelta(days=1) if known else self.first
                    rows: list[dict[str, Any]] = []
                    failure: NoOldState | None = None
                    try:
                        for day in _days(first, today):
                            rows += runner.run(reader.row(token, day))
                            positions[token.asset] = day.isoformat()
                    except NoOldState as error:
                        failure = error
                    yield Batch(_frame(rows), dict(positions), number, len(mine))
                    if failure:
                        raise failure
            finally:
                runner.run(reader.client.close())


class _Reader:
    """Reads one chain; knows the last blocks of days."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._ends: dict[date, int] = {}
        self._decimals: dict[Address, int] = {}

    async def row(self, token: CountedToken, day: date) -> list[dict[str, Any]]:
        """Return the row of a token and day; nothing where the contract was not there yet."""
        block = await self._last_block(day)
        try:
            supply = await self._supply(token, block)
        except NoAnswer:
            return []
        except (Revert, UnreadableAnswer):
            raise InvalidTokens(f"{token.token} has no totalSupply and decimals; {token.asset} is no ERC-20") from None
        except RpcRefused as error:
            raise NoOldState(
                f"the node does not tell the supply of {token.asset} on {day} ({error.reason[:200]}); ask a node that "
                "keeps old state, or begin with a later day"
            ) from None
        time = datetime(day.year, day.month, day.day, tzinfo=UTC)
        place = f"chain {token.chain} {token.token} at block {block}"
        return [{"asset": token.asset, "time": time, "supply": supply, "place": place}]

    async def _supply(self, token: CountedToken, block: int) -> float:
        contract = Erc20(token.token, self.client, block=block)
        total = await contract.total_supply()
        held = [await contract.balance_of(each) for each in token.excluded]
        if token.token not in self._decimals:
            self._decimals[token.token] = await contract.decimals()
        return float(Decimal(max(0, total - sum(held))).scaleb(-self._decimals[token.token]))

    async def _last_block(self, day: date) -> int:
        """Return the last block of a day, which has ended."""
        if day not in self._ends:
            after = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + DAY_SECONDS
            self._ends[day] = await self._last_before(after)
        return self._ends[day]

    async def _last_before(self, moment: int) -> int:
        """Return the last block whose time is before a moment; block 0 where all are later.

        Guesses by the mean time between the two known blocks, and halves what remains when a guess gained little.
        """
        low, high = await self._header(max(self._ends.values(), default=0)), await self.client.head()
        if low.timestamp >= moment:
            low = await self._header(0)
        if high.timestamp < moment:
            return high.number
        halve = False
        while high.number - low.number > 1:
            span = high.number - low.number
            share = 0.5 if halve else (moment - low.timestamp) / max(1, high.timestamp - low.timestamp)
            guess = low.number + min(span - 1, max(1, int(span * share)))
            found = await self._header(guess)
            low, high = (found, high) if found.timestamp < moment else (low, found)
            halve = not halve and high.number - low.number > span // 2
        return low.number

    async def _header(self, number: int) -> Header:
        header = await self.client.header(number)
        if header is None:
            raise NoOldState(f"the node does not know block {number}; ask another node")
        return header


def _row(row: Mapping[str, str | None]) -> CountedToken:
    asset = (row["asset"] or "").strip()
    if not asset:
        raise ValueError("asset is empty")
    excluded = tuple(address(each, "excluded") for each in (row.get("excluded") or "").split())
    return CountedToken(int(row["chain"] or ""), address((row["token"] or "").strip(), "token"), asset, excluded)


def _days(first: date, today: date) -> Iterator[date]:
    for number in range((today - first).days):
        yield first + timedelta(days=number)


def _frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(BATCH_SCHEMA) | dict(each) for each in rows], schema=dict(BATCH_SCHEMA))
