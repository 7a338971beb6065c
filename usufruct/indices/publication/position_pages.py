"""The page of a position in an index, its JSON, and its tax lots as CSV. All of it is in the query: nothing is kept."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from usufruct.analytics import utc_moment
from usufruct.core.minute_rate import MinuteRate
from usufruct.indices.errors import InvalidPosition, TooManyPositions
from usufruct.indices.lots import tax_lots_csv
from usufruct.indices.publication.api import CurrentIndices
from usufruct.indices.publication.model import PublishedIndex
from usufruct.indices.publication.page_view import index_line, index_source
from usufruct.indices.publication.position_view import (
    ASKS_POSITION,
    history_of_index,
    position_facts,
    possible_cores,
    read_wish,
    wanted_position,
)
from usufruct.web import Operation, Parameter, Request, Route, client_network, document_response
from usufruct.web.ui import PageRoute, Pages
from usufruct_client.index_page_documents import IndexPosition

PAGE_HOLDINGS: Final = 20
MOST_POSITIONS: Final = 60
"""For one network in a minute, in each process."""
MOST_LOTS: Final = 6
_SEPARATORS: Final = (",", ";")
_REFUSES: Final = {
    400: "a value is not what its parameter takes, or the position is not possible",
    404: "there is no such index",
    429: "the network asked for as many in this minute as it may",
    503: "nothing was computed yet",
}
_PAGE = Operation("Show people a position in an index.", {"type": "string"}, media_types=("text/html",))
_DOCUMENT = Operation(
    "Return what an amount that follows an index is worth, with its holdings and targets.",
    IndexPosition,
    asks=ASKS_POSITION,
    refuses=_REFUSES,
)
_LOTS = Operation(
    "Return the tax lots of a position as CSV, first in first out.",
    {"type": "string"},
    media_types=("text/csv",),
    asks={**ASKS_POSITION, "separator": Parameter("of the columns", {"enum": list(_SEPARATORS)}, may_be_empty=True)},
    refuses=_REFUSES,
)


def position_pages(current: CurrentIndices, pages: Pages) -> list[Route]:
    """Return the routes; the pages of indices are there already."""
    rates, one_at_a_time = MinuteRate(current.clock), asyncio.Lock()

    def count(request: Request, what: str, most: int) -> None:
        network = client_network(request.exchange) or ""
        if wait := rates.count(f"{what} {network}", most):
            raise TooManyPositions(
                f"your network asked for {most} {what} in this minute; wait {wait} seconds", retry_after=wait
            )

    async def facts_of(request: Request, index: PublishedIndex, query: Mapping[str, str]) -> IndexPosition:
        count(request, "positions", MOST_POSITIONS)
        wish = read_wish(history_of_index(index), query)
        return await asyncio.to_thread(position_facts, index, current.state(), wish)

    async def page(request: Request) -> Response:
        index, query = current.tables.find(request.path_params["id"]), _query(request)
        history = history_of_index(index)
        shown: dict[str, Any] = {
            "index": index_line(index),
            "source": index_source(current.state()),
            "first": str(history.first_trade),
            "cores": possible_cores(history),
            "query": query,
            "asked": urlencode(query),
            "most": PAGE_HOLDINGS,
            "moment": utc_moment,
        }
        try:
            facts = await facts_of(request, index, query)
        except InvalidPosition as error:
            return pages.answer(request, "indices/position.html", status=400, facts=None, refusal=error, **shown)
        return pages.answer(request, "indices/position.html", facts=facts, refusal=None, **shown)

    async def document(request: Request) -> Response:
        index = current.tables.find(request.path_params["id"])
        return document_response(await facts_of(request, index, _query(request)))

    async def lots(request: Request) -> Response:
        index, query = current.tables.find(request.path_params["id"]), _query(request)
        separator = request.query_params.get("separator") or _SEPARATORS[0]
        if separator not in _SEPARATORS:
            message = f"separator must be one of {' '.join(_SEPARATORS)} (as %2C, %3B), not {separator[:20]!r}"
            raise InvalidPosition(message, field="separator")
        count(request, "lots", MOST_LOTS)
        async with one_at_a_time:  # tens of thousands of lots take a second
            table = await asyncio.to_thread(_lots_table, index, query, separator)
        name = f"{index.rulebook.name}-lots.csv"
        return Response(table, 200, {"content-disposition": f'attachment; filename="{name}"'}, "text/csv")

    path = "/indices/{id}/position"
    return [
        PageRoute("GET", path, page, _PAGE),
        Route("GET", f"/v1{path}", document, _DOCUMENT),
        Route("GET", f"/v1{path}/lots.csv", lots, _LOTS),
    ]


def _query(request: Request) -> dict[str, str]:
    """Return the parameters that were sent, in the order in which they are documented."""
    sent: Mapping[str, str] = request.query_params
    return {name: sent[name] for name in ASKS_POSITION if name in sent}


def _lots_table(index: PublishedIndex, query: Mapping[str, str], separator: str) -> str:
    return tax_lots_csv(wanted_position(index, read_wish(history_of_index(index), query)).lots(), separator)
