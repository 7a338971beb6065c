"""Daily prices, caps and volumes from CoinGecko, with the user's own key."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, Final, Literal
from urllib.parse import quote

import polars as pl

from usufruct.connectors.prices import (
    BATCH_SCHEMA,
    STABLECOIN,
    WRAPPED,
    AssetFacts,
    Batch,
    Interval,
    SourceFacts,
)
from usufruct.connectors.vendors.errors import UnknownToVendor, VendorUnreadable
from usufruct.connectors.vendors.requests import VendorClient
from usufruct.core import Clock
from usufruct.http import FetchLimits

_ADDRESSES: Final = {"demo": "https://api.coingecko.com/api/v3", "pro": "https://pro-api.coingecko.com/api/v3"}
_LATE: Final = timedelta(minutes=15)
_FACTS_DAYS: Final = 30
_FACTS_ASKED: Final = ""
"""Where a position has the day on which facts were asked for; no asset has this id."""
_COINS_OF_A_REQUEST: Final = 100
"""Coins that a request names: its address has to stay short."""
_COINS_OF_A_PAGE: Final = 250
_LONGEST: Final = 100
_CATEGORIES: Final = {
    "stablecoins": STABLECOIN,
    "wrapped-tokens": WRAPPED,
    "bridged-tokens": WRAPPED,
    "liquid-staking-tokens": "staked",
    "tokenized-gold": "gold",
    "layer-1": "layer-1",
    "decentralized-finance-defi": "defi",
    "artificial-intelligence": "ai",
    "metaverse": "metaverse",
    "gaming": "gaming",
}
"""Our categories by CoinGecko's: those that shipped rulebooks name."""
_SERIES: Final = {"prices": "close", "market_caps": "market_cap", "total_volumes": "volume"}


