"""One asset, and several beside each other: grades with their parts, prices, signals, relations, risk."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from usufruct.analytics import grades
from usufruct.analytics.alert_model import UnknownMarketAsset
from usufruct.analytics.figures import MarketFigures, known
from usufruct.analytics.learned_tables import MODEL, PARTS, SIGNALS
from usufruct.analytics.news_tables import ASSET_NEWS, ASSET_SENTIMENT, NEWS_DAYS
from usufruct.analytics.snapshot import DAY
from usufruct.analytics.writing import Wording
from usufruct.web.ui import outlined, spaced
from usufruct_client.market_page_documents import (
    CoinFacts,
    CoinMetrics,
    CoinSentiment,
    ComparedCoin,
    GradePart,
    LearnedPart,
    LearnedSignal,
    MarketComparison,
    PartedGrade,
    PriceLevel,
    PricePoint,
    PriceScenario,
    RelatedCoin,
    ReturnDay,
    SentimentWeek,
    SignalDay,
    WordedReport,
)
from usufruct_client.series_documents import DailySeries, SeriesLine

RANGES = (90, 365, 0)
"""Days of a price chart; 0: all."""
MOST_COMPARED = 5
MOST_DAYS = 2_000
"""Points of an interactive chart."""
_MOST_POINTS = 92
_MOST_CHANGES = 8
_YEAR = 365
_RELATED = 5
_GRADES: tuple[tuple[str, str, Mapping[str, float]], ...] = (
    ("overall", "tm-grade-history", grades.OVERALL_WEIGHTS),
    ("trader", "trader-grades", grades.TRADER_WEIGHTS),
    ("investor", "investor-grades", grades.INVESTOR_WEIGHTS),
    ("technical", "trader-grades", grades.TECHNICAL_WEIGHTS),
    ("quantitative", "trader-grades", grades.QUANT_WEIGHTS),
    ("fundamental", "investor-grades", grades.FUNDAMENTAL_WEIGHTS),
    ("technology", "investor-grades", {}),
    ("valuation", "investor-grades", grades.VALUATION_WEIGHTS),
)


def find_column(figures: MarketFigures, name: str) -> int:
    """Return the column of an asset by its id.

    Raises:
        UnknownMarketAsset: when there is none.
    """
    column = figures.column.get(name)
    if column is None:
        raise UnknownMarketAsset(f"there is no asset {name[:60]!r} here; /v1/markets lists their ids", field="id")
    return column


def coin_facts(figures: MarketFigures, name: str, wording: Wording, days: int = RANGES[0]) -> CoinFacts:
    """Return all that is known of an asset, with closes of so many days; raises as `find_column`."""
    column = find_column(figures, name)
    asset = figures.snapshot.assets[column]
    signal = np.asarray(figures.series("trading-signals", "signal")[:, column])
    values = {name: figures.last(table, name, column) for name, table, _ in _GRADES}
    overall, fundamental = values["overall"], values["fundamental"]
    metrics = figures.row("quantmetrics", column)
    report = figures.row("ai-reports", column).get("DEEP_DIVE", "")
    words = wording.report(report)
    return CoinFacts(
        source=figures.source,
        coin=figures.line(column),
        categories=sorted(asset.categories),
        volume=known(figures.snapshot.volumes[column]),
        verdict="" if overall is None else grades.verdict(overall),
        fundamental_class="" if fundamental is None else grades.fundamental_class(fundamental),
        grades=_grades(values, figures.row("grade-parts", column)),
        range=days,
        prices=_prices(figures, column, days),
        signal_since=figures.day(_since(signal)),
        trend=int(figures.series("trading-signals", "trend")[-1, column]),
        signal_returns=figures.last("trading-signals", "signal_returns", column),
        holding_returns=figures.last("trading-signals", "holding_returns", column),
        changes=_changes(figures, column, signal),
        returns=_returns(figures, column),
        related=_related(figures, column),
        levels=_levels(figures.row("resistance-support", column)),
        scenarios=_scenarios(figures.row("scenario-analysis", column)),
        metrics=CoinMetrics(
            volatility=metrics.get("VOLATILITY"),
            sharpe=metrics.get("SHARPE"),
            sortino=metrics.get("SORTINO"),
            max_drawdown=metrics.get("MAX_DRAWDOWN"),
            value_at_risk=metrics.get("DAILY_VALUE_AT_RISK"),
            all_time_return=metrics.get("ALL_TIME_RETURN"),
        ),
        news=figures.news(ASSET_NEWS, column),
        sentiment=_sentiment(figures.row(ASSET_SENTIMENT, column)),
        report=report,
        worded=None if words is None else WordedReport(words.text, words.model),
        learned=_learned(figures, column),
    )


def coin_series(figures: MarketFigures, name: str) -> DailySeries:
    """Return the closes of an asset since its first price; raises as `find_column`."""
    column = find_column(figures, name)
    closes = figures.series("daily-ohlcv", "close")[:, column]
    first = _first(closes)
    close = [known(each) for each in closes[first:]]
    kept = outlined(close, MOST_DAYS)
    start = figures.snapshot.first_day + first * DAY
    return DailySeries(
        days=len(close),
        times=[start + at * DAY for at in kept],
        lines=[SeriesLine("close", [close[at] for at in kept])],
    )


def comparison(figures: MarketFigures, names: Sequence[str]) -> MarketComparison:
    """Return assets beside each other; raises as `find_column`."""
    columns = [find_column(figures, each) for each in names[:MOST_COMPARED]]
    close = np.asarray(figures.series("daily-ohlcv", "close")[-_YEAR:, columns], dtype=np.float64)
    first = figures.days - len(close)
    together = np.flatnonzero((close > 0).all(axis=1))
    start = int(together[0]) if together.size else len(close)
    picked = [start + each for each in spaced(len(close) - start, _MOST_POINTS)]
    growth = [[known(close[row, at] / close[start, at]) for row in picked] for at in range(len(columns))]
    days = [figures.day(first + row) for row in picked]
    coins = [_compared(figures, column, grown) for column, grown in zip(columns, growth, strict=True)]
    return MarketComparison(figures.source, days, coins)


def _grades(values: Mapping[str, float | None], parts: Mapping[str, float | None]) -> list[PartedGrade]:
    everything = {**parts, **values}
    return [
        PartedGrade(name, values[name], [GradePart(part, weight, everything.get(part)) for part, weight in of.items()])
        for name, _, of in _GRADES
    ]


def _prices(figures: MarketFigures, column: int, days: int) -> list[PricePoint]:
    close = figures.series("daily-ohlcv", "close")[:, column]
    trader = figures.series("trader-grades", "trader")[:, column]
    first = max(_first(close), figures.days - days if days else 0)
    rows = [first + each for each in spaced(figures.days - first, _MOST_POINTS)]
    return [PricePoint(figures.day(row), known(close[row]), known(trader[row])) for row in rows]


def _first(close: NDArray[Any]) -> int:
    """Return the row of the first price."""
    there = np.flatnonzero(close > 0)
    return int(there[0]) if there.size else len(close)


def _since(signal: NDArray[Any]) -> int:
    """Return the row from which the last signal holds."""
    others = np.flatnonzero(signal != signal[-1])
    return int(others[-1]) + 1 if others.size else 0


def _changes(figures: MarketFigures, column: int, signal: NDArray[Any]) -> list[SignalDay]:
    close = figures.series("daily-ohlcv", "close")
    rows = (np.flatnonzero(signal[1:] != signal[:-1]) + 1)[::-1][:_MOST_CHANGES].tolist()
    return [SignalDay(figures.day(row), int(signal[row]), known(close[row, column])) for row in rows]


def _returns(figures: MarketFigures, column: int) -> list[ReturnDay]:
    """Return both returns since the asset's first day, of a chart's points."""
    signals = figures.series("trading-signals", "signal_returns")[:, column]
    holding = figures.series("trading-signals", "holding_returns")[:, column]
    first = _first(figures.series("daily-ohlcv", "close")[:, column])
    rows = [first + each for each in spaced(figures.days - first, _MOST_POINTS)]
    return [ReturnDay(figures.day(row), known(signals[row]), known(holding[row])) for row in rows]


def _learned(figures: MarketFigures, column: int) -> LearnedSignal | None:
    """Return an asset's learned signal; None without a model, or where it does not score the asset."""
    if SIGNALS not in figures.snapshot.series:
        return None
    score = figures.last(SIGNALS, "score", column)
    if score is None:
        return None
    signal = np.asarray(figures.series(SIGNALS, "signal")[:, column])
    of = orjson.loads(figures.snapshot.rows[MODEL].rows[0])
    return LearnedSignal(
        signal=int(signal[-1]),
        signal_since=figures.day(_since(signal)),
        score=score,
        parts=[LearnedPart(name, points) for name, points in figures.row(PARTS, column).items()],
        **of,
    )


