"""The JSON documents of bulletins: the briefing of a day, and the guide to an index of a month.

Prices and market caps are in US dollars; changes, weights, volatilities and drawdowns are parts (0.1 is ten per cent);
grades are 0 to 100. What is not known is null. Days are YYYY-MM-DD, months YYYY-MM, UTC.
"""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr

from usufruct_client.wire_types import Count, Document, Seconds

_Figure = Annotated[float, Field(allow_inf_nan=False)]
_Known = _Figure | None
_Sign = Annotated[int, Field(strict=True, ge=-1, le=1)]
_Regime = Literal["bullish", "bearish"] | None


class BulletinSource(Document):
    """What the figures are made of; `digest`: of all prices until the day, by `docs/protocol/ratings.md`.

    `attribution`: what the licences of the sources want shown with the data; bulletins of earlier versions have none.
    """

    name: StrictStr
    synthetic: StrictBool
    digest: StrictStr
    attribution: list[StrictStr] = field(default_factory=list)


class BriefedAsset(Document):
    """An asset of the market."""

    id: StrictStr
    symbol: StrictStr
    name: StrictStr


class BriefedMarket(Document):
    """The market at the end of the day, and at the end of the day before.

    `signal`: 1 bullish, -1 bearish, 0 undecided, since `signal_since`. Shares, indicators and volatilities are per
    cent, as `/v1/markets` has them.
    """

    signal: _Sign
    signal_before: _Sign
    signal_since: StrictStr
    high_share: _Known
    high_share_before: _Known
    above_average: _Known
    others_share: _Known
    fear_and_greed: _Known
    fear_and_greed_before: _Known
    volatility: _Known
    volatility_low: _Known
    volatility_high: _Known
    total_cap: _Known
    total_cap_change: _Known


class BriefedIndex(Document):
    """An index at the end of the day: its value after costs, and whether it traded on the day."""

    id: StrictStr
    title: StrictStr
    value: _Figure
    day_change: _Known
    week_change: _Known
    month_change: _Known
    regime: _Regime
    regime_before: _Regime
    traded: StrictBool


class BriefedMove(BriefedAsset):
    """An asset with its price, and the change from close to close."""

    price: _Figure
    change: _Figure


class BriefedGrade(BriefedAsset):
    """An asset whose overall grade moved."""

    before: _Figure
    after: _Figure


class BriefedSignal(BriefedAsset):
    """An asset whose signal changed: 1 bullish, -1 bearish, 0 none."""

    before: _Sign
    after: _Sign


class BriefedMood(Document):
    """Sentiment of the day, the mean of its `hours`: of all, and of each kind of source that wrote in it."""

    hours: Count
    grade: _Known
    news: _Known
    reddit: _Known
    twitter: _Known


class BriefedNews(Document):
    """A headline that was learnt on the day: others wrote it. `assets`: tickers of those that it names."""

    title: StrictStr
    source: StrictStr
    link: StrictStr
    published_at: StrictStr
    assets: list[StrictStr]


class BriefedPeg(BriefedAsset):
    """A stablecoin off its peg; `began`: it kept the peg at the end of the day before."""

    price: _Figure
    began: StrictBool


class MissingFigures(Document):
    """An index that has no value on the day, and why."""

    id: StrictStr
    reason: StrictStr


class SilentSource(Document):
    """A source of news that brought nothing for days; `since`: the last day on which it did."""

    name: StrictStr
    since: StrictStr


class BriefedGaps(Document):
    """What is not known: assets whose price stopped on this day, the largest first; days without any price."""

    unpriced: list[BriefedAsset]
    unpriced_count: Count
    days_without_prices: list[StrictStr]
    indices: list[MissingFigures]
    silent_sources: list[SilentSource]


