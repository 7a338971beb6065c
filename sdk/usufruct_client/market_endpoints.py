"""The paths of `/v2` that list rows: each with what it takes and the documents it returns, for both clients.

A parameter that is absent or None does not filter. `start` and `end` are days, both included. `limit` is the most rows
in all; without it, all rows.
"""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Generic,
    Literal,
    ParamSpec,
    Protocol,
    TypedDict,
    TypeVar,
    Unpack,
    overload,
)

from usufruct_client import index_data_documents as index_documents
from usufruct_client import market_data_documents as documents
from usufruct_client import service_data_documents as service_documents
from usufruct_client.errors import Invalid

if TYPE_CHECKING:
    from usufruct_client.market_table import MarketTable
    from usufruct_client.markets import AsyncMarkets, Markets

Numbers = int | Iterable[int] | None
Words = str | Iterable[str] | None
Day = date | str | None
"""A day, as a date or as YYYY-MM-DD."""

Takes = ParamSpec("Takes")
Row = TypeVar("Row")

_NAMES: Final = {
    "start": "startDate",
    "end": "endDate",
    "market_cap": "marketcap",
    "trader_grade": "traderGrade",
    "trader_grade_change": "traderGradePercentChange",
    "investor_grade": "investorGrade",
    "kind": "type",
    "indices_type": "indicesType",
}
"""What the API calls a parameter, where its name is another."""


class Limited(TypedDict, total=False):
    """The most rows in all."""

    limit: int | None


class Days(Limited, total=False):
    """Days, both included."""

    start: Day
    end: Day


class Assets(Limited, total=False):
    """Assets by name; one value or several."""

    token_id: Numbers
    symbol: Words
    token_name: Words


class Filters(Limited, total=False):
    """Assets by what they are; `market_cap`, `fdv` and `volume` are the least."""

    token_id: Numbers
    symbol: Words
    category: Words
    exchange: Words
    market_cap: float | None
    fdv: float | None
    volume: float | None


class History(Assets, Days, total=False):
    """Assets by name, over days."""


class Listing(Assets, Filters, total=False):
    """Assets by anything."""

    blockchain_address: Words


class AnyAssets(Assets, Filters, total=False):
    """Assets by name, or by what they are."""


class Correlations(AnyAssets, total=False):
    """Assets, and the tickers that they are compared with; `base_symbol` is the same as `symbol`."""

    base_symbol: Words
    quote_symbol: Words


class FilteredDays(Filters, Days, total=False):
    """Assets by what they are, over days."""


class TraderGrades(FilteredDays, total=False):
    """The least grade, and its least change in a day in per cent."""

    trader_grade: float | None
    trader_grade_change: float | None


class InvestorGrades(FilteredDays, total=False):
    """The least grade."""

    investor_grade: float | None


class Signals(FilteredDays, total=False):
    """One signal."""

    signal: Literal[1, 0, -1] | None


class Moonshots(Limited, total=False):
    """Picks that last, or those that are over."""

    kind: Literal["active", "past"]


class Indices(Limited, total=False):
    """Indices that change with the market, or those that do not."""

    indices_type: Literal["active", "passive"]


class Index(Limited, total=False):
    """One index by its id or slug."""

    id: int | str


class IndexDays(Index, Days, total=False):
    """One index, over days."""


class IndexHistory(Days, total=False):
    """One index by its id or slug, over days."""

    index_id: int | str


class Service(Limited, total=False):
    """One service by its name; all without it."""

    service: str


