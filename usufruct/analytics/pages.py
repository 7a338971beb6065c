"""The pages of the market, and the JSON that each is drawn from: `/markets`, `/markets/{id}`, a comparison.

Everything comes from the current snapshot; a page is drawn once for each, and kept until there is another.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from usufruct.analytics.api import MarketTables
from usufruct.analytics.coin_view import (
    MOST_COMPARED,
    RANGES,
    coin_facts,
    coin_series,
    comparison,
    find_column,
)
from usufruct.analytics.figures import MarketFigures
from usufruct.analytics.key_pages import KEYS
from usufruct.analytics.live import LivePriceFeed, LiveView
from usufruct.analytics.mapped_files import NoMarketData
from usufruct.analytics.market_view import market_overview
from usufruct.analytics.page_query import PageQuery
from usufruct.analytics.refusals import REFUSALS
from usufruct.analytics.snapshot import utc_moment
from usufruct.analytics.writing import Wording
from usufruct.web import Operation, Request, Route, document_response
from usufruct.web.ui import ECONOMY, NavigationLink, PageRoute, Pages
from usufruct_client.market_page_documents import CoinFacts, MarketComparison, MarketOverview
from usufruct_client.series_documents import DailySeries

PATH = "/markets"
COMPARISON = "/market-comparison"

_QUERY = PageQuery("assets", RANGES, MOST_COMPARED)
_HTML: Mapping[str, Any] = {"type": "string"}
_NO_DATA = {503: "nothing was computed yet"}
_OVERVIEW_PAGE = Operation("Show people the market.", _HTML, media_types=("text/html",))
_COIN_PAGE = Operation("Show people an asset of the market.", _HTML, media_types=("text/html",))
_COMPARISON_PAGE = Operation("Show people assets beside each other.", _HTML, media_types=("text/html",))
_OVERVIEW = Operation(
    "Return the market: regime, breadth, sentiment, gainers, and a page of its assets by market cap.",
    MarketOverview,
    asks={
        "search": "words of names, tickers or ids",
        "page": PageQuery.PAGE,
    },
    refuses=_NO_DATA,
)
_COIN = Operation(
    "Return an asset: grades with their parts, prices, signals, correlations, levels, scenarios, risk.",
    CoinFacts,
    asks={"range": _QUERY.range_parameter},
    refuses={404: "there is no such asset", **_NO_DATA},
)
_SERIES = Operation(
    "Return the closes of an asset, a point a day; at most 2,000 of them.",
    DailySeries,
    refuses={404: "no asset has this id", **_NO_DATA},
)
_COMPARISON = Operation(
    "Return up to five assets beside each other, with their growth over a year.",
    MarketComparison,
    asks={"ids": f"ids of assets, by commas; at most {MOST_COMPARED}"},
    refuses={404: "there is no such asset", **_NO_DATA},
)
_LONGEST_SEARCH = 60
OFFERED = 100
"""The largest assets are offered to choose from; any other can be named."""


class CurrentFigures:
    """The figures of the current snapshot; made again when it is replaced, or becomes stale."""

    def __init__(self, tables: MarketTables) -> None:
        """Read from what `/v2` is answered from."""
        self._tables = tables
        self._figures: MarketFigures | None = None

    def get(self) -> MarketFigures:
        """Return them; raises NoMarketData."""
        state, snapshot = self._tables.state(), self._tables.snapshot
        if self._figures is None or self._figures.state != state or self._figures.snapshot is not snapshot:
            self._figures = MarketFigures(snapshot, state)
        return self._figures


def market_pages(
    current: CurrentFigures, pages: Pages, feed: LivePriceFeed, wording: Wording | None = None
) -> list[Route]:
    """Return the routes of the pages and their JSON, with the live prices of `feed` and the reports of `wording`."""
    wording = wording or Wording()
    links = [NavigationLink(PATH, "Markets", ECONOMY, 5), NavigationLink(KEYS, "Market API", ECONOMY, 7)]
    pages.add_package("usufruct.analytics", links, REFUSALS)

    async def overview(request: Request) -> Response:
        try:
            figures = current.get()
        except NoMarketData:
            return pages.answer(request, "analytics/no_data.html")
        search, page = _search(request), _QUERY.page(request)
        live = LiveView(feed, synthetic=figures.state.synthetic)

        async def draw() -> Mapping[str, Any]:
            shown = market_overview(figures, search, page)
            prices = live.of([each.id for each in shown.coins])
            return {"market": shown, "live": prices, "search": search, "path_of": partial(_page_path, search), **_WORDS}

        shown, of = (figures.state, live.mark()), (search, page)
        return await pages.kept(request, "analytics/markets.html", shown, draw, of=of, fragment="found")

    async def coin(request: Request) -> Response:
        figures, name, days = current.get(), request.path_params["id"], _QUERY.range(request)
        find_column(figures, name)
        live = LiveView(feed, synthetic=figures.state.synthetic)

        async def draw() -> Mapping[str, Any]:
            facts, prices = coin_facts(figures, name, wording, days), live.of([name])
            return {"facts": facts, "live": prices if prices.prices else None, "ranges": RANGES, **_WORDS}

        shown = figures.state, live.mark(name), wording.version
        return await pages.kept(request, "analytics/coin.html", shown, draw, of=days, fragment="prices")

    async def compare(request: Request) -> Response:
        figures, names = current.get(), _QUERY.names(request)
        for each in names:
            find_column(figures, each)

        async def draw() -> Mapping[str, Any]:
            lines = [figures.line(column) for column in figures.ranked[:OFFERED]]
            return {"compared": comparison(figures, names), "everything": lines, "most": MOST_COMPARED, **_WORDS}

        return await pages.kept(request, "analytics/comparison.html", figures.state, draw, of=names)

    async def overview_document(request: Request) -> Response:
        return document_response(market_overview(current.get(), _search(request), _QUERY.page(request)))

    async def coin_document(request: Request) -> Response:
        return document_response(coin_facts(current.get(), request.path_params["id"], wording, _QUERY.range(request)))

    async def series_document(request: Request) -> Response:
        return document_response(coin_series(current.get(), request.path_params["id"]))

    async def comparison_document(request: Request) -> Response:
        return document_response(comparison(current.get(), _QUERY.names(request)))

    return [
        PageRoute("GET", PATH, overview, _OVERVIEW_PAGE),
        PageRoute("GET", f"{PATH}/{{id}}", coin, _COIN_PAGE),
        PageRoute("GET", COMPARISON, compare, _COMPARISON_PAGE),
        Route("GET", f"/v1{PATH}", overview_document, _OVERVIEW),
        Route("GET", f"/v1{PATH}/assets/{{id}}", coin_document, _COIN),
        Route("GET", f"/v1{PATH}/assets/{{id}}/prices", series_document, _SERIES),
        Route("GET", f"/v1{COMPARISON}", comparison_document, _COMPARISON),
    ]


_WORDS: Mapping[str, Any] = {"moment": utc_moment, "clock_time": partial(datetime.fromtimestamp, tz=UTC)}
"""What templates write days with."""


def _page_path(search: str, page: int) -> str:
    """Return the path of a page of the assets."""
    return f"{PATH}?{urlencode({'search': search, 'page': page})}#all"


def _search(request: Request) -> str:
    return " ".join(request.query_params.get("search", "")[:_LONGEST_SEARCH].casefold().split())
