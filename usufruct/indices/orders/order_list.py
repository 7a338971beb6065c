"""The targets of an index as orders for an exchange."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from usufruct.connectors.exchanges import SymbolTable, next_day
from usufruct.connectors.prices import Asset
from usufruct.core import Invalid
from usufruct.indices.orders.decision import Close

_LEAST_CASH: Final = 0.0001


@dataclass(frozen=True, slots=True)
class Order:
    """One market order with the names of ccxt's `create_order`; `amount` is in units of the symbol's base."""

    symbol: str
    type: str
    side: str
    amount: float
    asset: str
    value: float

    def as_document(self) -> dict[str, object]:
        """Return the order as JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Stay:
    """A part of the value that stays in the quote currency: a target that is the quote itself, or cash (no asset)."""

    asset: str
    value: float
    why: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An asset that is a target or held, and cannot be ordered."""

    asset: str
    why: str


@dataclass(frozen=True, slots=True)
class OrderList:
    """Orders, sells first; what of the value stays in the quote currency; and what was left out."""

    orders: tuple[Order, ...]
    stays: tuple[Stay, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """How an exchange lists an asset.

    `symbol` is ccxt's, `units` how many assets one unit of its base is. `is_quote`: the asset is the quote currency.
    `missing`: why it cannot be ordered; empty where it can.
    """

    symbol: str = ""
    units: float = 1.0
    is_quote: bool = False
    missing: str = ""


def listings_by_ticker(assets: Sequence[Asset], wanted: Collection[str], quote: str) -> dict[str, Listing]:
    """Return the listing of each wanted asset by its ticker; the asset with the ticker `quote` is the quote.

    Raises:
        Invalid: when a wanted asset shares its ticker with another asset of `assets`.
    """
    sharing: dict[str, list[str]] = defaultdict(list)
    for each in assets:
        sharing[each.symbol.upper()].append(each.id)
    found = {}
    for each in assets:
        if each.id not in wanted:
            continue
        if others := [other for other in sharing[each.symbol.upper()] if other != each.id]:
            raise Invalid(
                f"{each.symbol} is the ticker of {each.id} and of {', '.join(others)}: an order could buy the wrong "
                "one; pass --table symbols.csv and --venue NAME, a table of which asset each symbol is",
                code="ambiguous_ticker",
            )
        found[each.id] = Listing(f"{each.symbol}/{quote}", is_quote=each.symbol.upper() == quote.upper())
    return found


def listings_of_venue(
    table: SymbolTable, venue: str, wanted: Iterable[str], quote: str, last_day: date
) -> dict[str, Listing]:
    """Return the listing of each wanted asset by a table of symbols, as it is after the close of `last_day`.

    Raises:
        UnmappedAsset: when the table has no row of the venue.
    """
    moment = next_day(last_day)
    rows = {each.asset: each for each in table.of(venue) if each.covers(moment)}
    found = {}
    for asset in wanted:
        row = rows.get(asset)
        if row is None:
            missing = f"the table has no symbol of it at {venue} on {moment.date()}; add a row"
            found[asset] = Listing(missing=missing)
        elif row.symbol.partition("/")[0] == quote:
            found[asset] = Listing(row.symbol, is_quote=True)
        elif row.quote != quote:
            found[asset] = Listing(
                missing=f"the table has it at {venue} as {row.symbol}, which is not in {quote}; see --quote"
            )
        else:
            found[asset] = Listing(row.symbol, row.units)
    return found


def exchange_orders(
    targets: Mapping[str, float],
    held: Mapping[str, float],
    closes: Mapping[str, Close],
    listings: Mapping[str, Listing],
    value: float,
    day: date,
    *,
    quote: str = "USDT",
    smallest: float = 10.0,
) -> OrderList:
    """Return the orders that bring holdings (units by asset id) to target weights of a value: sells first, then buys.

    `value` is what is to be invested, in the quote currency; trades under `smallest` are left out. As in the engine,
    an asset without a price on `day` is neither bought nor sold. What is not bought stays in the quote currency.

    Raises:
        Invalid: when the prices do not have an asset.
    """
    orders, stays, left_out = [], [], []
    for asset in sorted({*targets, *held}):
        if asset not in closes:
            raise Invalid(
                f"the prices have no asset {asset!r}; choose one of its ids, or leave it out", code="unknown_asset"
            )
        listing, close = listings[asset], closes[asset]
        if listing.is_quote:
            stays.append(Stay(asset, targets.get(asset, 0.0) * value, f"it is {quote} itself, which pays for the rest"))
        elif missing := listing.missing or _without_price(close, day):
            left_out.append(LeftOut(asset, missing))
        else:
            change = targets.get(asset, 0.0) * value - held.get(asset, 0.0) * close.price
            if abs(change) >= smallest or (asset not in targets and change < 0):
                units = held[asset] if asset not in targets else abs(change) / close.price
                side = "buy" if change > 0 else "sell"
                orders.append(Order(listing.symbol, "market", side, units / listing.units, asset, abs(change)))
    cash = 1 - sum(targets.values())
    if cash >= _LEAST_CASH:
        stays.append(Stay("", cash * value, "the index keeps it in cash"))
    orders.sort(key=lambda each: (each.side != "sell", -each.value, each.asset))
    return OrderList(tuple(orders), tuple(stays), tuple(left_out))


def _without_price(close: Close, day: date) -> str:
    """Say why a day has no price of an asset; nothing where it has."""
    if close.day == day:
        return ""
    return f"it has no price on {day}; its last is of {close.day or 'no day'}"
