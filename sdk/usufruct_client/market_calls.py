"""Calls of `/v2`: pages are read to the end, what has not changed is not sent again, and limits are waited for.

The code is one for both clients: where a sender blocks, its coroutines never suspend.
"""

from collections import OrderedDict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

import httpx

from usufruct_client.errors import BadAnswer, DataChanged
from usufruct_client.http_answer import read_object
from usufruct_client.market_data_documents import Answer, MarketAnswer
from usufruct_client.market_endpoints import Asked, Endpoint
from usufruct_client.market_table import MarketTable
from usufruct_client.wire_types import read_answer, read_answer_text

PAGE_ROWS = 1_000
"""Rows of a page: the most that the API sends."""

KEPT_ROWS = 50_000
"""Rows of earlier answers that are kept, in all, to be shown again while they have not changed."""

MOST_PAGES = 10_000
"""Most pages of a list that are read: a gateway could always name a next one."""

READINGS = 3
"""How often a list is read from its start, when the data changes between its pages."""

Kind = TypeVar("Kind")


class Sender(Protocol):
    """What sends requests and waits."""

    async def send(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], content: object
    ) -> httpx.Response:
        """Send a request; `content` is its JSON body, None without one."""

    async def pause(self, seconds: float) -> None:
        """Wait."""


class MarketCalls:
    """The calls of one client. A call waits up to `wait_seconds` in all where the gateway says when to come again."""

    def __init__(self, sender: Sender, wait_seconds: float, kept_rows: int = KEPT_ROWS) -> None:
        """Call by `sender`."""
        self._sender = sender
        self._wait_seconds = wait_seconds
        self._kept = _KeptPages(kept_rows)

    async def table(self, endpoint: Endpoint[..., Kind], asked: Asked) -> MarketTable[Kind]:
        """Return the rows of a path, to the last page or to the limit, all of one state of the data.

        Raises:
            DataChanged: when the data changed at each reading.
        """
        for _ in range(READINGS):
            pages = await self._pages(endpoint, asked)
            if pages is not None:
                rows = [row for page in pages for row in page.data]
                of = pages[-1]
                told = "" if rows else of.message
                about = of.as_of, of.stale, of.synthetic, of.source, of.version
                return MarketTable(endpoint.row, rows, *about, told, of.attribution)
        raise DataChanged(
            f"the data of {endpoint.path} changed {READINGS} times while its pages were read; ask for fewer rows"
        )

    async def _pages(self, endpoint: Endpoint[..., Kind], asked: Asked) -> list[MarketAnswer[Kind]] | None:
        """Return the pages of a list; None when the data changed between them."""
        pages: list[MarketAnswer[Kind]] = []
        left, query = asked.limit, dict(asked.query)
        while len(pages) < MOST_PAGES:
            query["limit"] = str(PAGE_ROWS if left is None else min(PAGE_ROWS, left))
            page = await self._page(endpoint, query)
            pages.append(page)
            if page.version != pages[0].version:
                return None
            left = None if left is None else left - len(page.data)
            if page.next_cursor is None or left == 0:
                return pages
            if not page.data or page.next_cursor == query.get("cursor"):
                raise BadAnswer(f"{endpoint.path}: next_cursor leads nowhere", member="next_cursor")
            query["cursor"] = page.next_cursor
        raise BadAnswer(f"{endpoint.path} has more than {MOST_PAGES} pages; ask for fewer rows", member="next_cursor")

    async def _page(self, endpoint: Endpoint[..., Kind], query: Mapping[str, str]) -> MarketAnswer[Kind]:
        name = f"{endpoint.path}?{httpx.QueryParams(dict(query))}"
        kept = self._kept.find(name)
        headers = {} if kept is None else {"if-none-match": kept[0]}
        answer = await self._send("GET", endpoint.path, query, headers)
        if kept is not None and answer.status_code == HTTPStatus.NOT_MODIFIED:
            return kept[1]
        page: MarketAnswer[Kind] = read_answer_text(MarketAnswer[endpoint.row], _success(answer), endpoint.path)  # type: ignore[name-defined]
        if tag := answer.headers.get("etag"):
            self._kept.keep(name, tag, page)
        return page

    async def document(self, kind: type[Kind], method: str, path: str, content: object = None) -> Kind:
        """Return the document that a path answers."""
        return read_answer(kind, read_object(await self._send(method, path, {}, {}, content)), path)

    async def plain_document(self, kind: type[Kind], path: str, query: Mapping[str, str] | None = None) -> Kind:
        """Return the document of a path outside of `/v2`, such as `/v1/markets/prices`."""
        return read_answer(kind, read_object(await self._sent("GET", path, query or {}, {})), path)

    async def row(self, kind: type[Kind], method: str, path: str, content: object = None) -> Kind:
        """Return the only row that a path answers."""
        found = await self.document(Answer[kind], method, path, content)  # type: ignore[valid-type]
        if len(found.data) != 1:
            raise BadAnswer(f"{path} answered {len(found.data)} rows, not one", member="data")
        return found.data[0]

    async def _send(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], content: object = None
    ) -> httpx.Response:
        return await self._sent(method, f"/v2{path}", query, headers, content)

    async def _sent(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], content: object = None
    ) -> httpx.Response:
        waited = 0
        while True:
            answer = await self._sender.send(method, path, query, headers, content)
            wait = _wait_of(answer)
            if wait is None or waited + wait > self._wait_seconds:
                return answer
            waited += wait
            await self._sender.pause(wait)


class _KeptPages:
    """The pages that were used last, by request, with the tag that each came with; together so many rows."""

    def __init__(self, most_rows: int) -> None:
        self._most_rows = most_rows
        self._pages: OrderedDict[str, tuple[str, MarketAnswer[Any]]] = OrderedDict()
        self._rows = 0

    def find(self, name: str) -> tuple[str, MarketAnswer[Any]] | None:
        """Return the tag and the page of a request."""
        if name in self._pages:
            self._pages.move_to_end(name)
        return self._pages.get(name)

    def keep(self, name: str, tag: str, page: MarketAnswer[Any]) -> None:
        """Keep a page, and forget those that were used longest ago."""
        if name in self._pages:
            self._forget(name)
        self._pages[name] = tag, page
        self._rows += len(page.data)
        while self._rows > self._most_rows:
            self._forget(next(iter(self._pages)))

    def _forget(self, name: str) -> None:
        self._rows -= len(self._pages.pop(name)[1].data)


def _success(answer: httpx.Response) -> bytes:
    """Return the body of a success; raises as `read_object` does."""
    if answer.status_code != HTTPStatus.OK:
        read_object(answer)
        raise BadAnswer(f"{answer.url} answered {answer.status_code}, and not as a gateway does")
    return answer.content


def _wait_of(answer: httpx.Response) -> int | None:
    """Return the seconds of `retry-after` on a 429 or 503; None without it."""
    if answer.status_code not in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return None
    text = answer.headers.get("retry-after", "")
    return int(text) if text.isascii() and text.isdigit() else None