@dataclass(frozen=True, slots=True)
class CoinGecko:
    """Daily closes, caps and volumes of coins, from the day `first` on.

    CoinGecko's value of 00:00 UTC is the close of the day before, and its volume that of the 24 hours before. `ids`:
    our ids by CoinGecko's. `plan`: that of the key; a demo key reaches 365 days back. `keeps_caps` as your licence
    says. The attribution is asked for by CoinGecko's terms wherever its data is shown. Not to be used inside an event
    loop.

    Ticker, name and categories come with the bars where a coin is new, and every `_FACTS_DAYS`: by a request for each
    hundred coins and one for each of `_CATEGORIES`, which has the 250 largest coins of the category.
    """

    ids: Mapping[str, str]
    first: date
    key: str = field(default="", repr=False)
    plan: Literal["demo", "pro"] = "demo"
    url: str = ""
    keeps_caps: bool = True
    limits: FetchLimits = field(default_factory=lambda: FetchLimits(spacing=2.1))
    clock: Clock = field(default_factory=Clock)
    sleep: Any = asyncio.sleep

    @property
    def facts(self) -> SourceFacts:
        """Name and attribution."""
        return SourceFacts("coingecko", "Data provided by CoinGecko (https://www.coingecko.com)")

    @property
    def interval(self) -> Interval:
        """Days."""
        return Interval.DAY

    @property
    def quote(self) -> str:
        """US dollars."""
        return "USD"

    def batches(self, position: Any) -> Iterator[Batch]:
        """Yield coin after coin; of each the last known day again, as it may have been corrected.

        Raises:
            UnknownToVendor, VendorRefused, VendorRateLimited, VendorUnavailable, VendorUnreadable: see `errors`.
        """
        positions: dict[str, str] = dict(position or {})
        headers = {f"x-cg-{self.plan}-api-key": self.key} if self.key else {}
        today = datetime.fromtimestamp(self.clock.now(), UTC).date()
        with asyncio.Runner() as runner:
            client = VendorClient(
                "CoinGecko",
                self.url or _ADDRESSES[self.plan],
                runner,
                headers=headers,
                parameters={},
                limits=self.limits,
                sleep=self.sleep,
            )
            try:
                known = self._described(client, positions, today)
                for number, (theirs, ours) in enumerate(self.ids.items(), 1):
                    first = date.fromisoformat(positions[ours]) if ours in positions else self.first
                    rows = self._rows(client, theirs, ours, first, today)
                    if rows:
                        positions[ours] = max(each["time"] for each in rows).date().isoformat()
                    of_coin = (known[theirs],) if known and theirs in known and ours in positions else ()
                    if known is not None and number == len(self.ids):
                        positions[_FACTS_ASKED] = today.isoformat()
                    yield Batch(_frame(rows), dict(positions), number, len(self.ids), of_coin)
            finally:
                client.close()

    def _described(
        self, client: VendorClient, positions: Mapping[str, str], today: date
    ) -> dict[str, AssetFacts] | None:
        """Return what CoinGecko says of the coins, by its ids; None where it was asked not long ago."""
        asked = positions.get(_FACTS_ASKED, "")
        due = not asked or date.fromisoformat(asked) + timedelta(days=_FACTS_DAYS) <= today
        if not due and all(ours in positions for ours in self.ids.values()):
            return None
        categories = _read_categories(client)
        found: dict[str, Mapping[str, Any]] = {}
        coins = iter(self.ids)
        while part := list(islice(coins, _COINS_OF_A_REQUEST)):
            rows = client.get_rows("/coins/markets", _page(ids=",".join(part)), "names of coins")
            found |= {str(row.get("id")): row for row in rows if str(row.get("id")) in self.ids}
        return {
            theirs: AssetFacts(
                self.ids[theirs],
                _text(row.get("symbol")).upper(),
                _text(row.get("name")),
                frozenset(categories.get(theirs, ())),
                fills_gaps=True,
            )
            for theirs, row in found.items()
        }

    def _rows(self, client: VendorClient, theirs: str, ours: str, first: date, today: date) -> list[dict[str, Any]]:
        if first >= today:
            return []
        begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
        until = datetime(today.year, today.month, today.day, tzinfo=UTC) + _LATE
        found = client.get(
            f"/coins/{quote(theirs, safe='')}/market_chart/range",
            {
                "vs_currency": "usd",
                "from": str(int((begin + timedelta(days=1)).timestamp())),
                "to": str(int(until.timestamp())),
                "interval": "daily",
                "precision": "full",
            },
            f"prices of {theirs!r}",
        )
        days: dict[datetime, dict[str, Any]] = {}
        try:
            for name, ours_name in _SERIES.items():
                for stamp, value in found[name]:
                    day = _closed_day(datetime.fromtimestamp(stamp / 1000, UTC))
                    if day is not None and day >= begin and value is not None:
                        blank = {"asset": ours, "time": day, "place": f"coingecko {theirs}"}
                        days.setdefault(day, blank)[ours_name] = float(value)
        except (KeyError, TypeError, ValueError, OverflowError, OSError):
            raise VendorUnreadable(
                f"CoinGecko's answer for {theirs!r} has no series of numbers; try again later"
            ) from None
        return [days[day] for day in sorted(days)]


def _read_categories(client: VendorClient) -> dict[str, set[str]]:
    """Return our categories of the largest coins of each of CoinGecko's; one that it does not have is left out."""
    found: dict[str, set[str]] = {}
    for theirs, ours in _CATEGORIES.items():
        try:
            rows = client.get_rows("/coins/markets", _page(category=theirs), f"category {theirs!r}")
        except UnknownToVendor:
            continue
        for row in rows:
            found.setdefault(str(row.get("id")), set()).add(ours)
    return found


def _text(value: object) -> str:
    return " ".join(str(value or "").split())[:_LONGEST]


def _page(**chosen: str) -> dict[str, str]:
    return {"vs_currency": "usd", "order": "market_cap_desc", "per_page": str(_COINS_OF_A_PAGE), **chosen}


def _closed_day(moment: datetime) -> datetime | None:
    """Return the day that ends at a moment; None where the moment is within a day."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=1) if moment - midnight <= _LATE else None


def _frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(BATCH_SCHEMA) | dict(each) for each in rows], schema=dict(BATCH_SCHEMA))
