"""The briefing of a day, from figures alone: the same figures give the same briefing, to the byte."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from usufruct.analytics import Snapshot, utc_text
from usufruct.connectors.prices import STABLECOIN
from usufruct.core import DAY_SECONDS
from usufruct.indices.bulletins.day_figures import DayFigures, rounded
from usufruct.indices.bulletins.news_choice import DayNews, choose_news
from usufruct.indices.publication import IndexTables, PublishedIndex
from usufruct_client.bulletin_documents import (
    BriefedAsset,
    BriefedGaps,
    BriefedGrade,
    BriefedIndex,
    BriefedMarket,
    BriefedMood,
    BriefedMove,
    BriefedNews,
    BriefedPeg,
    BriefedSignal,
    MarketBriefing,
    MissingFigures,
    SilentSource,
)

VERSION: Final = "briefing-1"
"""A change of what a briefing is written from, or how, is another version: the input hash begins with it."""
LEADERS: Final = 5
SHOWN: Final = 8
GRADE_POINTS: Final = 10.0
"""A grade that moved by so many points in a day is named."""
OFF_PEG: Final = 0.01
"""How far from 1 the price of a stablecoin is when it is off its peg, as in the rules of indices."""
_GAP_DAYS: Final = 7


def write_briefing(snapshot: Snapshot, tables: IndexTables, news: DayNews, day: date) -> MarketBriefing:
    """Write the briefing of a day that the snapshot and the indices have."""
    figures = DayFigures(snapshot, day)
    indices, missing = _indices(tables, figures)
    items = _news(news, figures)
    silent = [SilentSource(name, str(since)) for name, since in (news.silent or {}).items()]
    grades, signals = _grades(figures), _signals(figures)
    moves, mood, source = _moves(figures), _mood(figures), figures.source
    read = [each.as_json() for each in (*indices, *missing, *items, *silent, *([mood] if mood else []))]
    return MarketBriefing(
        day=str(day),
        source=source,
        input_hash=input_hash(VERSION, str(day), source, read, len(news.items)),
        market=_market(figures),
        indices=indices,
        gainers=[each for each in moves if each.change > 0][:LEADERS],
        losers=[each for each in moves[::-1] if each.change < 0][:LEADERS],
        grades=grades[:SHOWN],
        grade_count=len(grades),
        signals=signals[:SHOWN],
        signal_count=len(signals),
        mood=mood,
        news=items,
        news_count=len(news.items),
        off_peg=_off_peg(figures),
        gaps=_gaps(figures, missing, silent),
    )


def input_hash(version: str, period: str, source: Any, *parts: Any) -> str:
    """Return the hash of what a bulletin is written from; the source's digest covers all prices until the day."""
    content = [version, period, source.as_json(), *parts]
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def identity(figures: DayFigures, column: int) -> dict[str, str]:
    """Return what names an asset in every document."""
    asset = figures.assets[column]
    return {"id": asset.id, "symbol": asset.symbol, "name": asset.name}


def _market(figures: DayFigures) -> BriefedMarket:
    now, before = figures.market(), figures.market(1)
    caps = now["TOTAL_CRYPTO_MCAP"], before.get("TOTAL_CRYPTO_MCAP")
    return BriefedMarket(
        signal=now["TM_GRADE_SIGNAL"],
        signal_before=before.get("TM_GRADE_SIGNAL", 0),
        signal_since=str(figures.signal_since()),
        high_share=rounded(now["TM_GRADE_PERC_HIGH_COINS"]),
        high_share_before=rounded(before.get("TM_GRADE_PERC_HIGH_COINS")),
        above_average=rounded(now["ABOVE_MA"]),
        others_share=rounded(now["ALTS_INDICATOR"]),
        fear_and_greed=rounded(now["FEAR_AND_GREED_VALUE"]),
        fear_and_greed_before=rounded(before.get("FEAR_AND_GREED_VALUE")),
        volatility=rounded(now["VOL_INDEX"]),
        volatility_low=rounded(now["VOL_10"]),
        volatility_high=rounded(now["VOL_90"]),
        total_cap=rounded(caps[0], 2),
        total_cap_change=rounded(caps[0] / caps[1] - 1.0) if caps[0] and caps[1] else None,
    )


def _indices(tables: IndexTables, figures: DayFigures) -> tuple[list[BriefedIndex], list[MissingFigures]]:
    found: list[BriefedIndex] = []
    missing = [MissingFigures(name, reason) for name, reason in sorted(tables.failures.items())]
    for index in tables.indices:
        at = (figures.start - index.first_day) // DAY_SECONDS
        if 0 <= at < len(index.values["nav"]):
            found.append(_index(index, at, figures.start))
        else:
            reason = index.failure or f"it has values from {_day(index.first_day)} to {_day(index.last_day)}"
            missing.append(MissingFigures(index.rulebook.name, reason))
    return found, missing


