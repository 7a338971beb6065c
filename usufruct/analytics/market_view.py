"""The overview of the market: regime, breadth, sentiment, the best and worst assets, and all by market cap."""

from math import ceil
from typing import Any

import numpy as np
import orjson

from usufruct.analytics.figures import MarketFigures, known
from usufruct.analytics.news_tables import HEADLINES
from usufruct.analytics.sentiment import KINDS
from usufruct.analytics.snapshot import NO_ASSET
from usufruct.connectors.prices import STABLECOIN, WRAPPED
from usufruct_client.market_page_documents import CoinLine, MarketDay, MarketMood, MarketOverview, SourceMood

PAGE_ROWS = 25
HISTORY_DAYS = 365
_LEADERS = 5
_LARGEST = 100
"""The best and the worst are of the largest caps, without stablecoins: the smallest jump without meaning."""


def market_overview(figures: MarketFigures, search: str = "", page: int = 1) -> MarketOverview:
    """Return the overview, with a page of the assets whose name, ticker or id holds each word of `search`."""
    rows = [orjson.loads(each) for each in figures.snapshot.rows["market-metrics"].rows]
    newest = rows[0]
    found = _found(figures, search)
    pages = max(1, ceil(len(found) / PAGE_ROWS))
    shown = min(page, pages)
    gainers = _by(figures, figures.changes[1])
    return MarketOverview(
        source=figures.source,
        signal=newest["TM_GRADE_SIGNAL"],
        signal_since=_since(rows),
        high_share=newest["TM_GRADE_PERC_HIGH_COINS"],
        above_average=newest["ABOVE_MA"],
        others_share=newest["ALTS_INDICATOR"],
        fear_and_greed=newest["FEAR_AND_GREED_VALUE"],
        volatility=newest["VOL_INDEX"],
        volatility_low=newest["VOL_10"],
        volatility_high=newest["VOL_90"],
        total_cap=newest["TOTAL_CRYPTO_MCAP"],
        history=[_day(each) for each in rows[:HISTORY_DAYS][::-1]],
        mood=_mood(figures),
        gainers=gainers[:_LEADERS],
        losers=gainers[::-1][:_LEADERS],
        best=_by(figures, figures.series("tm-grade-history", "overall")[-1])[:_LEADERS],
        headlines=figures.news(HEADLINES, NO_ASSET),
        coins=[figures.line(each) for each in found[(shown - 1) * PAGE_ROWS : shown * PAGE_ROWS]],
        count=len(found),
        page=shown,
        pages=pages,
    )


def _found(figures: MarketFigures, search: str) -> list[int]:
    words = search.casefold().split()
    if not words:
        return figures.ranked
    texts = [f"{each.name} {each.symbol} {each.id}".casefold() for each in figures.snapshot.assets]
    return [column for column in figures.ranked if all(word in texts[column] for word in words)]


def _by(figures: MarketFigures, values: Any) -> list[CoinLine]:
    """Return the largest assets whose value is known, the highest value first."""
    largest = [
        column for column in figures.ranked[:_LARGEST] if np.isfinite(values[column]) and _floats(figures, column)
    ]
    ordered = sorted(largest, key=lambda column: -float(values[column]))
    chosen = ordered if len(ordered) <= 2 * _LEADERS else [*ordered[:_LEADERS], *ordered[-_LEADERS:]]
    return [figures.line(column) for column in chosen]


def _floats(figures: MarketFigures, column: int) -> bool:
    """Tell whether an asset has a price of its own: no stablecoin, and nothing wrapped."""
    return not figures.snapshot.assets[column].categories & {STABLECOIN, WRAPPED}


def _since(rows: list[dict[str, Any]]) -> str:
    """Return the first day of the signal that holds; `rows` begin with the newest."""
    signal = rows[0]["TM_GRADE_SIGNAL"]
    since = rows[0]["DATE"]
    for row in rows:
        if row["TM_GRADE_SIGNAL"] != signal:
            break
        since = row["DATE"]
    return str(since)[:10]


def _day(row: dict[str, Any]) -> MarketDay:
    return MarketDay(
        row["DATE"][:10], row["TOTAL_CRYPTO_MCAP"], row["TM_GRADE_PERC_HIGH_COINS"], row["TM_GRADE_SIGNAL"]
    )


def _mood(figures: MarketFigures) -> MarketMood | None:
    table = figures.snapshot.rows["sentiments"]
    if not len(table.rows):
        return None
    row = orjson.loads(table.rows[0])
    sources = [
        SourceMood(kind, known(row[f"{kind.upper()}_SENTIMENT_GRADE"]), row[f"{kind.upper()}_SUMMARY"])
        for kind in KINDS
        if row[f"{kind.upper()}_SUMMARY"] is not None
    ]
    return MarketMood(row["DATETIME"], row["MARKET_SENTIMENT_GRADE"], sources)
