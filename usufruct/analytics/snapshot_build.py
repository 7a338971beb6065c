"""Compute a snapshot: everything that `/v2` answers, from one state of the prices."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from usufruct.analytics import rows
from usufruct.analytics.correlation import Correlated, find_correlations
from usufruct.analytics.grades import PARTS, Grades, grade, grade_change, input_digests, technical_grade
from usufruct.analytics.indicators import lagged, last_known
from usufruct.analytics.learned import LearnedModel
from usufruct.analytics.learned_tables import learned_rows, learned_series, learned_signals
from usufruct.analytics.levels import find_levels
from usufruct.analytics.market import MarketMetrics, compute_market_metrics
from usufruct.analytics.moonshots import find_moonshots
from usufruct.analytics.news_tables import news_tables
from usufruct.analytics.quant import QuantMetrics, compute_quant_metrics
from usufruct.analytics.reports import Figures, briefing, write_report
from usufruct.analytics.scenarios import compute_scenarios
from usufruct.analytics.sentiment import Headline, hourly_sentiment
from usufruct.analytics.signals import Signals, compute_signals, last_change, positions
from usufruct.analytics.snapshot import DAY, HOUR, NO_ASSET, RowTable, SeriesTable, Snapshot
from usufruct.analytics.trader_index import trader_index
from usufruct.connectors.news import NewsItem
from usufruct.connectors.prices import Bars, Matrix, Panel

INDEX_DAYS: Final = 400
"""Days of the trader index that are listed."""
_BRIEFED: Final = 5

TimedRow = tuple[int, int, dict[str, Any]]
"""When, of which column, and the row."""


@dataclass(frozen=True, slots=True)
class MarketInputs:
    """What is known of the market. `daily` has the panel's days and assets; `hourly` any recent hours of any assets.

    `headlines` make the market's sentiment of each hour, `news` are listed beside the assets that they name.
    `exchanges`: those that trade an asset, by its id.
    """

    panel: Panel
    daily: Bars
    hourly: Bars | None = None
    headlines: Sequence[Headline] = ()
    news: Sequence[NewsItem] = ()
    exchanges: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Computed:
    """What several tables are made of."""

    panel: Panel
    start: int
    grades: Grades
    signals: Signals
    trader_change: Matrix
    market: MarketMetrics
    quant: QuantMetrics

    @property
    def last(self) -> int:
        """When the last day begins."""
        return self.start + (self.panel.days - 1) * DAY


def build_snapshot(inputs: MarketInputs, now: int, model: LearnedModel | None = None) -> Snapshot:
    """Compute all tables, with learned signals where there is a model; `now` in seconds since 1970."""
    panel = inputs.panel
    graded = grade(panel, parts=("momentum",) if model is None else PARTS)
    computed = _Computed(
        panel,
        int(datetime(panel.first_day.year, panel.first_day.month, panel.first_day.day, tzinfo=UTC).timestamp()),
        graded,
        compute_signals(panel.close, graded.trader),
        grade_change(graded.trader, 1),
        compute_market_metrics(panel, graded.trader),
        compute_quant_metrics(panel.close),
    )
    series = _daily_series(computed, inputs.daily) | _hourly_series(inputs.hourly, panel)
    tables = _row_tables(computed, inputs, series.get("hourly-ohlcv"))
    if model is not None:
        found = learned_signals(panel, graded, computed.signals.signal, computed.market, model)
        series |= learned_series(found, computed.start)
        tables |= {name: _table(each) for name, each in learned_rows(found, panel, computed.last, model).items()}
    digests = input_digests(panel)
    hours = series.get("hourly-ohlcv")
    made = f"{digests[-1]} {now} {0 if hours is None else hours.length} {len(inputs.headlines)}"
    made += "" if model is None else f" {model.id}"
    return Snapshot(
        id=sha256(made.encode()).hexdigest()[:16],
        computed_at=now,
        first_day=computed.start,
        last_day=computed.last,
        last_hour=_last_hour(hours),
        synthetic=panel.synthetic,
        source=panel.source,
        assets=panel.assets,
        market_caps=panel.market_cap[-1],
        volumes=panel.volume[-1],
        digests=digests,
        briefing=_briefing(computed),
        rows=tables,
        series=series,
        attribution=panel.attribution,
    )


def _daily_series(of: _Computed, daily: Bars) -> dict[str, SeriesTable]:
    def table(key: str, **fields: NDArray[Any]) -> SeriesTable:
        return SeriesTable(of.start, DAY, key, fields)

    def small(values: Matrix) -> NDArray[np.float32]:
        return values.astype(np.float32)

    grades, traded = of.grades, of.signals
    trader, investor = small(grades.trader), small(grades.investor)
    change = small(of.trader_change)
    quantitative, fundamental = small(grades.quantitative), small(grades.fundamental)
    bars = {name: getattr(daily, name) for name in ("open", "high", "low", "close", "volume")}
    return {
        "daily-ohlcv": table("close", **bars),
        "daily-caps": table("market_cap", market_cap=of.panel.market_cap),
        "trader-grades": table(
            "trader", trader=trader, trader_change=change, technical=small(grades.technical), quantitative=quantitative
        ),
        "investor-grades": table(
            "investor",
            investor=investor,
            investor_change=small(grade_change(grades.investor, 7)),
            fundamental=fundamental,
            technology=small(grades.technology),
            valuation=small(grades.valuation),
        ),
        "tm-grade-history": table(
            "overall",
            overall=small(grades.overall),
            overall_change=small(grade_change(grades.overall, 1)),
            trader_change=change,
            quantitative=quantitative,
            fundamental=fundamental,
            momentum=small(grades.parts["momentum"]),
        ),
        "fundamental-grade-history": table("fundamental", fundamental=fundamental),
        "technology-grade-history": table("technology", technology=small(grades.technology)),
        "trading-signals": table(
            "trader",
            trader=trader,
            investor=investor,
            signal=traded.signal,
            trend=traded.trend,
            signal_returns=small(traded.signal_returns),
            holding_returns=small(traded.holding_returns),
        ),
    }


def _hourly_series(hourly: Bars | None, panel: Panel) -> dict[str, SeriesTable]:
    """Return the hourly tables, in the panel's columns; signals come from the technical grade of hours."""
    if hourly is None:
        return {}
    bars = {name: _in_columns(getattr(hourly, name), hourly, panel) for name in ("open", "high", "low", "close")}
    bars["volume"] = _in_columns(hourly.volume, hourly, panel)
    technical = technical_grade(bars["close"], bars["volume"])
    traded = compute_signals(bars["close"], technical)
    start = int(hourly.first.timestamp())
    fields: dict[str, NDArray[Any]] = {
        "close": bars["close"],
        "signal": traded.signal,
        "position": positions(traded.signal),
    }
    return {
        "hourly-ohlcv": SeriesTable(start, HOUR, "close", bars),
        "hourly-trading-signals": SeriesTable(start, HOUR, "close", fields),
    }


