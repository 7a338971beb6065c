"""Which asset a symbol of an exchange is, and since when: a table, because a ticker alone does not tell."""

import csv
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Final

from usufruct.connectors.exchanges.errors import InvalidSymbols, UnconvertedQuote, UnmappedAsset

DOLLAR: Final = "USD"
_COLUMNS: Final = ("venue", "symbol", "asset", "from", "until", "units")
_LARGEST_TABLE: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class TradedSymbol:
    """A symbol of a venue, the asset it is from day `first` to day `last`, and how many assets one unit of it is.

    `symbol` is written as ccxt does, `BASE/QUOTE`. `units` is 1,000 for a symbol such as `1000SATS/USDT`.
    """

    venue: str
    symbol: str
    asset: str
    first: date | None = None
    last: date | None = None
    units: float = 1.0

    def __post_init__(self) -> None:
        base, slash, quote = self.symbol.partition("/")
        if not (base and slash and quote) or not self.venue or not self.asset:
            raise InvalidSymbols(
                f"{self.venue!r}, {self.symbol!r}, {self.asset!r}: a row needs a venue, a symbol such as BTC/USDT, "
                "and an asset's id"
            )
        if self.first and self.last and self.first > self.last:
            raise InvalidSymbols(
                f"{self.symbol} of {self.venue}: from {self.first} is after until {self.last}; swap them"
            )
        if not 0 < self.units < float("inf"):
            raise InvalidSymbols(f"{self.symbol} of {self.venue}: units must be a number over 0, not {self.units}")

    @property
    def quote(self) -> str:
        """The currency of its prices."""
        return self.symbol.partition("/")[2].partition(":")[0]

    @property
    def ticker(self) -> str:
        """The asset's ticker: SATS for `1000SATS/USDT`; empty where the units are not in the symbol's name."""
        base = self.symbol.partition("/")[0]
        bare = base.removeprefix(f"{self.units:g}")
        return base if self.units == 1 else bare if bare != base else ""

    @property
    def key(self) -> str:
        """What tells it from the other rows of its venue."""
        return f"{self.symbol} {self.asset} {self.first or ''}"

    def covers(self, moment: datetime) -> bool:
        """Tell whether the symbol is the asset then."""
        day = moment.astimezone(UTC).date()
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)

    def overlaps(self, other: "TradedSymbol") -> bool:
        """Tell whether both are valid on some day."""
        return not _before(self.last, other.first) and not _before(other.last, self.first)


class SymbolTable:
    """The table of symbols. On any day a symbol is one asset, and an asset has one symbol at a venue.

    Raises:
        InvalidSymbols: where two rows contradict each other.
    """

    def __init__(self, rows: Iterable[TradedSymbol]) -> None:
        self.rows = tuple(rows)
        for key in ("symbol", "asset"):
            _check_unique(self.rows, key)

    def of(self, venue: str) -> tuple[TradedSymbol, ...]:
        """Return the rows of a venue.

        Raises:
            UnmappedAsset: when it has none.
        """
        found = tuple(each for each in self.rows if each.venue == venue)
        if not found:
            raise UnmappedAsset(
                f"the table of symbols has no row of the venue {venue!r}; add rows such as "
                f"{venue},BTC/USDT,bitcoin,2017-08-17,,1"
            )
        return found

    def asset_of(self, venue: str, symbol: str, moment: datetime) -> TradedSymbol:
        """Return what a symbol is at a moment.

        Raises:
            UnmappedAsset: when the table does not tell.
        """
        for each in self.rows:
            if each.venue == venue and each.symbol == symbol and each.covers(moment):
                return each
        raise UnmappedAsset(
            f"the table of symbols does not tell which asset {symbol} of {venue} is on {moment.date()}; add a row "
            "with the asset's id"
        )

    def rate_symbol(self, traded: TradedSymbol, at_par: Collection[str] = ()) -> str:
        """Return the symbol whose price converts a row's prices to dollars; empty where they are in dollars.

        Raises:
            UnconvertedQuote: when the venue has no such symbol, and the currency is not one of `at_par`.
        """
        if traded.quote == DOLLAR or traded.quote in at_par:
            return ""
        wanted = f"{traded.quote}/{DOLLAR}"
        if any(each.symbol == wanted for each in self.of(traded.venue)):
            return wanted
        raise UnconvertedQuote(
            f"{traded.symbol} of {traded.venue} is in {traded.quote}, and the table has no {wanted} there; add that "
            f"row, or count {traded.quote} as a dollar: `--at-par {traded.quote}`, or the setting markets.live_at_par"
        )


def read_symbols(path: Path) -> SymbolTable:
    """Read the table from a CSV file with the columns venue, symbol, asset, and optionally from, until, units.

    Raises:
        InvalidSymbols: when the file is not readable, or a row is wrong; names the line.
    """
    try:
        content = path.read_bytes()[: _LARGEST_TABLE + 1]
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSymbols(f"{path} is not readable as UTF-8 text: {error}") from None
    if len(content) > _LARGEST_TABLE:
        raise InvalidSymbols(f"{path} has over {_LARGEST_TABLE} bytes; split it")
    reader = csv.DictReader(StringIO(text))
    names = reader.fieldnames or ()
    if missing := [each for each in _COLUMNS[:3] if each not in names]:
        raise InvalidSymbols(f"{path} has no column {missing[0]!r}; its first line must be {','.join(_COLUMNS)}")
    if strange := [each for each in names if each not in _COLUMNS]:
        raise InvalidSymbols(f"{path} has a column {strange[0]!r}; there are {', '.join(_COLUMNS)}")
    return SymbolTable([_row(each, f"{path}, line {reader.line_num}") for each in reader])


def next_day(day: date) -> datetime:
    """Return the first moment after a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def _row(row: dict[str, str | None], place: str) -> TradedSymbol:
    values = {name: (row.get(name) or "").strip() for name in _COLUMNS}
    try:
        return TradedSymbol(
            values["venue"],
            values["symbol"],
            values["asset"],
            date.fromisoformat(values["from"]) if values["from"] else None,
            date.fromisoformat(values["until"]) if values["until"] else None,
            float(values["units"] or 1),
        )
    except InvalidSymbols as error:
        raise InvalidSymbols(f"{place}: {error.message}") from None
    except ValueError as error:
        raise InvalidSymbols(f"{place}: {error}; write days as 2024-12-31 and units as a number") from None


def _check_unique(rows: Sequence[TradedSymbol], key: str) -> None:
    groups: dict[tuple[str, str], list[TradedSymbol]] = {}
    for each in rows:
        groups.setdefault((each.venue, getattr(each, key)), []).append(each)
    for group in groups.values():
        ordered = sorted(group, key=lambda each: each.first or date.min)
        for one, other in pairwise(ordered):
            if one.overlaps(other):
                raise InvalidSymbols(
                    f"{one.symbol} as {one.asset} and {other.symbol} as {other.asset} of {one.venue} are valid on the "
                    "same days; end one by its column until"
                )


def _before(last: date | None, first: date | None) -> bool:
    return last is not None and first is not None and last < first
