"""The pages of indices, and the JSON that each is drawn from: all, one, its rebalances, and several side by side.

Everything comes from what the worker published last; a page is drawn once for each, and kept until there is another.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from math import ceil
from typing import Any, Final

from starlette.responses import Response

from usufruct.analytics import InvalidParameter, NoMarketData, utc_moment
from usufruct.indices.publication.api import CurrentIndices
from usufruct.indices.publication.comparison import FEWEST_COMPARED, MOST_COMPARED, RANGES, compare_indices
from usufruct.indices.publication.model import PublishedIndex
from usufruct.indices.publication.page_view import (
    index_facts,
    index_list,
    index_rebalances,
    index_series,
    rebalance_facts,
)
from usufruct.indices.publication.position_pages import REFUSALS as POSITION_REFUSALS
from usufruct.indices.publication.position_pages import position_pages
from usufruct.web import Operation, Parameter, Request, Route, document_response
from usufruct.web.ui import ECONOMY, NavigationLink, PageRoute, Pages, RefusalText
from usufruct_client.index_page_documents import (
    IndexComparison,
    IndexFacts,
    IndexList,
    IndexRebalanceFacts,
    IndexRebalances,
)
from usufruct_client.series_documents import DailySeries

PATH: Final = "/indices"
COMPARISON: Final = "/index-comparison"
REFUSALS: Final[Sequence[RefusalText]] = (
    RefusalText("unknown_index", "There is no such index here. The page of indices lists all."),
    RefusalText("unknown_rebalance", "The index did not trade on this day. Its page of rebalances lists all days."),
)
PAGE_HOLDINGS: Final = 10
MOST_MOVES: Final = 150
"""On the page of a rebalance; its JSON has all."""

_HTML: Final[Mapping[str, Any]] = {"type": "string"}
_NO_DATA: Final = {503: "nothing was computed yet"}
_NO_INDEX: Final = {404: "there is no such index", **_NO_DATA}
_ASKS_PAGE: Final = {"page": "of the list; 1 is the first"}
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
    "Return a page of an index's rebalances, the newest first.", IndexRebalances, asks=_ASKS_PAGE, refuses=_NO_INDEX
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
        "range": Parameter("the last days to compare; 0 for all", {"enum": list(RANGES)}, may_be_empty=True),
    },
    refuses=_NO_INDEX,
)
_WORDS: Final[Mapping[str, Any]] = {"moment": utc_moment}
"""What templates write days with."""


def index_pages(current: CurrentIndices, pages: Pages) -> list[Route]:
    """Return the routes of the pages and their JSON."""
    pages.add_package(
        "usufruct.indices", [NavigationLink(PATH, "Indices", ECONOMY, 6)], [*REFUSALS, *POSITION_REFUSALS]
    )

    async def overview(request: Request) -> Response:
        try:
            state = current.state()
        except NoMarketData:
            return pages.answer(request, "indices/no_indices.html")

        async def draw() -> Mapping[str, Any]:
            return {"found": index_list(current.tables, state), **_WORDS}

        return await pages.kept(request, "indices/indices.html", state, draw)

    async def index(request: Request) -> Response:
        state, chosen, page = current.state(), current.tables.find(request.path_params["id"]), asked_page(request)

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
        state, chosen, page = current.state(), current.tables.find(request.path_params["id"]), asked_page(request)

        async def draw() -> Mapping[str, Any]:
            path_of = partial(_rebalances_path, chosen.rulebook.name)
            return {"found": index_rebalances(chosen, state, page), "path_of": path_of, **_WORDS}

        return await pages.kept(request, "indices/rebalances.html", state, draw, of=page)

    async def rebalance(request: Request) -> Response:
        state, chosen = current.state(), current.tables.find(request.path_params["id"])
        facts = rebalance_facts(chosen, state, request.path_params["day"])

        async def draw() -> Mapping[str, Any]:
            return {"facts": facts, "moves": facts.moves[:MOST_MOVES], **_WORDS}

        return await pages.kept(request, "indices/rebalance.html", state, draw)

    async def compare(request: Request) -> Response:
        state, chosen, days = current.state(), _chosen(current, request), _range(request)

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
        return document_response(index_rebalances(chosen, current.state(), asked_page(request)))

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
        return document_response(compare_indices(chosen, state, _range(request)))

    one, all_rebalances = f"{PATH}/{{id}}", f"{PATH}/{{id}}/rebalances"
    return [
        PageRoute("GET", PATH, overview, _LIST_PAGE),
        PageRoute("GET", one, index, _INDEX_PAGE),
        PageRoute("GET", all_rebalances, rebalances, _REBALANCES_PAGE),
        PageRoute("GET", f"{all_rebalances}/{{day}}", rebalance, _REBALANCE_PAGE),
        PageRoute("GET", COMPARISON, compare, _COMPARISON_PAGE),
        Route("GET", f"/v1{PATH}", list_document, _LIST),
        Route("GET", f"/v1{one}", index_document, _INDEX),
        Route("GET", f"/v1{one}/values", values_document, _VALUES),
        Route("GET", f"/v1{all_rebalances}", rebalances_document, _REBALANCES),
        Route("GET", f"/v1{all_rebalances}/{{day}}", rebalance_document, _REBALANCE),
        Route("GET", f"/v1{COMPARISON}", comparison_document, _COMPARISON),
        *position_pages(current, pages),
    ]


def _holdings_path(name: str, page: int) -> str:
    return f"{PATH}/{name}?page={page}#holdings"


def _rebalances_path(name: str, page: int) -> str:
    return f"{PATH}/{name}/rebalances?page={page}"


def asked_page(request: Request) -> int:
    """Return which page of a list a request asks for; raises InvalidParameter."""
    text = request.query_params.get("page", "") or "1"
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0 and len(text) < 9):
        raise InvalidParameter(f"`page` is {text[:20]!r}; it must be a whole number from 1", field="page")
    return int(text)


def _range(request: Request) -> int:
    text = request.query_params.get("range", "") or str(RANGES[0])
    if text not in map(str, RANGES):
        raise InvalidParameter(f"`range` is {text[:20]!r}; it must be 90, 365 or 0", field="range")
    return int(text)


def _chosen(current: CurrentIndices, request: Request) -> list[PublishedIndex]:
    """Return the indices that are named, each once, in their order; a form sends a parameter for each."""
    asked = [part.strip() for text in request.query_params.getlist("ids") for part in text.split(",")]
    found = {index.number: index for index in map(current.tables.find, filter(None, asked))}
    if len(found) > MOST_COMPARED:
        raise InvalidParameter(f"`ids` names {len(found)} indices; compare at most {MOST_COMPARED}", field="ids")
    return list(found.values())
