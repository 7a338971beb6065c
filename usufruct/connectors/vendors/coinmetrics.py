"""Daily prices, caps and supplies from Coin Metrics: the community's data without a key, more with one."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

import polars as pl

from usufruct.connectors.prices import BATCH_SCHEMA, REFUSED_SCHEMA, Batch, Interval, SourceFacts
from usufruct.connectors.vendors.errors import VendorUnreadable
from usufruct.connectors.vendors.requests import VendorClient
from usufruct.core import Clock
from usufruct.http import FetchLimits

_COMMUNITY: Final = "https://community-api.coinmetrics.io/v4"
_PAID: Final = "https://api.coinmetrics.io/v4"
_METRICS: Final = {"PriceUSD": "close", "CapMrktCurUSD": "market_cap", "SplyCur": "supply"}


@dataclass(frozen=True, slots=True)
class CoinMetrics:
    """Daily closes, caps and supplies of assets, from the day `first` on.

    A row is dated by its day, and its price is the close of that day. `ids`: our ids by Coin Metrics'. Without a `key`
    the community's data is read, whose licence is CC BY-NC 4.0: it must be credited, and not used commercially.
    `keeps_caps` as your licence says. Not to be used inside an event loop.
    """

    ids: Mapping[str, str]
    first: date
    key: str = field(default="", repr=False)
    url: str = ""
    keeps_caps: bool = True
    page: int = 1_000
    limits: FetchLimits = field(default_factory=lambda: FetchLimits(spacing=0.7))
    clock: Clock = field(default_factory=Clock)
    sleep: Any = asyncio.sleep

    @property
    def facts(self) -> SourceFacts:
        """Name and attribution, with the licence where it is the community's data."""
        licence = "" if self.key else ", CC BY-NC 4.0 (not for commercial use)"
        return SourceFacts("coinmetrics", f"Source: Coin Metrics (https://coinmetrics.io){licence}")

    @property
    def interval(self) -> Interval:
        """Days."""
        return Interval.DAY

    @property
    def quote(self) -> str:
        """US dollars."""
        return "USD"

    def batches(self, position: Any) -> Iterator[Batch]:
        """Yield asset after asset, page after page; of each the last known day again, as it may have been corrected.

        Raises:
            UnknownToVendor, VendorRefused, VendorRateLimited, VendorUnavailable, VendorUnreadable: see `errors`.
        """
        positions: dict[str, str] = dict(position or {})
        today = datetime.fromtimestamp(self.clock.now(), UTC).date()
        with asyncio.Runner() as runner:
            client = VendorClient(
                "Coin Metrics",
                self.url or (_PAID if self.key else _COMMUNITY),
                runner,
                headers={},
                parameters={"api_key": self.key} if self.key else {},
                limits=self.limits,
                sleep=self.sleep,
            )
            try:
                for number, (theirs, ours) in enumerate(self.ids.items(), 1):
                    first = positions.get(ours, self.first.isoformat())
                    for rows, refused in self._pages(client, theirs, ours, first, today):
                        if rows:
                            positions[ours] = max(each["time"] for each in rows).date().isoformat()
                        yield Batch(
                            _frame(rows, BATCH_SCHEMA),
                            dict(positions),
                            number,
                            len(self.ids),
                            refused=_frame(refused, REFUSED_SCHEMA),
                        )
            finally:
                client.close()

    def _pages(
        self, client: VendorClient, theirs: str, ours: str, first: str, today: date
    ) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
        asked = {
            "assets": theirs,
            "metrics": ",".join(_METRICS),
            "frequency": "1d",
            "start_time": first,
            "paging_from": "start",
            "page_size": str(self.page),
        }
        token = ""
        while True:
            found = client.get(
                "/timeseries/asset-metrics",
                asked | ({"next_page_token": token} if token else {}),
                f"metrics of {theirs!r}",
            )
            yield _read(found, theirs, ours, today)
            following = str(found.get("next_page_token") or "")
            if not following or following == token:
                return
            token = following


def _read(
    found: Mapping[str, Any], theirs: str, ours: str, today: date
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    rows, refused = [], []
    data = found.get("data")
    if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
        raise VendorUnreadable(f"Coin Metrics' answer for {theirs!r} has no list of data; try again later")
    for each in data:
        if each.get("asset") != theirs:
            continue
        blank = {"asset": ours, "place": f"coinmetrics {theirs} {str(each.get('time'))[:10]}"}
        try:
            day = datetime.fromisoformat(str(each["time"])[:10]).replace(tzinfo=UTC)
            values = {name: float(each[metric]) for metric, name in _METRICS.items() if each.get(metric) is not None}
        except (KeyError, ValueError, TypeError):
            refused.append(blank | {"rule": "unreadable"})
            continue
        if values and day.date() < today:
            rows.append(blank | {"time": day} | values)
    return rows, refused


def _frame(rows: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(schema) | dict(each) for each in rows], schema=dict(schema))
