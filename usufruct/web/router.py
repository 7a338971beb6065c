"""From a path to its handler; what nobody here handles goes to another ASGI application (Starlette, FastAPI)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from usufruct.core import UsufructError
from usufruct.web.errors import ClientGone, MethodNotAllowed, ShuttingDown, UnknownRoute, hidden_fault
from usufruct.web.exchange import Exchange

Handler = Callable[[Exchange], Awaitable[None]]
Lifespan = Callable[[], AbstractAsyncContextManager[object]]

_LONGEST_PATH = 200

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path with its handler; a path that ends in `/` stands for everything below it."""

    method: str
    path: str
    handle: Handler


class Router:
    """An ASGI application: exact paths by one dictionary look-up, then prefixes, then the fallback.

    It turns errors into answers, and opens `lifespan` at start-up. A fallback is called with its own requests only, and
    not with the server's start-up and shutdown: give its lifespan to ours.
    """

    def __init__(
        self, routes: Sequence[Route], *, fallback: ASGIApp | None = None, lifespan: Lifespan = nullcontext
    ) -> None:
        """Serve `routes`."""
        self._exact: dict[str, dict[str, Handler]] = {}
        self._below: dict[str, dict[str, Handler]] = {}
        for route in routes:
            table = self._below if route.path.endswith("/") else self._exact
            table.setdefault(route.path, {})[route.method] = route.handle
        tables = (self._exact | self._below).items()
        self._known = ", ".join(f"{' or '.join(sorted(methods))} {path}" for path, methods in tables)
        self._fallback = fallback
        self._lifespan = lifespan

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one ASGI connection; a frame of our own would be passed at every wait of every call."""
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        methods = self._methods(scope["path"]) if scope["type"] == "http" else None
        if methods is None and self._fallback is not None:
            return self._fallback(scope, receive, send)
        if scope["type"] == "http":
            return serve(Exchange(scope, receive, send), methods, self._known)
        return _nothing()

    def _methods(self, path: str) -> Mapping[str, Handler] | None:
        exact = self._exact.get(path)
        if exact is not None:
            return exact
        return next((methods for prefix, methods in self._below.items() if path.startswith(prefix)), None)

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


async def _nothing() -> None:
    """Leave a connection alone that is neither HTTP nor the fallback's."""


async def serve(exchange: Exchange, methods: Mapping[str, Handler] | None, known: str = "") -> None:
    """Run the handler for the exchange's method, and answer with the error it raises; `known`: the routes."""
    try:
        if methods is None:
            path = exchange.path[:_LONGEST_PATH]
            raise UnknownRoute(f"there is nothing at {path}; this server answers {known}", field="path", path=path)
        handle = methods.get(exchange.method)
        if handle is None:
            known = ", ".join(sorted(methods))
            raise MethodNotAllowed(f"{exchange.path} takes {known}, not {exchange.method}", field="method")
        await handle(exchange)
    except ClientGone:
        logger.info("the caller hung up before the request was complete", extra={"call_id": exchange.call_id})
    except UsufructError as error:
        await _refuse(exchange, error)
    except asyncio.CancelledError:  # only a server that shuts down cancels requests
        if exchange.started:
            raise
        await _refuse(exchange, ShuttingDown.cut())
    except Exception:
        logger.exception("unexpected error", extra={"call_id": exchange.call_id, "path": exchange.path})
        await _refuse(exchange, hidden_fault())


async def _refuse(exchange: Exchange, error: UsufructError) -> None:
    extra = {"call_id": exchange.call_id, "code": error.code, "status": error.status, "details": dict(error.details)}
    logger.log(logging.ERROR if error.status >= 500 else logging.INFO, "refused: %s", error.message, extra=extra)
    if exchange.started:
        raise error  # too late for an answer: the server closes the connection, so that nobody takes it for complete
    await exchange.answer_error(error)
