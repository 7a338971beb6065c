"""From a path to its handler: Starlette routes paths with parameters; the paid routes are raw ASGI."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

from starlette.responses import Response
from starlette.routing import Route as StarletteRoute
from starlette.routing import Router as StarletteRouter
from starlette.types import Receive, Scope, Send

from usufruct.core import Faulty, NotFound, UsufructError
from usufruct.web.errors import ClientGone, MethodNotAllowed, ShuttingDown
from usufruct.web.http_exchange import HttpExchange
from usufruct.web.openapi import Operation, openapi_document
from usufruct.web.request import Request, json_response

Lifespan = Callable[[], AbstractAsyncContextManager[object]]
ErrorPage = Callable[[HttpExchange, UsufructError], Response | None]
"""Returns an error as a page for people, or None for a program, which gets it as JSON."""

_LONGEST_PATH = 200

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path with its handler, which takes a request and returns a response.

    The path may hold parameters as Starlette writes them: `/v1/models/{model:path}`.
    """

    method: str
    path: str
    handle: Callable[[Request], Awaitable[Response]]
    operation: Operation | None = None

    async def answer(self, exchange: HttpExchange) -> None:
        """Answer one request."""
        await exchange.respond(await self.handle(Request(exchange)))


@dataclass(frozen=True, slots=True)
class RawRoute:
    """A method and an exact path with a handler that answers on the exchange itself: for the hot path."""

    method: str
    path: str
    answer: Callable[[HttpExchange], Awaitable[None]]
    operation: Operation | None = None


AnyRoute = Route | RawRoute


def openapi_route(routes: Sequence[AnyRoute], version: str) -> Route:
    """Return the route that describes `routes`, and itself; the document is made when it is first asked for."""

    @cache
    def described() -> dict[str, Any]:
        public = [(each.method, each.path, each.operation) for each in (*routes, route) if each.operation is not None]
        return openapi_document(public, "A Usufruct gateway", version)

    async def document(request: Request) -> Response:
        return json_response(described())

    route = Route("GET", "/openapi.json", document, Operation("This document.", {"type": "object"}))
    return route


class _Resource:
    """The ASGI application of one path: its routes by method."""

    def __init__(self, routes: Sequence[AnyRoute], error_page: ErrorPage) -> None:
        self._error_page = error_page
        self._routes = {route.method: route for route in routes}
        if isinstance(self._routes.get("GET"), Route):
            self._routes.setdefault("HEAD", self._routes["GET"])
        self.allow = ", ".join(sorted(self._routes))

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request; a frame of our own would be passed at every wait of every call."""
        exchange = HttpExchange(scope, receive, send)
        route = self._routes.get(exchange.method)
        return _serve(exchange, self._refuse if route is None else route.answer, self._error_page)

    async def _refuse(self, exchange: HttpExchange) -> None:
        exchange.attach([(b"allow", self.allow.encode())])
        raise MethodNotAllowed(f"{exchange.path} takes {self.allow}, not {exchange.method}", field="method")


class Router:
    """An ASGI application: paths without parameters by one dictionary look-up, the others by Starlette.

    It turns errors into answers, and opens `lifespan` at start-up.
    """

    def __init__(
        self,
        routes: Sequence[AnyRoute],
        *,
        lifespan: Lifespan = nullcontext,
        error_page: ErrorPage = lambda exchange, error: None,
    ) -> None:
        paths: dict[str, list[AnyRoute]] = {}
        for route in routes:
            paths.setdefault(route.path, []).append(route)
        resources = {path: _Resource(at, error_page) for path, at in paths.items()}
        self._exact = {path: each for path, each in resources.items() if "{" not in path}
        others = [StarletteRoute(path, each) for path, each in resources.items() if path not in self._exact]
        self._others = StarletteRouter(others, redirect_slashes=False, default=self._unknown)
        self._known = ", ".join(
            f"{' or '.join(sorted(route.method for route in at))} {path.replace(':path', '')}"
            for path, at in paths.items()
        )
        self._lifespan = lifespan
        self._error_page = error_page

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        return (self._exact.get(scope["path"]) or self._others)(scope, receive, send)

    async def _unknown(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _serve(HttpExchange(scope, receive, send), self._refuse, self._error_page)

    async def _refuse(self, exchange: HttpExchange) -> None:
        path = exchange.path[:_LONGEST_PATH]
        message = f"there is nothing at {path}; this server answers {self._known}"
        raise NotFound(message, code="unknown_route", field="path", path=path)

    async def _live(self, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            await receive()
            try:
                await stack.enter_async_context(self._lifespan())
            except UsufructError as error:
                await send({"type": "lifespan.startup.failed", "message": f"{error.code}: {error.message}"})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


async def _serve(
    exchange: HttpExchange, answer: Callable[[HttpExchange], Awaitable[None]], error_page: ErrorPage
) -> None:
    """Answer an exchange, by the error that is raised if there is one."""
    try:
        await answer(exchange)
    except ClientGone:
        logger.info("the caller hung up before the request was complete", extra={"call_id": exchange.call_id})
    except UsufructError as error:
        await _refuse(exchange, error, error_page)
    except asyncio.CancelledError:  # only a server that shuts down cancels requests
        if exchange.started:
            raise
        await _refuse(exchange, ShuttingDown(), error_page)
    except Exception:
        logger.exception("unexpected error", extra={"call_id": exchange.call_id, "path": exchange.path})
        await _refuse(exchange, Faulty("the server failed; report it with the call id"), error_page)


async def _refuse(exchange: HttpExchange, error: UsufructError, error_page: ErrorPage) -> None:
    extra = {"call_id": exchange.call_id, "code": error.code, "status": error.status, "details": dict(error.details)}
    logger.log(logging.ERROR if error.status >= 500 else logging.INFO, "refused: %s", error.message, extra=extra)
    if exchange.started:
        raise error  # too late for an answer: the server closes the connection, and the client sees that it is cut
    page = error_page(exchange, error)
    await (exchange.answer_error(error) if page is None else exchange.respond(page))