class MarketBriefing(Document):
    """The briefing of a day. The lists hold the first few; the counts beside them count all.

    `input_hash`: SHA-256 of the figures' digest, the indices and the news that it was written from. Gainers, losers and
    grades are of the 100 largest assets, without stablecoins and wrapped ones.
    """

    day: StrictStr
    source: BulletinSource
    input_hash: StrictStr
    market: BriefedMarket
    indices: list[BriefedIndex]
    gainers: list[BriefedMove]
    losers: list[BriefedMove]
    grades: list[BriefedGrade]
    grade_count: Count
    signals: list[BriefedSignal]
    signal_count: Count
    mood: BriefedMood | None
    news: list[BriefedNews]
    news_count: Count
    off_peg: list[BriefedPeg]
    gaps: BriefedGaps


class KeptBriefing(Document):
    """`GET /v1/markets/briefings/{day}`: a briefing, when it was written, and whether that was late."""

    briefing: MarketBriefing
    written_at: Seconds
    late: StrictBool


class BriefingLine(Document):
    """A briefing in a list."""

    day: StrictStr
    signal: _Sign
    total_cap_change: _Known
    synthetic: StrictBool
    input_hash: StrictStr
    written_at: Seconds


class BriefingList(Document):
    """`GET /v1/markets/briefings`: a page of the briefings, the newest first.

    `stale`: a newer one should be there.
    """

    briefings: list[BriefingLine]
    count: Count
    page: Count
    pages: Count
    stale: StrictBool


class GuideGrades(Document):
    """The grades of an asset on the guide's day with the parts that they are made of."""

    overall: _Known
    trader: _Known
    technical: _Known
    quantitative: _Known
    investor: _Known
    fundamental: _Known
    technology: _Known
    valuation: _Known


class GuideAsset(BriefedAsset):
    """An asset of the index after its rebalance.

    `rank` and `market_cap`: when the index decided; ranked are the assets whose category the rules allow. `reason`: of
    the rules, for its last trade. `change`: of the price since the guide before; `overall_before`: the grade then.
    `volatility` and `max_drawdown` are of the year before the day.
    """

    rank: Count
    market_cap: _Known
    price: _Known
    weight: _Figure
    weight_before: _Figure
    reason: StrictStr
    change: _Known
    signal: _Sign
    grades: GuideGrades
    overall_before: _Known
    volatility: _Known
    max_drawdown: _Known


class GuideLeaver(BriefedAsset):
    """An asset that left the index at the rebalance, and why."""

    weight_before: _Figure
    reason: StrictStr


class GuideRisks(Document):
    """Measures of the index over the year before the day.

    `below_high`: how far it is under its highest value now. `concentration`: the sum of the squares of all weights;
    `equal_assets`: how many assets of equal weight would be as concentrated.
    """

    volatility: _Known
    max_drawdown: _Known
    below_high: _Known
    concentration: _Figure
    equal_assets: _Figure
    largest: _Figure
    largest_three: _Figure


class GuideRules(Document):
    """Which assets are in: `count` at most, new ones from rank `enters_at` on, members down to rank `stays_to`."""

    count: Count
    enters_at: _Figure
    stays_to: _Figure
    largest_at_most: _Known
    each_at_most: _Figure


class IndexGuide(Document):
    """The guide to an index for a month, from its first rebalance of the month.

    `day`: of that rebalance, decided at the close of `decided`. `before`: the day of the rebalance of the guide before,
    null for the first. `turnover` and `cost` are parts of the value; `index_change` is since `before`, after costs.
    """

    index: StrictStr
    title: StrictStr
    month: StrictStr
    day: StrictStr
    decided: StrictStr
    before: StrictStr | None
    source: BulletinSource
    input_hash: StrictStr
    rulebook_hash: StrictStr
    rules: GuideRules
    value: _Figure
    index_change: _Known
    eligible: Count
    turnover: _Figure
    cost: _Figure
    cash: _Figure
    assets: list[GuideAsset]
    left: list[GuideLeaver]
    risks: GuideRisks


class KeptGuide(Document):
    """`GET /v1/markets/guides/top-10/{month}`: a guide, when it was written, and all months, the newest first."""

    guide: IndexGuide
    written_at: Seconds
    months: list[StrictStr]