class ServiceHistory(Days, total=False):
    """One service by its name, over days."""

    service: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The query of a request, and the most rows that are wanted of it; None: all."""

    query: Mapping[str, str]
    limit: int | None


class Fetching(Protocol):
    """A client."""

    def fetch(self, endpoint: "Endpoint[..., Any]", asked: Asked) -> Any:
        """Return the rows, or a coroutine of them."""


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[Takes, Row]):
    """A path, the document of its rows, and what its parameters become; an attribute of the clients, which is called.

    On `Markets` a call returns the rows, on `AsyncMarkets` a coroutine of them.
    """

    path: str
    row: type[Row]
    ask: Callable[Takes, Asked]

    @overload
    def __get__(self, client: "Markets", owner: type) -> "Callable[Takes, MarketTable[Row]]": ...
    @overload
    def __get__(
        self, client: "AsyncMarkets", owner: type
    ) -> "Callable[Takes, Coroutine[Any, Any, MarketTable[Row]]]": ...
    @overload
    def __get__(self, client: None, owner: type) -> "Endpoint[Takes, Row]": ...

    def __get__(self, client: Fetching | None, owner: type) -> Any:
        """Return what asks for the rows by `client`, or the endpoint itself on the class."""
        if client is None:
            return self
        fetch = client.fetch

        def call(*args: Takes.args, **asked: Takes.kwargs) -> Any:
            return fetch(self, self.ask(*args, **asked))

        return call


def _limited(**given: Unpack[Limited]) -> Asked:
    return _asked(Limited, given)


def _days(**given: Unpack[Days]) -> Asked:
    return _asked(Days, given)


def _assets(**given: Unpack[Assets]) -> Asked:
    return _asked(Assets, given)


def _correlations(**given: Unpack[Correlations]) -> Asked:
    return _asked(Correlations, given)


def _history(**given: Unpack[History]) -> Asked:
    return _asked(History, given)


def _listing(**given: Unpack[Listing]) -> Asked:
    return _asked(Listing, given)


def _filtered_days(**given: Unpack[FilteredDays]) -> Asked:
    return _asked(FilteredDays, given)


def _trader_grades(**given: Unpack[TraderGrades]) -> Asked:
    return _asked(TraderGrades, given)


def _investor_grades(**given: Unpack[InvestorGrades]) -> Asked:
    return _asked(InvestorGrades, given)


def _signals(**given: Unpack[Signals]) -> Asked:
    return _asked(Signals, given)


def _moonshots(**given: Unpack[Moonshots]) -> Asked:
    return _asked(Moonshots, given)


def _indices(**given: Unpack[Indices]) -> Asked:
    return _asked(Indices, given)


def _index(**given: Unpack[Index]) -> Asked:
    return _asked(Index, given)


def _index_days(**given: Unpack[IndexDays]) -> Asked:
    return _asked(IndexDays, given)


def _index_history(**given: Unpack[IndexHistory]) -> Asked:
    return _asked(IndexHistory, given)


def _services(**given: Unpack[Service]) -> Asked:
    return _asked(Service, given)


def _service_history(**given: Unpack[ServiceHistory]) -> Asked:
    return _asked(ServiceHistory, given)


def _asked(kind: type, given: Mapping[str, Any]) -> Asked:
    """Write parameters as the API reads them.

    Raises:
        Invalid: for a parameter that the path does not take, or a limit that is not a positive whole number.
    """
    known = kind.__annotations__
    if unknown := sorted(given.keys() - known.keys()):
        raise Invalid(f"{unknown[0]} is not a parameter here; there are {', '.join(sorted(known))}", field=unknown[0])
    limit = given.get("limit")
    if limit is not None and not (type(limit) is int and limit > 0):
        raise Invalid(f"limit must be a whole number of rows, 1 or more, not {limit!r}", field="limit")
    query = {
        _NAMES.get(name, name): _text(value) for name, value in given.items() if name != "limit" and value is not None
    }
    return Asked(query, limit)


def _text(value: object) -> str:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ",".join(map(str, value))
    return str(value)


class IndexEndpoints:
    """The paths of `/v2` about indices; older names of the same are left out."""

    indices = Endpoint("/indices", index_documents.ListedIndex, _indices)
    indices_holdings = Endpoint("/indices-holdings", index_documents.IndexConstituent, _index)
    indices_performance = Endpoint("/indices-performance", index_documents.IndexDay, _index_days)
    indices_transaction = Endpoint("/indices-transaction", index_documents.IndexTrade, _index_history)
    investor_indices = Endpoint("/investor-indices", index_documents.IndexPortfolioPart, _index_history)


class ServiceEndpoints:
    """The paths of `/v2` about the services of an installation."""

    services = Endpoint("/services", service_documents.ServiceFigures, _services)
    services_history = Endpoint("/services-history", service_documents.ServiceDay, _service_history)


class MarketEndpoints(IndexEndpoints, ServiceEndpoints):
    """Every path of `/v2` that lists rows, as an attribute that is called: `markets.price(symbol="BTC")`."""

    tokens = Endpoint("/tokens", documents.ListedAsset, _listing)
    top_market_cap_tokens = Endpoint("/top-market-cap-tokens", documents.ListedAsset, _limited)
    price = Endpoint("/price", documents.AssetPrice, _assets)
    daily_ohlcv = Endpoint("/daily-ohlcv", documents.Bar, _history)
    hourly_ohlcv = Endpoint("/hourly-ohlcv", documents.Bar, _history)
    trader_grades = Endpoint("/trader-grades", documents.TraderGrade, _trader_grades)
    investor_grades = Endpoint("/investor-grades", documents.InvestorGrade, _investor_grades)
    tm_grade = Endpoint("/tm-grade", documents.OverallGrade, _assets)
    tm_grade_history = Endpoint("/tm-grade-history", documents.OverallGrade, _history)
    fundamental_grade = Endpoint("/fundamental-grade", documents.FundamentalGrade, _assets)
    fundamental_grade_history = Endpoint("/fundamental-grade-history", documents.FundamentalGrade, _history)
    technology_grade = Endpoint("/technology-grade", documents.TechnologyGrade, _assets)
    technology_grade_history = Endpoint("/technology-grade-history", documents.TechnologyGrade, _history)
    trading_signals = Endpoint("/trading-signals", documents.TradingSignal, _signals)
    learned_signals = Endpoint("/learned-signals", documents.LearnedSignalDay, _signals)
    hourly_trading_signals = Endpoint("/hourly-trading-signals", documents.HourlySignal, _history)
    quantmetrics = Endpoint("/quantmetrics", documents.QuantFigures, _filtered_days)
    correlation = Endpoint("/correlation", documents.Correlation, _correlations)
    resistance_support = Endpoint("/resistance-support", documents.PriceLevels, _assets)
    scenario_analysis = Endpoint("/scenario-analysis", documents.Scenarios, _assets)
    price_prediction = Endpoint("/price-prediction", documents.PricePrediction, _assets)
    ai_reports = Endpoint("/ai-reports", documents.AssetReport, _assets)
    moonshot_tokens = Endpoint("/moonshot-tokens", documents.MoonshotPick, _moonshots)
    market_metrics = Endpoint("/market-metrics", documents.MarketMetric, _days)
    sentiments = Endpoint("/sentiments", documents.Sentiment, _days)
    trader_indices = Endpoint("/trader-indices", documents.IndexHolding, _days)
    crypto_investors = Endpoint("/crypto-investors", documents.CryptoInvestor, _limited)