def _in_columns(values: Matrix, hourly: Bars, panel: Panel) -> Matrix:
    wide = np.full((len(values), len(panel.assets)), np.nan)
    for index, asset in enumerate(hourly.assets):
        if asset.id in panel.column:
            wide[:, panel.column[asset.id]] = values[:, index]
    return wide


def _last_hour(hours: SeriesTable | None) -> int:
    if hours is None:
        return 0
    known = np.flatnonzero(~np.isnan(hours.fields["close"]).all(axis=1))
    return hours.time(int(known[-1])) if known.size else 0


def _row_tables(of: _Computed, inputs: MarketInputs, hours: SeriesTable | None) -> dict[str, RowTable]:
    panel, last = of.panel, of.last
    newest = _newest_prices(panel, of.start, hours)
    prices = newest.price
    priced = [column for column in range(len(panel.assets)) if np.isfinite(prices[column])]
    follows = find_correlations(panel)
    found, turned = compute_scenarios(panel), find_levels(panel)

    def each(write: Callable[[int], dict[str, Any]], columns: Iterable[int]) -> RowTable:
        return _table((last, column, write(column)) for column in columns)

    assets, everything = panel.assets, range(len(panel.assets))
    measured = [column for column in everything if np.isfinite(of.quant.daily_return_std[column])]
    listed = np.argsort(-np.nan_to_num(panel.market_cap[-1], nan=-1.0), kind="stable").tolist()
    named: list[list[tuple[Any, Correlated]]] = [[(assets[x.column], x) for x in row] for row in follows]
    reports = {column: write_report(_figures(of, column, prices, turned, named)) for column in priced}

    def token(column: int) -> dict[str, Any]:
        return rows.token_row(assets[column], inputs.exchanges.get(assets[column].id, ()))

    return {
        "tokens": each(token, everything),
        "top-market-cap-tokens": each(token, [x for x in listed if panel.market_cap[-1, x] > 0]),
        "price": each(lambda column: rows.price_row(assets[column], prices[column], int(newest.at[column])), priced),
        "quantmetrics": each(lambda column: rows.quant_row(assets[column], last, of.quant, column), measured),
        "correlation": each(
            lambda column: rows.correlation_row(assets[column], last, named[column]),
            [x for x in everything if named[x]],
        ),
        "resistance-support": each(
            lambda column: rows.levels_row(assets[column], last, turned[column]), [x for x in everything if turned[x]]
        ),
        "scenario-analysis": each(
            lambda column: rows.scenario_row(assets[column], last, found[column]), [x for x in everything if found[x]]
        ),
        "price-prediction": each(
            lambda column: rows.prediction_row(
                assets[column], last, found[column], float(prices[column]), float(panel.market_cap[-1, column])
            ),
            [x for x in priced if found[x]],
        ),
        "ai-reports": each(lambda column: rows.report_row(assets[column], reports[column]), priced),
        "grade-parts": each(lambda column: rows.parts_row(of.grades.latest, column), everything),
        **_moonshot_tables(of),
        "market-metrics": _table(
            (of.start + row * DAY, NO_ASSET, rows.market_row(of.start + row * DAY, of.market, row))
            for row in range(panel.days)[::-1]
        ),
        "sentiments": _sentiment_table(of, inputs.headlines),
        **news_tables(inputs.news, panel.assets),
        "trader-indices": _index_table(of),
    }


