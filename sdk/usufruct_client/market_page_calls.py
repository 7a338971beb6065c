"""Calls of `/v1/markets`: live prices, briefings and guides, as the pages have them. They need no key."""

from collections.abc import Iterable
from datetime import date
from typing import Final
from urllib.parse import quote

from usufruct_client.bulletin_documents import BriefingLine, BriefingList, KeptBriefing, KeptGuide
from usufruct_client.errors import Invalid
from usufruct_client.live_price_documents import LivePriceList
from usufruct_client.market_calls import MOST_PAGES, MarketCalls

_PATH: Final = "/v1/markets"


async def read_live_prices(calls: MarketCalls, assets: str | Iterable[str]) -> LivePriceList:
    """Return the last live prices of assets by id.

    Raises:
        Invalid: when no asset is named.
    """
    names = ",".join([assets] if isinstance(assets, str) else assets)
    if not names:
        raise Invalid("no asset is named; give ids, which are the `slug` of tokens()", field="assets")
    return await calls.plain_document(LivePriceList, f"{_PATH}/prices", {"assets": names})


async def read_briefings(calls: MarketCalls, limit: int | None) -> list[BriefingLine]:
    """Return the newest briefings, so many or all; one that is written meanwhile is in the list once, or not at all.

    Raises:
        Invalid: when `limit` is not a positive whole number.
    """
    if limit is not None and not (type(limit) is int and limit > 0):
        raise Invalid(f"limit must be a whole number of briefings, 1 or more, not {limit!r}", field="limit")
    found: dict[str, BriefingLine] = {}
    for page in range(1, MOST_PAGES + 1):
        part = await calls.plain_document(BriefingList, f"{_PATH}/briefings", {"page": str(page)})
        found |= {each.day: each for each in part.briefings if each.day not in found}
        if page >= part.pages or (limit is not None and len(found) >= limit):
            break
    return list(found.values())[:limit]


async def read_briefing(calls: MarketCalls, day: date | str) -> KeptBriefing:
    """Return the briefing of a day."""
    return await calls.plain_document(KeptBriefing, f"{_PATH}/briefings/{quote(str(day), safe='')}")


async def read_guide(calls: MarketCalls, month: str) -> KeptGuide:
    """Return the guide of a month, YYYY-MM; the newest one for an empty text."""
    of = f"/{quote(month, safe='')}" if month else ""
    return await calls.plain_document(KeptGuide, f"{_PATH}/guides/top-10{of}")
