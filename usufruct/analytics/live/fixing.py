"""From the newest price of each venue to one price of each asset, in US dollars; pure rules."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from usufruct.connectors.exchanges import LivePrice, OutlierRule, SymbolTable, TradedSymbol, VenueMedian

_DOLLAR: Final = "USD"


@dataclass(frozen=True, slots=True)
class FixedPrice:
    """A price in US dollars, the venues it is the median of, and the moment of the newest of their prices."""

    price: float
    at: float
    venues: tuple[str, ...]


class LiveMedians:
    """Fixes the price of each asset from the newest prices of venues.

    An asset that one venue trades has that venue's price. One of several has the median of at least two that agree, by
    the same rule as bars. Prices of `stale_after` seconds and more do not count, nor those in a currency whose own
    rate is as old.
    """

    def __init__(
        self, table: SymbolTable, venues: Sequence[str], at_par: Collection[str] = (), stale_after: int = 60
    ) -> None:
        """Read what is traded from the table.

        Raises:
            UnmappedAsset: when the table has no symbol of a venue.
            UnconvertedQuote: when a symbol's currency has no rate.
        """
        self._venues = tuple(venues)
        self._stale_after = stale_after
        self._rows = [row for venue in self._venues for row in table.of(venue)]
        self._assets = sorted({row.asset for row in self._rows})
        self._rates = {(row.venue, row.quote): _rate_row(table, row, at_par) for row in self._rows}
        self._newest: dict[tuple[str, str], LivePrice] = {}
        self._median = VenueMedian(len(self._assets), len(self._venues), OutlierRule())

    def hear(self, price: LivePrice) -> None:
        """Take a venue's price, unless a newer one of it is known."""
        key = price.venue, price.asset
        before = self._newest.get(key)
        if before is None or price.at >= before.at:
            self._newest[key] = price

    def fix(self, now: float) -> dict[str, FixedPrice]:
        """Return the price of each asset that has one at a moment."""
        traded = self._traded(now)
        prices = np.full((len(self._assets), len(self._venues)), np.nan)
        volumes = np.zeros(prices.shape)
        for row, asset in enumerate(self._assets):
            for column, venue in enumerate(self._venues):
                if (found := self._in_dollars(venue, asset, now)) and venue in traded.get(asset, ()):
                    prices[row, column], volumes[row, column] = found
        fixing = self._median.fix(prices, volumes)
        fixed: dict[str, FixedPrice] = {}
        for row, asset in enumerate(self._assets):
            there = np.isfinite(prices[row])
            if len(traded.get(asset, ())) == 1:
                price, counted = prices[row][there].sum(), there
            else:
                price, counted = fixing.price[row], there & ~fixing.excluded[row]
            if there.any() and np.isfinite(price):
                names = tuple(venue for venue, counts in zip(self._venues, counted, strict=True) if counts)
                at = max(self._newest[venue, asset].at.timestamp() for venue in names)
                fixed[asset] = FixedPrice(float(price), min(at, now), names)
        return fixed

    def _traded(self, now: float) -> Mapping[str, set[str]]:
        """Return the venues that trade each asset today."""
        moment = datetime.fromtimestamp(now, UTC)
        traded: dict[str, set[str]] = {}
        for row in self._rows:
            if row.covers(moment):
                traded.setdefault(row.asset, set()).add(row.venue)
        return traded

    def _in_dollars(self, venue: str, asset: str, now: float) -> tuple[float, float] | None:
        """Return a venue's price of an asset and its volume of a day; None where either it or its rate is too old."""
        price = self._fresh(venue, asset, now)
        if price is None:
            return None
        rate_row = self._rates.get((venue, price.quote))
        if rate_row is None:
            return price.price, price.volume
        rate = self._fresh(venue, rate_row.asset, now)
        if rate is None or rate.quote != _DOLLAR:
            return None
        return price.price * rate.price, price.volume * rate.price

    def _fresh(self, venue: str, asset: str, now: float) -> LivePrice | None:
        price = self._newest.get((venue, asset))
        return price if price is not None and now - price.at.timestamp() < self._stale_after else None


def _rate_row(table: SymbolTable, row: TradedSymbol, at_par: Collection[str]) -> TradedSymbol | None:
    """Return the row whose price converts a row's prices; None where they count as dollars."""
    symbol = table.rate_symbol(row, at_par)
    return next(each for each in table.of(row.venue) if each.symbol == symbol) if symbol else None