def _table(found: Iterable[TimedRow]) -> RowTable:
    listed = list(found)
    return RowTable(
        np.array([at for at, _, _ in listed], dtype=np.int64),
        np.array([column for _, column, _ in listed], dtype=np.int64),
        [orjson.dumps(row) for _, _, row in listed],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Newest:
    """The newest price of each asset, NaN without one, and when the bar began whose close it is (seconds)."""

    price: NDArray[np.float64]
    at: NDArray[np.int64]


def _newest_prices(panel: Panel, start: int, hours: SeriesTable | None) -> _Newest:
    """Return each asset's newest price: of the last 24 hours, or else of the last week of days from `start` on."""
    price, row = last_known(np.where(panel.close > 0, panel.close, np.nan), 7)
    at = start + row * DAY
    if hours is None:
        return _Newest(price, at)
    newest, hour = last_known(hours.fields["close"], 24)
    known = ~np.isnan(newest)
    return _Newest(np.where(known, newest, price), np.where(known, hours.start + hour * HOUR, at))


def _figures(
    of: _Computed,
    column: int,
    prices: NDArray[np.float64],
    turned: Sequence[Any],
    named: Sequence[list[tuple[Any, Correlated]]],
) -> Figures:
    panel, grades, asset = of.panel, of.grades, of.panel.assets[column]
    caps = panel.market_cap[-1]

    def last(values: NDArray[Any]) -> float:
        return float(values[-1, column])

    return Figures(
        name=asset.name,
        symbol=asset.symbol,
        day=panel.last_day,
        price=float(prices[column]),
        change_7d=_change(panel.close[:, column], 7),
        change_30d=_change(panel.close[:, column], 30),
        market_cap=float(caps[column]),
        rank=int(np.count_nonzero(caps > caps[column])) + 1,
        trader=last(grades.trader),
        technical=last(grades.technical),
        quantitative=last(grades.quantitative),
        investor=last(grades.investor),
        fundamental=last(grades.fundamental),
        valuation=last(grades.valuation),
        overall=last(grades.overall),
        signal=int(last(of.signals.signal)),
        signal_returns=last(of.signals.signal_returns),
        holding_returns=last(of.signals.holding_returns),
        volatility=float(of.quant.volatility[column]),
        sharpe=float(of.quant.sharpe[column]),
        max_drawdown=float(of.quant.max_drawdown[column]),
        levels=tuple(turned[column]),
        follows=tuple((other.symbol, each) for other, each in named[column][:1]),
        technology=last(grades.technology),
        synthetic=panel.synthetic,
    )


def _change(close: NDArray[np.float64], days: int) -> float:
    return float((close[-1] / close[-1 - days] - 1.0) * 100.0) if len(close) > days else float("nan")


def _moonshot_tables(of: _Computed) -> dict[str, RowTable]:
    panel = of.panel
    change = (panel.close / lagged(panel.close, 7) - 1.0) * 100.0

    def row(pick: Any) -> TimedRow:
        values = {
            "trader": of.grades.trader[-1, pick.column],
            "trader_change": of.trader_change[-1, pick.column],
            "change_7d": change[-1, pick.column],
            "market_cap": panel.market_cap[-1, pick.column],
            "volume": panel.volume[-1, pick.column],
        }
        began = of.start + pick.began * DAY
        ended = None if pick.ended is None else of.start + pick.ended * DAY
        changed = last_change(of.signals.signal[:, pick.column])
        signalled = None if changed is None else of.start + changed * DAY
        asset = panel.assets[pick.column]
        return began, pick.column, rows.moonshot_row(asset, pick, began, ended, signalled, values)

    picks = find_moonshots(panel, of.grades.trader)
    return {
        "moonshot-tokens active": _table(row(each) for each in picks if each.ended is None),
        "moonshot-tokens past": _table(row(each) for each in picks if each.ended is not None),
    }


def _sentiment_table(of: _Computed, headlines: Sequence[Headline]) -> RowTable:
    """Return the hours; a day's fear and greed is known when the day is over."""
    known = {
        of.start + (row + 1) * DAY: float(value)
        for row, value in enumerate(of.market.fear_and_greed)
        if np.isfinite(value)
    }
    return _table((each.at, NO_ASSET, rows.sentiment_row(each)) for each in hourly_sentiment(headlines, known))


def _index_table(of: _Computed) -> RowTable:
    panel = of.panel
    held = trader_index(panel, of.grades.trader, of.signals.signal)
    shown = sorted((x for x in held if x.row >= panel.days - INDEX_DAYS), key=lambda x: (-x.row, -x.weight, x.column))
    return _table(
        (
            of.start + each.row * DAY,
            each.column,
            rows.holding_row(
                panel.assets[each.column], of.start + each.row * DAY, each.weight, each.amount, each.price
            ),
        )
        for each in shown
    )


def _briefing(of: _Computed) -> str:
    trader = of.grades.trader[-1]
    ranked = [int(x) for x in np.argsort(-np.nan_to_num(trader, nan=-1.0), kind="stable") if np.isfinite(trader[x])]
    empty: list[list[Any]] = [[] for _ in of.panel.assets]
    prices = _newest_prices(of.panel, of.start, None).price
    best, worst = (
        [_figures(of, column, prices, empty, empty) for column in columns]
        for columns in (ranked[:_BRIEFED], ranked[::-1][:_BRIEFED])
    )
    return briefing(of.panel.last_day, int(of.market.signal[-1]), float(of.market.high_share[-1]), best, worst)
