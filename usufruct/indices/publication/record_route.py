"""The route of an index's record: the rules, values and rebalances by which anyone computes the index again."""

import asyncio
import gzip
from typing import Final

from starlette.responses import Response

from usufruct.analytics import NoMarketData
from usufruct.core.minute_rate import MinuteRate
from usufruct.indices.errors import TooManyRecords
from usufruct.indices.publication.api import CurrentIndices
from usufruct.web import Operation, Request, Route, client_network
from usufruct.web.ui import accepts_gzip

PATH: Final = "/v1/indices/{id}/record"
MOST_RECORDS: Final = 12
"""For one network in a minute, in each process: a record can have megabytes."""
_RECORD = Operation(
    "Return the record of an index: rules, values, every rebalance. `usufruct index verify` computes it again.",
    {"type": "object"},
    takes={"if-none-match": "the ETag of an earlier answer"},
    gives={"etag": "the SHA-256 of the record, which is the `recordHash` of the index"},
    also={304: None},
    refuses={
        404: "there is no such index",
        429: "the network asked for as many in this minute as it may",
        503: "nothing was computed yet",
    },
)


def record_route(current: CurrentIndices) -> Route:
    """Return the route; a record is sent as the worker wrote it, gzipped to clients that take it."""
    rates = MinuteRate(current.clock)

    async def record(request: Request) -> Response:
        index = current.tables.find(request.path_params["id"])
        if index.record is None:
            raise NoMarketData(
                f"the record of {index.rulebook.name} was not written yet; the worker does it with its next run",
                retry_after=60,
            )
        tag = f'W/"{index.report["record_hash"]}"'  # weak: it is the same for both codings
        headers = {"etag": tag, "cache-control": "no-cache", "vary": "accept-encoding"}
        if tag.removeprefix("W/") in request.exchange.header(b"if-none-match"):
            return Response(status_code=304, headers=headers)
        if wait := rates.count(client_network(request.exchange) or "", MOST_RECORDS):
            raise TooManyRecords(
                f"your network asked for {MOST_RECORDS} records in this minute; wait {wait} seconds", retry_after=wait
            )
        content = index.record.tobytes()
        if accepts_gzip(request):
            return Response(content, 200, {**headers, "content-encoding": "gzip"}, "application/json")
        return Response(await asyncio.to_thread(gzip.decompress, content), 200, headers, "application/json")

    return Route("GET", PATH, record, _RECORD)
