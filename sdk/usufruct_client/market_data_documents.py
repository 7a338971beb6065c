"""The JSON documents of `/v2`: the envelope, a row of each path, and keys. Their members are in upper case.

Prices and market caps are in US dollars, grades are 0 to 100, returns of signals are parts (0.1 is ten per cent),
percentage changes are per cent. What is not known is None. Times are UTC; a bar's time is its start.
"""

import datetime as dates
from dataclasses import field
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import AwareDatetime, ConfigDict, Field, StrictBool, StrictStr

from usufruct_client.wire_types import Count, Document, Number, NumberText, Plain

_Known = Number | None
_Text = StrictStr | None
_Sign = Annotated[int, Field(strict=True, ge=-1, le=1)]

RowKind = TypeVar("RowKind")


class Answer(Plain, Generic[RowKind]):
    """What `/v2` answers, errors apart: rows, and a message to people."""

    success: StrictBool
    message: StrictStr
    length: Count
    data: list[RowKind]


class MarketAnswer(Answer[RowKind], Generic[RowKind]):
    """A page of rows, and what they are made of.

    `as_of`: the start of the last bar. `stale`: newer prices should be there. `synthetic`: the prices are simulated.
    `version` differs wherever anything in the data does. `next_cursor`: of the next page, None on the last.
    `attribution`: what the licences of the sources want shown with the data.
    """

    as_of: AwareDatetime
    stale: StrictBool
    synthetic: StrictBool
    source: StrictStr
    version: StrictStr
    next_cursor: StrictStr | None = None
    attribution: list[StrictStr] = field(default_factory=list)


class AskedAnswer(Plain):
    """The answer to a question: `POST /v2/tmai`. `written_by` in `data`: the model, empty for fixed sentences.

    `attribution`: what the licences of the sources want shown with the data.
    """

    success: StrictBool
    message: StrictStr
    answer: StrictStr
    data: dict[str, str]
    attribution: list[StrictStr] = field(default_factory=list)


