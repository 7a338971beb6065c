"""Headlines of a simulated market as items of a news archive, which say that they are simulated."""

from datetime import date

from usufruct.connectors.news.model import NewsItem, item_id
from usufruct.connectors.prices import SyntheticMarket, synthesize_news


def synthetic_items(market: SyntheticMarket, first: date | None = None) -> list[NewsItem]:
    """Return the headlines of a market, from a day on if given; each was known when it appeared."""
    return [
        NewsItem(
            item_id(f"simulated {each.kind}", f"{market.seed} {each.time} {each.text}"),
            f"simulated {each.kind}",
            each.text,
            "",
            "",
            each.time,
            each.time,
            each.assets,
        )
        for each in synthesize_news(market)
        if first is None or each.time.date() >= first
    ]
