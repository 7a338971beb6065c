"""The envelope of `/v2`: every answer has it, errors too; and the routes of data, which all work alike.

A request names its key, is counted, and is answered from what is current; without a key it is paid. An answer carries
an `ETag` of the data and the question: the same request with `If-None-Match` is answered 304, and costs nothing.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from hashlib import blake2b
from typing import Any, Final

import orjson

from usufruct.analytics.api_keys import Caller, MarketKeys, TooManyRequests
from usufruct.analytics.api_query import DAYS, PAGING, Query, write_cursor
from usufruct.analytics.call_sales import CallSale, CallSales
from usufruct.analytics.snapshot import DAY, HOUR, utc_text
from usufruct.core import UsufructError
from usufruct.payments.x402 import EndpointAnswer
from usufruct.web import (
    JSON,
    REFERENCE,
    Header,
    HttpExchange,
    Operation,
    Parameter,
    RawRoute,
    Unauthenticated,
    error_body,
    error_headers,
)
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
        "error": {"$ref": REFERENCE.format(model="ErrorFacts")},
    },
}
LATE_DAY: Final = DAY + 36 * HOUR
"""Daily prices are stale so long after the start of their last day."""
REFUSES: Final[Mapping[int, Any]] = {400: ERROR, 401: ERROR, 429: ERROR, 503: ERROR}
PAYMENT_HEADERS: Final = {
    "payment-signature": "x402's payment of this call: base64 of JSON",
    "idempotency-key": "of a paid call: the same key and request get the first answer again, and are charged once",
}
_BODY_BYTES: Final = 65_536
_NOT_MODIFIED: Final = 304
_LINK: Final = b'"TM_LINK":"/'
"""How a row begins the path of a page; no text within a row can, as quotes are escaped there."""


@dataclass(frozen=True, slots=True)
class DataState:
    """What data an answer is made of. `version` differs whenever anything does.

    `attribution`: what the sources' licences want shown with the data.
    """

    version: str
    as_of: str
    stale: bool = False
    synthetic: bool = False
    source: str = ""
    attribution: tuple[str, ...] = ()

    @classmethod
    def of_days(
        cls, version: str, last_day: int, now: int, *, synthetic: bool, source: str, attribution: tuple[str, ...] = ()
    ) -> "DataState":
        """Return the state of daily data whose last day began at `last_day`; both times are seconds since 1970."""
        stale = now > last_day + LATE_DAY
        return cls(f"{version}{'-' if stale else ''}", utc_text(last_day), stale, synthetic, source, attribution)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of an answer, each JSON already; `last` is the position of the last one where there are more.

    `note`: what the message says beside the count. `stale`: these rows are older than what else is served.
    """

    rows: Sequence[bytes]
    last: tuple[int, int] | None = None
    message: str = ""
    stale: bool = False
    note: str = ""


Find = Callable[[Query], Rows | Awaitable[Rows]]
"""Returns the rows that are asked for."""

Content = Callable[[HttpExchange, bytes], Awaitable[EndpointAnswer]]
"""Answers a request with a body."""

_DATA_HEADERS: Final = {
    "x-ratelimit-limit": "calls that the key may make in a month",
    "x-ratelimit-remaining": "calls that are left in the month",
}


