"""The envelope of `/v2`: every answer has it, errors too; and the routes of data, which all work alike.

A request names its key, is counted, and is answered from what is current. An answer carries an `ETag` of the data and
the question: the same request with `If-None-Match` is answered 304, and does not count against the month.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import orjson

from usufruct.analytics.api_keys import Caller, MarketKeys
from usufruct.analytics.api_query import Query, write_cursor
from usufruct.core import UsufructError
from usufruct.web import JSON, Header, HttpExchange, Operation, RawRoute, error_body
from usufruct_client.market_data_documents import MarketAnswer, Row

KEY_HEADERS: Final = {"x-api-key": "the key; `api_key` is read too"}
ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["success", "message", "length", "data", "error"],
    "properties": {
        "success": {"const": False},
        "message": {"type": "string"},
        "length": {"const": 0},
        "data": {"type": "array", "maxItems": 0},
        "error": {"type": "object", "additionalProperties": True},
    },
}
REFUSES: Final[Mapping[int, Any]] = {400: ERROR, 401: ERROR, 429: ERROR, 503: ERROR}


@dataclass(frozen=True, slots=True)
class DataState:
    """What data an answer is made of. `version` differs whenever anything does."""

    version: str
    as_of: str
    stale: bool = False
    synthetic: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of an answer, each JSON already; `last` is the position of the last one where there are more."""

    rows: Sequence[bytes]
    last: tuple[int, int] | None = None
    message: str = ""


Find = Callable[[Query], Rows | Awaitable[Rows]]
"""Returns the rows that are asked for."""


class MarketApi:
    """Makes the routes of data; other packages serve theirs by the same keys, limits and envelope."""

    def __init__(self, keys: MarketKeys) -> None:
        self._keys = keys

    def route(
        self,
        path: str,
        summary: str,
        find: Find,
        state: Callable[[], DataState],
        parameters: Mapping[str, str],
        row: type[Row],
    ) -> RawRoute:
        """Return `GET /v2{path}`: its rows by `find`, each a `row`, and what they are made of by `state`."""

        async def answer(exchange: HttpExchange, caller: Caller) -> None:
            about = state()
            question: bytes = exchange.scope["query_string"]
            tag = b'"%s"' % _digest(b"%s %s %s" % (about.version.encode(), path.encode(), question)).encode()
            headers: list[Header] = [(b"etag", tag), (b"cache-control", b"private, no-cache")]
            if tag in exchange.headers.get(b"if-none-match", b""):
                await exchange.answer(304, b"", headers)
                return
            found = find(Query.of(question))
            rows = found if isinstance(found, Rows) else await found
            self._keys.count(caller)
            left = max(0, caller.allowance.calls_per_month - caller.used - 1)
            headers += [JSON, (b"x-ratelimit-limit", b"%d" % caller.allowance.calls_per_month)]
            await exchange.answer(200, _body(rows, about), [*headers, (b"x-ratelimit-remaining", b"%d" % left)])

        operation = Operation(
            summary,
            MarketAnswer[row],  # type: ignore[valid-type]
            takes=KEY_HEADERS | {"if-none-match": "the ETag of an earlier answer"},
            asks=parameters,
            gives={"etag": "of the answer", "x-ratelimit-remaining": "calls that are left in the month"},
            also=REFUSES,
        )
        return self.keyed("GET", path, operation, answer)

    def keyed(
        self,
        method: str,
        path: str,
        operation: Operation,
        answer: Callable[[HttpExchange, Caller], Awaitable[None]],
    ) -> RawRoute:
        """Return a route for callers with a key; `answer` counts the call if it is one."""

        async def admitted(exchange: HttpExchange) -> None:
            await answer(exchange, await self._keys.admit(exchange))

        return open_route(method, path, operation, admitted)


def open_route(
    method: str, path: str, operation: Operation, answer: Callable[[HttpExchange], Awaitable[None]]
) -> RawRoute:
    """Return a route whose errors have the envelope too."""

    async def guarded(exchange: HttpExchange) -> None:
        try:
            await answer(exchange)
        except UsufructError as error:
            if exchange.started:
                raise
            await refuse(exchange, error)

    return RawRoute(method, f"/v2{path}", guarded, operation)


async def refuse(exchange: HttpExchange, error: UsufructError) -> None:
    """Answer with an error: `message` is read by all clients, `error` is ours."""
    about = error_body(error, exchange.call_id)["error"]
    wait = error.details.get("retry_after")
    headers: list[Header] = [(b"retry-after", str(wait).encode())] if isinstance(wait, int) else []
    content = {"success": False, "message": about["message"], "length": 0, "data": [], "error": about}
    await exchange.answer_json(content, headers, error.status)


async def answer_rows(
    exchange: HttpExchange, rows: Sequence[Mapping[str, Any]], message: str, status: int = 200
) -> None:
    """Answer with rows that are about the caller, and not to be kept."""
    content = {"success": True, "message": message, "length": len(rows), "data": rows}
    await exchange.answer_json(content, [(b"cache-control", b"no-store")], status)


def _body(found: Rows, about: DataState) -> bytes:
    count = len(found.rows)
    head: dict[str, Any] = {
        "success": True,
        "message": found.message or (f"{count} rows" if count else "no row matches"),
        "length": count,
        "as_of": about.as_of,
        "version": about.version,
        "stale": about.stale,
        "synthetic": about.synthetic,
        "source": about.source,
    }
    if found.last is not None:
        head["next_cursor"] = write_cursor(found.last)
    return b'%s,"data":[%s]}' % (orjson.dumps(head)[:-1], b",".join(found.rows))


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=12).hexdigest()
