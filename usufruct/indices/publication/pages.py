"""The pages of indices, and the JSON that each is drawn from: all, one, its rebalances, and several side by side.

Everything comes from what the worker published last; a page is drawn once for each, and kept until there is another.
"""

from collections.abc import Mapping
from functools import partial
from math import ceil
from typing import Any, Final

from starlette.responses import Response

from usufruct.analytics import InvalidParameter, NoMarketData, PageQuery, utc_moment
from usufruct.indices.publication.api import CurrentIndices
from usufruct.indices.publication.comparison import FEWEST_COMPARED, MOST_COMPARED, RANGES, compare_indices
from usufruct.indices.publication.model import PublishedIndex
from usufruct.indices.publication.page_view import (
    index_facts,
    index_list,
    index_rebalances,
    index_restatements,
    index_series,
    rebalance_facts,
)
from usufruct.indices.publication.position_pages import position_pages
from usufruct.indices.publication.record_route import record_route
from usufruct.indices.publication.refusals import REFUSALS
from usufruct.web import Operation, Parameter, Request, Route, document_response
from usufruct.web.ui import ECONOMY, NavigationLink, PageRoute, Pages
from usufruct_client.index_page_documents import (
    IndexComparison,
    IndexFacts,
    IndexList,
    IndexRebalanceFacts,
    IndexRebalances,
    IndexRestatements,
)
from usufruct_client.series_documents import DailySeries

PATH: Final = "/indices"
COMPARISON: Final = "/index-comparison"
PAGE_HOLDINGS: Final = 10
MOST_MOVES: Final = 150
"""On the page of a rebalance; its JSON has all."""
OPEN_MOVES: Final = 20
"""Of those, how many are shown without a tap: on a phone each takes a quarter of the window."""

_HTML: Final[Mapping[str, Any]] = {"type": "string"}
_NO_DATA: Final = {503: "nothing was computed yet"}
_NO_INDEX: Final = {404: "there is no such index", **_NO_DATA}
_QUERY: Final = PageQuery("indices", RANGES, MOST_COMPARED)
_LIST_PAGE = Operation("Show people the indices.", _HTML, media_types=("text/html",))
_INDEX_PAGE = Operation("Show people an index.", _HTML, media_types=("text/html",))
_REBALANCES_PAGE = Operation("Show people the rebalances of an index.", _HTML, media_types=("text/html",))
_REBALANCE_PAGE = Operation("Show people a rebalance with its trades.", _HTML, media_types=("text/html",))
_LIST = Operation(
    "Return the indices with their changes, and those that could not be computed.", IndexList, refuses=_NO_DATA
)
_INDEX = Operation(
    "Return an index: chart, holdings, newest rebalances, rules, costs, and both bounds of delistings.",
    IndexFacts,
    refuses=_NO_INDEX,
)
_VALUES = Operation(
    "Return the values of an index and of its benchmark, a point a day; at most 2,000 of them.",
    DailySeries,
    refuses=_NO_INDEX,
)
_REBALANCES = Operation(
    "Return a page of an index's rebalances, the newest first.",
    IndexRebalances,
    asks={"page": PageQuery.PAGE},
    refuses=_NO_INDEX,
)
_RESTATEMENTS_PAGE = Operation("Show people the corrected days of an index.", _HTML, media_types=("text/html",))
_RESTATEMENTS = Operation(
    "Return a page of the days of an index that were published again: old and new values, and why.",
    IndexRestatements,
    asks={"page": PageQuery.PAGE},
    refuses=_NO_INDEX,
)
_REBALANCE = Operation(
    "Return the rebalance of a day with all its moves and their reasons.", IndexRebalanceFacts, refuses=_NO_INDEX
)
_COMPARISON_PAGE = Operation("Show people indices beside each other.", _HTML, media_types=("text/html",))
_COMPARISON = Operation(
    "Return two to five indices beside each other, over days that all have.",
    IndexComparison,
    asks={
        "ids": Parameter(f"ids of indices, by commas; {FEWEST_COMPARED} to {MOST_COMPARED}", required=True),
        "range": _QUERY.range_parameter,
    },
    refuses=_NO_INDEX,
)
_WORDS: Final[Mapping[str, Any]] = {"moment": utc_moment}
"""What templates write days with."""