class MarketApi:
    """Makes the routes of data; other packages serve theirs by the same keys, limits, prices and envelope."""

    def __init__(self, keys: MarketKeys, sales: CallSales | None = None) -> None:
        """Admit callers by `keys`; without `sales` they all need one."""
        self._keys = keys
        self._sales = sales

    def route(
        self,
        path: str,
        summary: str,
        find: Find,
        state: Callable[[], DataState],
        parameters: Mapping[str, str | Parameter],
        row: type[Row],
        *,
        dated: bool = False,
    ) -> RawRoute:
        """Return `GET /v2{path}`: its rows by `find`, each a `row`, and what they are made of by `state`.

        Its parameters are these, those of pages and, where it is `dated`, the first and the last day.
        """

        async def content(exchange: HttpExchange, _: bytes) -> EndpointAnswer:
            about = state()
            question: bytes = exchange.scope["query_string"]
            root = exchange.root if linked else ""
            asked_for = f"{about.version} {path} {root} ".encode() + question
            tag = b'"%s"' % _digest(asked_for).encode()
            headers: list[Header] = [(b"etag", tag), (b"cache-control", b"private, no-cache")]
            if tag in exchange.headers.get(b"if-none-match", b""):
                return EndpointAnswer(b"", 0, headers, 304)
            found = find(Query.of(question))
            rows = found if isinstance(found, Rows) else await found
            return EndpointAnswer(_body(rows, about, root), len(rows.rows), headers)

        linked = any(each.name == "tm_link" for each in fields(row))
        asked = {**parameters, **(DAYS if dated else {}), **PAGING}
        operation = Operation(
            summary,
            MarketAnswer[row],  # type: ignore[valid-type]
            takes=KEY_HEADERS | {"if-none-match": "the ETag of an earlier answer"},
            asks={name: _may_be_empty(each) for name, each in asked.items()},
            gives={"etag": "of the answer", **_DATA_HEADERS},
            also={_NOT_MODIFIED: None, **REFUSES},
        )
        sale = self._sales.offer("GET", path, tuple(asked)) if self._sales else None
        return self._data_route("GET", path, operation, content, sale)

    def question_route(self, path: str, operation: Operation, content: Content, example: Mapping[str, Any]) -> RawRoute:
        """Return `POST /v2{path}`, of which `example` is a body."""
        sale = self._sales.offer("POST", path, example=example) if self._sales else None
        return self._data_route("POST", path, replace(operation, gives=_DATA_HEADERS), content, sale)

    def keyed(
        self,
        method: str,
        path: str,
        operation: Operation,
        answer: Callable[[HttpExchange, Caller], Awaitable[None]],
    ) -> RawRoute:
        """Return a route about a caller's own key; it counts against the minute alone."""

        async def admitted(exchange: HttpExchange) -> None:
            await answer(exchange, await self._keys.admit(exchange))

        return open_route(method, path, operation, admitted)

    def _data_route(
        self, method: str, path: str, operation: Operation, content: Content, sale: CallSale | None
    ) -> RawRoute:
        """Return a route that a key's call pays for, or money where the endpoint is on sale."""

        async def admitted(exchange: HttpExchange) -> None:
            try:
                caller = await self._keys.admit(exchange)
            except (Unauthenticated, TooManyRequests) as refusal:
                if sale is None or not sale.takes(exchange, refusal):
                    raise
                await sale.serve(exchange, partial(content, exchange), refusal)
                return
            body = await exchange.body(_BODY_BYTES) if method == "POST" else b""
            answered = await content(exchange, body)
            headers = list(answered.headers)
            if answered.status != _NOT_MODIFIED:
                self._keys.count(caller)
                headers += [JSON, *_limit_headers(caller)]
            await exchange.answer(answered.status, answered.body, headers)

        return open_route(method, path, operation if sale is None else _priced(operation, sale), admitted)


def _may_be_empty(asked: str | Parameter) -> str | Parameter:
    """Describe a parameter as `Query` reads it: an empty one counts as left out. Any text may be empty."""
    return asked if isinstance(asked, str) or asked.required else replace(asked, may_be_empty=True)


def _limit_headers(caller: Caller) -> Sequence[Header]:
    most = caller.allowance.calls_per_month
    left = max(0, most - caller.used - 1)
    return (b"x-ratelimit-limit", b"%d" % most), (b"x-ratelimit-remaining", b"%d" % left)


def _priced(operation: Operation, sale: CallSale) -> Operation:
    """Return what a route does with its price, and how it is paid."""
    takes = {"authorization": "without a market key: Bearer and a key of the gateway", **PAYMENT_HEADERS}
    return replace(
        operation,
        takes={**operation.takes, **takes},
        also={**operation.also, 402: ERROR},
        price=sale.shown,
        paid=True,
    )


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
    content = {"success": False, "message": about["message"], "length": 0, "data": [], "error": about}
    await exchange.answer_json(content, error_headers(error), error.status)


async def answer_rows(
    exchange: HttpExchange, rows: Sequence[Mapping[str, Any]], message: str, status: int = 200
) -> None:
    """Answer with rows that are about the caller, and not to be kept."""
    content = {"success": True, "message": message, "length": len(rows), "data": rows}
    await exchange.answer_json(content, [(b"cache-control", b"no-store")], status)


def _body(found: Rows, about: DataState, root: str = "") -> bytes:
    """Return the envelope with its rows; `root`: the server's address, for rows with a path of one of its pages."""
    count = len(found.rows)
    counted = f"{count} rows" if count else "no row matches"
    head: dict[str, Any] = {
        "success": True,
        "message": "; ".join(filter(None, (found.message or counted, found.note))),
        "length": count,
        "as_of": about.as_of,
        "version": about.version,
        "stale": about.stale or found.stale,
        "synthetic": about.synthetic,
        "source": about.source,
        "attribution": about.attribution,
    }
    if found.last is not None:
        head["next_cursor"] = write_cursor(found.last)
    rows = b",".join(found.rows)
    if root:
        rows = rows.replace(_LINK, _LINK[:-1] + orjson.dumps(f"{root}/")[1:-1])
    return b'%s,"data":[%s]}' % (orjson.dumps(head)[:-1], rows)


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=12).hexdigest()
