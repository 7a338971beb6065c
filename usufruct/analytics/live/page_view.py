"""Live prices as a page shows them: those of its assets, and when the page has to be drawn again."""

from collections.abc import Hashable, Sequence
from typing import Final

from usufruct.analytics.live.api import price_list
from usufruct.analytics.live.feed import LivePriceFeed
from usufruct_client.live_price_documents import LivePriceList

_DRAWN_SECONDS: Final = 15
"""For so long a drawn page is kept while prices change: its stream, or its next load, has newer ones."""


class LiveView:
    """The live prices at one moment; without any where those of the page are simulated and these are not."""

    def __init__(self, feed: LivePriceFeed, *, synthetic: bool) -> None:
        table = feed.newest
        self._now = feed.now
        self._table = table if table is not None and table.synthetic == synthetic else None

    def of(self, assets: Sequence[str]) -> LivePriceList:
        """Return the prices of those assets that have one."""
        if self._table is None:
            return LivePriceList(self._now, 0, synthetic=False, prices=[], missing=[])
        return price_list(self._table, self._table.news_since(0, assets, self._now), self._now)

    def mark(self, asset: str = "") -> Hashable:
        """Return what differs when a page of an asset, or of all, has to be drawn again."""
        if self._table is None:
            return None
        medians = self._table.medians
        shown = medians.values() if not asset else filter(None, [medians.get(asset)])
        return frozenset(
            (each.asset if self._table.is_stale(each, self._now) else "", int(each.at) // _DRAWN_SECONDS)
            for each in shown
        )