def index_pages(current: CurrentIndices, pages: Pages) -> list[Route]:
    """Return the routes of the pages and their JSON."""
    pages.add_package("usufruct.indices", [NavigationLink(PATH, "Indices", ECONOMY, 6)], REFUSALS)

    async def overview(request: Request) -> Response:
        try:
            state = current.state()
        except NoMarketData:
            return pages.answer(request, "indices/no_indices.html")

        async def draw() -> Mapping[str, Any]:
            return {"found": index_list(current.tables, state), **_WORDS}

        return await pages.kept(request, "indices/indices.html", state, draw)

    async def index(request: Request) -> Response:
        state, chosen, page = current.state(), current.tables.find(request.path_params["id"]), _QUERY.page(request)

        async def draw() -> Mapping[str, Any]:
            facts = index_facts(chosen, state)
            count = max(1, ceil(len(facts.holdings) / PAGE_HOLDINGS))
            shown = min(page, count)
            return {
                "facts": facts,
                "held": facts.holdings[(shown - 1) * PAGE_HOLDINGS : shown * PAGE_HOLDINGS],
                "page": shown,
                "pages": count,
                "path_of": partial(_holdings_path, chosen.rulebook.name),
                **_WORDS,
            }

        return await pages.kept(request, "indices/index.html", state, draw, of=page)

    async def rebalances(request: Request) -> Response:
        state, chosen, page = current.state(), current.tables.find(request.path_params["id"]), _QUERY.page(request)

        async def draw() -> Mapping[str, Any]:
            path_of = partial(_rebalances_path, chosen.rulebook.name)
            return {"found": index_rebalances(chosen, state, page), "path_of": path_of, **_WORDS}

        return await pages.kept(request, "indices/rebalances.html", state, draw, of=page)

    async def restatements(request: Request) -> Response:
        state, chosen, page = current.state(), current.tables.find(request.path_params["id"]), _QUERY.page(request)

        async def draw() -> Mapping[str, Any]:
            path_of = partial(_restatements_path, chosen.rulebook.name)
            return {"found": index_restatements(chosen, state, page), "path_of": path_of, **_WORDS}

        return await pages.kept(request, "indices/restatements.html", state, draw, of=page)

    async def rebalance(request: Request) -> Response:
        state, chosen = current.state(), current.tables.find(request.path_params["id"])
        facts = rebalance_facts(chosen, state, request.path_params["day"])

        async def draw() -> Mapping[str, Any]:
            return {"facts": facts, "moves": facts.moves[:MOST_MOVES], "open_moves": OPEN_MOVES, **_WORDS}

        return await pages.kept(request, "indices/rebalance.html", state, draw)

    async def compare(request: Request) -> Response:
        state, chosen, days = current.state(), _chosen(current, request), _QUERY.range(request)

        async def draw() -> Mapping[str, Any]:
            return {
                "compared": compare_indices(chosen, state, days) if len(chosen) >= FEWEST_COMPARED else None,
                "all": index_list(current.tables, state),
                "chosen": [each.rulebook.name for each in chosen],
                "days": days,
                "ranges": RANGES,
                "most": MOST_COMPARED,
                **_WORDS,
            }

        return await pages.kept(
            request, "indices/comparison.html", state, draw, of=(days, *(each.number for each in chosen))
        )

    async def list_document(_: Request) -> Response:
        return document_response(index_list(current.tables, current.state()))

    async def index_document(request: Request) -> Response:
        return document_response(index_facts(current.tables.find(request.path_params["id"]), current.state()))

    async def values_document(request: Request) -> Response:
        return document_response(index_series(current.tables.find(request.path_params["id"])))

    async def rebalances_document(request: Request) -> Response:
        chosen = current.tables.find(request.path_params["id"])
        return document_response(index_rebalances(chosen, current.state(), _QUERY.page(request)))

    async def restatements_document(request: Request) -> Response:
        chosen = current.tables.find(request.path_params["id"])
        return document_response(index_restatements(chosen, current.state(), _QUERY.page(request)))

    async def rebalance_document(request: Request) -> Response:
        chosen = current.tables.find(request.path_params["id"])
        return document_response(rebalance_facts(chosen, current.state(), request.path_params["day"]))

    async def comparison_document(request: Request) -> Response:
        state, chosen = current.state(), _chosen(current, request)
        if len(chosen) < FEWEST_COMPARED:
            raise InvalidParameter(
                f"`ids` names {len(chosen)} indices; name {FEWEST_COMPARED} to {MOST_COMPARED} of /v1/indices",
                field="ids",
            )
        return document_response(compare_indices(chosen, state, _QUERY.range(request)))

    one, all_rebalances, restated = f"{PATH}/{{id}}", f"{PATH}/{{id}}/rebalances", f"{PATH}/{{id}}/restatements"
    return [
        PageRoute("GET", PATH, overview, _LIST_PAGE),
        PageRoute("GET", one, index, _INDEX_PAGE),
        PageRoute("GET", all_rebalances, rebalances, _REBALANCES_PAGE),
        PageRoute("GET", f"{all_rebalances}/{{day}}", rebalance, _REBALANCE_PAGE),
        PageRoute("GET", restated, restatements, _RESTATEMENTS_PAGE),
        PageRoute("GET", COMPARISON, compare, _COMPARISON_PAGE),
        Route("GET", f"/v1{PATH}", list_document, _LIST),
        Route("GET", f"/v1{one}", index_document, _INDEX),
        Route("GET", f"/v1{one}/values", values_document, _VALUES),
        Route("GET", f"/v1{all_rebalances}", rebalances_document, _REBALANCES),
        Route("GET", f"/v1{all_rebalances}/{{day}}", rebalance_document, _REBALANCE),
        Route("GET", f"/v1{restated}", restatements_document, _RESTATEMENTS),
        Route("GET", f"/v1{COMPARISON}", comparison_document, _COMPARISON),
        record_route(current),
        *position_pages(current, pages),
    ]


def _holdings_path(name: str, page: int) -> str:
    return f"{PATH}/{name}?page={page}#holdings"


def _rebalances_path(name: str, page: int) -> str:
    return f"{PATH}/{name}/rebalances?page={page}"


def _restatements_path(name: str, page: int) -> str:
    return f"{PATH}/{name}/restatements?page={page}"


def _chosen(current: CurrentIndices, request: Request) -> list[PublishedIndex]:
    """Return the indices that are named, each once, in their order."""
    found = map(current.tables.find, _QUERY.names(request))
    return list({index.number: index for index in found}.values())
