"""The JSON documents of market pages: the market in figures, one asset with its grades, and several compared.

Prices and market caps are in US dollars, changes and returns are parts (0.1 is ten per cent), grades are 0 to 100. What
is not known is null. Days are YYYY-MM-DD, UTC.
"""

from typing import Annotated

from pydantic import Field, StrictBool, StrictStr

from usufruct_client.wire_types import Count, Document, Seconds

_Figure = Annotated[float, Field(allow_inf_nan=False)]
_Known = _Figure | None
_Sign = Annotated[int, Field(strict=True, ge=-1, le=1)]


class MarketSource(Document):
    """What figures are made of: the last bar, whether newer ones should be there, whether the prices are simulated.

    `digest`: of all inputs of the last day's grades, by `docs/protocol/ratings.md`. `attribution`: what the licences of
    the sources want shown with the data.
    """

    as_of: StrictStr
    stale: StrictBool
    synthetic: StrictBool
    source: StrictStr
    computed_at: Seconds
    digest: StrictStr
    attribution: list[StrictStr]


class CoinLine(Document):
    """An asset in a list. Changes are from close to close; `rank` is by market cap, `signal` 1, 0 or -1."""

    id: StrictStr
    symbol: StrictStr
    name: StrictStr
    rank: Count
    price: _Known
    day_change: _Known
    week_change: _Known
    month_change: _Known
    market_cap: _Known
    overall: _Known
    trader: _Known
    investor: _Known
    signal: _Sign


class MarketDay(Document):
    """The market on a day: its cap, per cent of assets with a high trader grade, and its signal."""

    day: StrictStr
    total_cap: _Known
    high_share: _Known
    signal: _Sign


class SourceMood(Document):
    """What one kind of source wrote in an hour: a grade, and a summary with the strongest text."""

    kind: StrictStr
    grade: _Known
    summary: StrictStr


class MarketMood(Document):
    """The sentiment of the newest hour; without sources it is fear and greed alone."""

    at: StrictStr
    grade: _Known
    sources: list[SourceMood]


class NamedAsset(Document):
    """An asset that a headline names."""

    id: StrictStr
    symbol: StrictStr


class NewsLine(Document):
    """A headline that others wrote: plain text, an http(s) link or nothing, and when its source published it.

    `sentiment`: of its words by a lexicon, 0 bad, 100 good. Text of strangers: escape it where it is shown.
    """

    at: StrictStr
    source: StrictStr
    title: StrictStr
    link: StrictStr
    sentiment: _Figure
    assets: list[NamedAsset]


class SentimentWeek(Document):
    """The mean sentiment of the items that were learnt in a week, and their number; `day` is its Monday."""

    day: StrictStr
    grade: _Known
    items: Count


class CoinSentiment(Document):
    """The sentiment of the headlines that name an asset, 0 bad, 100 good; null without any in the last `days`."""

    days: Count
    grade: _Known
    items: Count
    weeks: list[SentimentWeek]


class MarketOverview(Document):
    """`GET /v1/markets`: the market, its best assets, and a page of all by market cap (`page`, `search`).

    `signal` is the regime: 1 bullish, -1 bearish, 0 undecided; it began on `signal_since`. `high_share`,
    `above_average`, `others_share` and the volatilities are per cent.
    """

    source: MarketSource
    signal: _Sign
    signal_since: StrictStr
    high_share: _Known
    above_average: _Known
    others_share: _Known
    fear_and_greed: _Known
    volatility: _Known
    volatility_low: _Known
    volatility_high: _Known
    total_cap: _Known
    history: list[MarketDay]
    mood: MarketMood | None
    gainers: list[CoinLine]
    losers: list[CoinLine]
    best: list[CoinLine]
    headlines: list[NewsLine]
    coins: list[CoinLine]
    count: Count
    page: Count
    pages: Count


class GradePart(Document):
    """A part of a grade: its weight among the parts of that grade, and its value; null where it is not known."""

    name: StrictStr
    weight: _Figure
    value: _Known


