"""The pages of indices, and the JSON that each is drawn from: `/indices`, `/indices/{id}`, and its rebalances.

Everything comes from what the worker published last; a page is drawn once for each, and kept until there is another.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from math import ceil
from typing import Any, Final

from starlette.responses import Response

from usufruct.analytics import InvalidParameter, NoMarketData, utc_moment
from usufruct.indices.publication.api import CurrentIndices
from usufruct.indices.publication.page_view import index_facts, index_list, index_rebalances, rebalance_facts
from usufruct.web import Operation, Request, Route, document_response
from usufruct.web.ui import ECONOMY, NavigationLink, PageRoute, Pages, RefusalText
from usufruct_client.index_page_documents import IndexFacts, IndexList, IndexRebalanceFacts, IndexRebalances

PATH: Final = "/indices"
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
_REBALANCES = Operation(
    "Return a page of an index's rebalances, the newest first.", IndexRebalances, asks=_ASKS_PAGE, refuses=_NO_INDEX
)
_REBALANCE = Operation(
    "Return the rebalance of a day with all its moves and their reasons.", IndexRebalanceFacts, refuses=_NO_INDEX
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
        state, chosen, page = current.state(), current.tables.find(request.path_params["id"]), _page(request)

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
        state, chosen, page = current.state(), current.tables.find(request.path_params["id"]), _page(request)

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

    async def list_document(_: Request) -> Response:
        return document_response(index_list(current.tables, current.state()))

    async def index_document(request: Request) -> Response:
        return document_response(index_facts(current.tables.find(request.path_params["id"]), current.state()))

    async def rebalances_document(request: Request) -> Response:
        chosen = current.tables.find(request.path_params["id"])
        return document_response(index_rebalances(chosen, current.state(), _page(request)))

    async def rebalance_document(request: Request) -> Response:
        chosen = current.tables.find(request.path_params["id"])
        return document_response(rebalance_facts(chosen, current.state(), request.path_params["day"]))

    one, all_rebalances = f"{PATH}/{{id}}", f"{PATH}/{{id}}/rebalances"
    return [
        PageRoute("GET", PATH, overview, _LIST_PAGE),
        PageRoute("GET", one, index, _INDEX_PAGE),
        PageRoute("GET", all_rebalances, rebalances, _REBALANCES_PAGE),
        PageRoute("GET", f"{all_rebalances}/{{day}}", rebalance, _REBALANCE_PAGE),
        Route("GET", f"/v1{PATH}", list_document, _LIST),
        Route("GET", f"/v1{one}", index_document, _INDEX),
        Route("GET", f"/v1{all_rebalances}", rebalances_document, _REBALANCES),
        Route("GET", f"/v1{all_rebalances}/{{day}}", rebalance_document, _REBALANCE),
    ]


def _holdings_path(name: str, page: int) -> str:
    return f"{PATH}/{name}?page={page}#holdings"


def _rebalances_path(name: str, page: int) -> str:
    return f"{PATH}/{name}/rebalances?page={page}"


def _page(request: Request) -> int:
    text = request.query_params.get("page", "") or "1"
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0 and len(text) < 9):
        raise InvalidParameter(f"`page` is {text[:20]!r}; it must be a whole number from 1", field="page")
    return int(text)