def _related(figures: MarketFigures, column: int) -> list[RelatedCoin]:
    found = figures.row("correlation", column).get("TOP_CORRELATION", [])
    chosen = found if len(found) <= 2 * _RELATED else [*found[:_RELATED], *found[-_RELATED:]]
    ids = {each.number: each.id for each in figures.snapshot.assets}
    return [RelatedCoin(ids[each["token_id"]], each["symbol"], each["token"], each["correlation"]) for each in chosen]


def _sentiment(row: Mapping[str, Any]) -> CoinSentiment:
    weeks = [SentimentWeek(*each) for each in row.get("WEEKS", [])]
    return CoinSentiment(NEWS_DAYS, row.get("GRADE"), row.get("ITEMS", 0), weeks)


def _levels(row: Mapping[str, Any]) -> list[PriceLevel]:
    found = row.get("HISTORICAL_RESISTANCE_SUPPORT_LEVELS", [])
    levels = [PriceLevel(each["level"], each["type"], each["touches"], each["date"]) for each in found]
    return sorted(levels, key=lambda each: -each.price)


def _scenarios(row: Mapping[str, Any]) -> list[PriceScenario]:
    return [
        PriceScenario(
            each["scenario"], each["predicted_price_bear"], each["predicted_price_base"], each["predicted_price_moon"]
        )
        for each in row.get("SCENARIO_ANALYSIS", [])
    ]


def _compared(figures: MarketFigures, column: int, growth: list[float | None]) -> ComparedCoin:
    metrics = figures.row("quantmetrics", column)
    return ComparedCoin(
        coin=figures.line(column),
        technical=figures.last("trader-grades", "technical", column),
        quantitative=figures.last("trader-grades", "quantitative", column),
        fundamental=figures.last("investor-grades", "fundamental", column),
        valuation=figures.last("investor-grades", "valuation", column),
        volatility=metrics.get("VOLATILITY"),
        sharpe=metrics.get("SHARPE"),
        max_drawdown=metrics.get("MAX_DRAWDOWN"),
        growth=growth,
    )