class PartedGrade(Document):
    """A grade and what it is the weighted mean of; parts that are not known count for nothing."""

    name: StrictStr
    value: _Known
    parts: list[GradePart]


class PricePoint(Document):
    """A close, and the trader grade of that day."""

    day: StrictStr
    close: _Known
    trader: _Known


class SignalDay(Document):
    """A day on which the signal changed, with the close."""

    day: StrictStr
    signal: _Sign
    close: _Known


class ReturnDay(Document):
    """What following the signals, and what holding, returned until a day."""

    day: StrictStr
    signals: _Known
    holding: _Known


class RelatedCoin(Document):
    """An asset that moves with another, or against it: Pearson's correlation of daily returns over 90 days."""

    id: StrictStr
    symbol: StrictStr
    name: StrictStr
    correlation: _Figure


class PriceLevel(Document):
    """A price where closes turned: `kind` is support or resistance."""

    price: _Figure
    kind: StrictStr
    touches: Count
    day: StrictStr


class PriceScenario(Document):
    """Prices if the whole market were `factor` times its size: a consequence of an assumption, no forecast."""

    factor: _Figure
    bear: _Figure
    base: _Figure
    moon: _Figure


class CoinMetrics(Document):
    """Risk by all daily returns; null with fewer than 30."""

    volatility: _Known
    sharpe: _Known
    sortino: _Known
    max_drawdown: _Known
    value_at_risk: _Known
    all_time_return: _Known


class LearnedPart(Document):
    """What moved an asset's learned score: a feature, and by how many points of the expected percentile."""

    name: StrictStr
    points: _Figure


class LearnedSignal(Document):
    """The signal of a trained model, beside the rule-based one: 1 for the highest fifth of `score`, -1 for the lowest.

    `score`: 0 to 100, the place among the assets of the day by the return that is expected over `horizon_days`.
    `walk_forward` and `cross_validation`: the model's mean rank correlation on days that it did not learn from;
    `skill`: whether both are above chance. All that it learned was known on `learned_until`.
    """

    signal: _Sign
    signal_since: StrictStr
    score: _Figure
    parts: list[LearnedPart]
    model: StrictStr
    horizon_days: Count
    learned_until: StrictStr
    skill: StrictBool
    walk_forward: _Known
    cross_validation: _Known


class WordedReport(Document):
    """What a model made of a report; no number in it is not in the report."""

    text: StrictStr
    model: StrictStr


class CoinFacts(Document):
    """`GET /v1/markets/assets/{id}`: all that the page of an asset shows. `range`: days of `prices`, 0 for all.

    `news`: the newest headlines that name the asset; `sentiment` counts older ones too.
    """

    source: MarketSource
    coin: CoinLine
    categories: list[StrictStr]
    volume: _Known
    verdict: StrictStr
    fundamental_class: StrictStr
    grades: list[PartedGrade]
    range: Count
    prices: list[PricePoint]
    signal_since: StrictStr
    trend: _Sign
    signal_returns: _Known
    holding_returns: _Known
    changes: list[SignalDay]
    returns: list[ReturnDay]
    related: list[RelatedCoin]
    levels: list[PriceLevel]
    scenarios: list[PriceScenario]
    metrics: CoinMetrics
    news: list[NewsLine]
    sentiment: CoinSentiment
    report: StrictStr
    worded: WordedReport | None
    learned: LearnedSignal | None


class ComparedCoin(Document):
    """An asset among others: its closes as multiples of the first day that all have."""

    coin: CoinLine
    technical: _Known
    quantitative: _Known
    fundamental: _Known
    valuation: _Known
    volatility: _Known
    sharpe: _Known
    max_drawdown: _Known
    growth: list[_Known]


class MarketComparison(Document):
    """`GET /v1/market-comparison?ids=...`: up to five assets beside each other, and the days of their growth."""

    source: MarketSource
    days: list[StrictStr]
    coins: list[ComparedCoin]