class Row(Document):
    """A row; its members travel in upper case."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(alias_generator=str.upper, extra="ignore")


class AssetRow(Row):
    """A row about an asset; several assets may have one ticker, `token_id` never changes."""

    token_id: Count
    token_name: StrictStr
    token_symbol: StrictStr


class ListedAsset(AssetRow):
    """`/tokens`, `/top-market-cap-tokens`: an asset. `slug` is its id in pages and commands, `tm_link` its page.

    `exchange_list`: the exchanges whose prices the server has; empty where prices come from elsewhere.
    """

    slug: StrictStr
    exchange_list: list[StrictStr]
    category_list: list[StrictStr]
    tm_link: StrictStr


class AssetPrice(AssetRow):
    """`/price`: the newest price, and when the bar began whose close it is; an old one tells of a silent source."""

    current_price: Number
    date: AwareDatetime | None = None


class Bar(AssetRow):
    """`/daily-ohlcv`, `/hourly-ohlcv`: a bar; volume in US dollars."""

    date: AwareDatetime
    timestamp: AwareDatetime
    open: _Known
    high: _Known
    low: _Known
    close: _Known
    volume: _Known


class TraderGrade(AssetRow):
    """`/trader-grades`: technical and quantitative, and the change since the day before in per cent."""

    date: AwareDatetime
    ta_grade: _Known
    quant_grade: _Known
    tm_trader_grade: _Known
    tm_trader_grade_24h_pct_change: _Known


class InvestorGrade(AssetRow):
    """`/investor-grades`; scores that need facts of projects are None without them."""

    date: AwareDatetime
    tm_investor_grade: _Known
    tm_investor_grade_7d_pct_change: _Known
    fundamental_grade: _Known
    technology_grade: _Known
    valuation_grade: _Known
    community_score: _Known
    exchange_score: _Known
    tokenomics_score: _Known
    defi_scanner_score: _Known
    activity_score: _Known
    security_score: _Known
    repository_score: _Known
    collaboration_score: _Known
    defi_usage_score: _Known
    vc_score: _Known


class OverallGrade(AssetRow):
    """`/tm-grade`, `/tm-grade-history`: the overall grade; `tm_grade_signal` says it in a word."""

    date: AwareDatetime
    tm_grade: _Known
    tm_grade_signal: StrictStr
    tm_grade_24h_pct_change: Annotated[_Known, Field(alias="TM_GRADE_24h_PCT_CHANGE")]
    tm_trader_grade_24h_change: _Known
    quant_grade: _Known
    fundamental_grade: _Known
    fundamental_grade_class: _Text
    momentum: _Known


class FundamentalGrade(AssetRow):
    """`/fundamental-grade`, `/fundamental-grade-history`."""

    date: AwareDatetime
    fundamental_grade: _Known
    fundamental_grade_class: _Text


class TechnologyGrade(AssetRow):
    """`/technology-grade`, `/technology-grade-history`; there are none without facts of projects."""

    date: AwareDatetime
    technology_grade: _Known
    activity_score: _Known
    security_score: _Known
    repository_score: _Known
    collaboration_score: _Known
    defi_scanner_score: _Known


class TradingSignal(AssetRow):
    """`/trading-signals`: 1 buy, -1 sell, 0 none; and the returns of following them, and of holding."""

    date: AwareDatetime
    trading_signal: _Sign
    token_trend: _Sign
    trading_signals_returns: _Known
    holding_returns: _Known
    tm_trader_grade: _Known
    tm_investor_grade: _Known
    tm_link: StrictStr


class LearnedSignalDay(AssetRow):
    """`/learned-signals`: what a trained model says of a day.

    `score` is the place among the assets of the day, 0 to 100, by the return that the model expects of the next
    `horizon_days`; `signal` is 1 in the highest fifth, -1 in the lowest, 0 between. `model` is its id.
    """

    date: AwareDatetime
    signal: _Sign
    score: _Known
    model: _Text
    horizon_days: Count | None


class HourlySignal(AssetRow):
    """`/hourly-trading-signals`. `position`: 1 opens, -1 closes, 0 leaves."""

    timestamp: AwareDatetime
    close: _Known
    signal: _Sign
    position: _Sign


class QuantFigures(AssetRow):
    """`/quantmetrics`: from all daily returns that are known."""

    date: AwareDatetime
    volatility: _Known
    all_time_return: _Known
    cagr: _Known
    sharpe: _Known
    sortino: _Known
    max_drawdown: _Known
    skew: _Known
    tail_ratio: _Known
    risk_reward_ratio: _Known
    profit_factor: _Known
    kurtosis: _Known
    daily_value_at_risk: _Known
    daily_return_avg: _Known
    daily_return_std: _Known


class CorrelatedAsset(Plain):
    """An asset that moves with another, or against it."""

    token: StrictStr
    symbol: StrictStr
    token_id: Count
    correlation: Number


class Correlation(AssetRow):
    """`/correlation`: what an asset moves with most, and least."""

    date: AwareDatetime
    top_correlation: list[CorrelatedAsset]


class PriceLevel(Plain):
    """A price where an asset turned before; `type`: support or resistance."""

    date: dates.date
    level: Number
    touches: Count
    type: StrictStr


class PriceLevels(AssetRow):
    """`/resistance-support`."""

    date: AwareDatetime
    historical_resistance_support_levels: list[PriceLevel]


class MarketScenario(Plain):
    """What a price would be if the whole market were `scenario` times its size."""

    category_name: StrictStr
    scenario: Number
    total_mcap_scenario: Number
    predicted_price_bear: Number
    predicted_price_base: Number
    predicted_price_moon: Number


class Scenarios(AssetRow):
    """`/scenario-analysis`: consequences of assumptions, not forecasts."""

    date: AwareDatetime
    scenario_analysis: list[MarketScenario]


class PredictedCase(Plain):
    """A scenario with what it would make of price, return and market cap."""

    scenario: Number
    total_mcap_scenario: Number
    predicted_price_bear: Number
    predicted_roi_bear: Number
    predicted_mcap_bear: _Known
    predicted_fdv_bear: _Known
    predicted_price_base: Number
    predicted_roi_base: Number
    predicted_mcap_base: _Known
    predicted_fdv_base: _Known
    predicted_price_moon: Number
    predicted_roi_moon: Number
    predicted_mcap_moon: _Known
    predicted_fdv_moon: _Known


class Prediction(Plain):
    """The scenarios of an asset; `predicted_date` is what they would be reached by."""

    token_mcap: _Known
    total_mcap: _Known
    category_name: StrictStr
    current_price: Number
    predicted_date: AwareDatetime
    similar_tokens_info: list[dict[str, str]]
    avg_past_performance: _Known
    self_past_performance: _Known
    price_prediction: list[PredictedCase]


class PricePrediction(AssetRow):
    """`/price-prediction`: the scenarios again; no one knows prices."""

    date: AwareDatetime
    price_prediction: Prediction


class AssetReport(AssetRow):
    """`/ai-reports`: texts that are written from the numbers; `worded_report` by the model `worded_by`, if by one."""

    investment_analysis_pointer: StrictStr
    investment_analysis: StrictStr
    deep_dive: StrictStr
    code_review: StrictStr
    trader_report: StrictStr
    fundamental_report: StrictStr
    technology_report: StrictStr
    worded_report: _Text = None
    worded_by: _Text = None


class MoonshotPick(AssetRow):
    """`/moonshot-tokens`: a pick and what came of it, in per cent; what the asset is now travels as text."""

    moonshot_at: AwareDatetime
    moonshot_end_at: AwareDatetime | None
    moonshot_roi: _Known
    moonshot_best_roi: _Known
    last_trading_signal_time: AwareDatetime | None
    tm_trader_grade: NumberText | None
    tm_trader_grade_24h_pct_change: NumberText | None
    price_change_percentage_7d_in_currency: NumberText | None
    market_cap: NumberText | None
    volume_24h: NumberText | None


class MarketMetric(Row):
    """`/market-metrics`: the whole market on a day. BTC is the asset that leads by market cap."""

    date: AwareDatetime
    total_crypto_mcap: _Known
    alts_market_cap: _Known
    btc_price: _Known
    btc_market_cap: _Known
    tm_grade_signal: _Sign
    last_tm_grade_signal: _Sign
    tm_grade_perc_high_coins: _Known
    vol_index: _Known
    vol_10: _Known
    vol_90: _Known
    alts_indicator: _Known
    above_ma: _Known
    fear_and_greed_value: _Known
    rect_signal: _Sign


class Sentiment(Row):
    """`/sentiments`: an hour; kinds of sources without a text in it are None."""

    datetime: AwareDatetime
    market_sentiment_grade: _Known
    market_sentiment_label: _Text
    news_sentiment_grade: _Known
    news_sentiment_label: _Text
    news_summary: _Text
    reddit_sentiment_grade: _Known
    reddit_sentiment_label: _Text
    reddit_summary: _Text
    twitter_sentiment_grade: _Known
    twitter_sentiment_label: _Text
    twitter_summary: _Text


class IndexHolding(AssetRow):
    """`/trader-indices`: what the trader index holds at the end of a day; the weight in per cent."""

    portfolio_date: AwareDatetime
    index_weight: Number
    amount_of_tokens: Number
    initial_price: Number


class CryptoInvestor(Row):
    """`/crypto-investors`: no installation has a source of them yet, so no row was ever sent."""


class MarketKey(Row):
    """`/v2/keys/current`: a key, its limits, and its calls in this month (UTC)."""

    id: StrictStr
    label: StrictStr
    created_at: AwareDatetime
    account: _Text
    level: Count
    calls_per_month: Count
    calls_per_minute: Count
    calls_this_month: Count


class NewMarketKey(MarketKey):
    """`POST /v2/keys`: a new key; its text, `key`, is shown this once."""

    key: StrictStr = field(repr=False, kw_only=True)