def _index(index: PublishedIndex, at: int, start: int) -> BriefedIndex:
    nav = index.values["nav"]
    day, week, month = (rounded(nav[at] / nav[at - days] - 1.0) if at >= days else None for days in (1, 7, 30))
    return BriefedIndex(
        id=index.rulebook.name,
        title=index.rulebook.title,
        value=float(nav[at]),
        day_change=day,
        week_change=week,
        month_change=month,
        regime=_regime(index, at),
        regime_before=_regime(index, at - 1) if at else None,
        traded=bool((index.tables["rebalances"].times == start).any()),
    )


def _regime(index: PublishedIndex, at: int) -> Any:
    if index.rulebook.regime is None:
        return None
    return "bullish" if index.values["bullish"][at] else "bearish"


def _moves(figures: DayFigures) -> list[BriefedMove]:
    """Return the largest assets with a price on both days, the most gained first."""
    now, before = figures.closes(), figures.closes(1)
    known = [each for each in figures.largest if np.isfinite(now[each]) and np.isfinite(before[each])]
    moves = [
        BriefedMove(
            **identity(figures, each), price=float(now[each]), change=round(float(now[each] / before[each] - 1.0), 6)
        )
        for each in known
    ]
    return sorted(moves, key=lambda each: (-each.change, each.id))


def _grades(figures: DayFigures) -> list[BriefedGrade]:
    """Return the largest assets whose overall grade moved by `GRADE_POINTS`, the furthest first."""
    now, before = (figures.values("tm-grade-history", "overall", days) for days in (0, 1))
    moved = [each for each in figures.largest if abs(float(now[each]) - float(before[each])) >= GRADE_POINTS]
    found = [
        BriefedGrade(**identity(figures, each), before=round(float(before[each]), 2), after=round(float(now[each]), 2))
        for each in moved
    ]
    return sorted(found, key=lambda each: (-abs(each.after - each.before), each.id))


def _signals(figures: DayFigures) -> list[BriefedSignal]:
    """Return the assets whose signal changed, the largest first."""
    now, before = figures.signals(), figures.signals(1)
    return [
        BriefedSignal(**identity(figures, each), before=int(before[each]), after=int(now[each]))
        for each in figures.plain
        if now[each] != before[each]
    ]


def _mood(figures: DayFigures) -> BriefedMood | None:
    rows = figures.moods()
    if not rows:
        return None

    def mean(kind: str) -> float | None:
        known = [row[f"{kind}_SENTIMENT_GRADE"] for row in rows if row[f"{kind}_SENTIMENT_GRADE"] is not None]
        return rounded(sum(known) / len(known), 2) if known else None

    return BriefedMood(len(rows), mean("MARKET"), mean("NEWS"), mean("REDDIT"), mean("TWITTER"))


def _news(news: DayNews, figures: DayFigures) -> list[BriefedNews]:
    symbols = {figures.assets[column].id: figures.assets[column].symbol for column in figures.ranks}
    ranks = {figures.assets[column].id: rank for column, rank in figures.ranks.items()}
    return [
        BriefedNews(
            title=each.title,
            source=each.source,
            link=each.link,
            published_at=utc_text(int(each.published_at.timestamp())),
            assets=[symbols[asset] for asset in each.assets if asset in symbols],
        )
        for each in choose_news(news.items, ranks)
    ]


def _off_peg(figures: DayFigures) -> list[BriefedPeg]:
    """Return the stablecoins off their peg, the furthest first."""
    now, before = figures.closes(), figures.closes(1)
    found = [
        BriefedPeg(**identity(figures, each), price=float(now[each]), began=abs(float(before[each]) - 1.0) <= OFF_PEG)
        for each, asset in enumerate(figures.assets)
        if STABLECOIN in asset.categories and abs(float(now[each]) - 1.0) > OFF_PEG
    ]
    return sorted(found, key=lambda each: (-abs(each.price - 1.0), each.id))


def _gaps(figures: DayFigures, missing: list[MissingFigures], silent: list[SilentSource]) -> BriefedGaps:
    now, before = figures.closes(), figures.closes(1)
    caps = np.nan_to_num(np.asarray(figures.values("daily-caps", "market_cap", 1), dtype=np.float64))
    stopped = [each for each in range(len(figures.assets)) if np.isnan(now[each]) and np.isfinite(before[each])]
    ordered = sorted(stopped, key=lambda each: (-float(caps[each]), figures.assets[each].id))
    return BriefedGaps(
        unpriced=[BriefedAsset(**identity(figures, each)) for each in ordered[:SHOWN]],
        unpriced_count=len(stopped),
        days_without_prices=_empty_days(figures.day, figures.closes, figures.row),
        indices=missing,
        silent_sources=silent,
    )


def _empty_days(day: date, closes: Callable[[int], NDArray[np.float64]], row: int) -> list[str]:
    """Return the last days without any price, this one too."""
    back = range(min(_GAP_DAYS, row + 1))
    return [str(day - timedelta(days=days)) for days in back if not np.isfinite(closes(days)).any()]


def _day(seconds: int) -> str:
    return utc_text(seconds)[:10]
