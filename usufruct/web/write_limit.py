"""How many requests that change something a network may send in a minute: one limit for every route that takes them.

Anyone can send them: a signature or a session costs its sender nothing, and makes the server read the database or the
chain. So a session does not lift the limit.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from usufruct.core import Clock, RateLimited
from usufruct.core.minute_rate import MinuteRate
from usufruct.web.client_network import client_network
from usufruct.web.http_exchange import HttpExchange
from usufruct.web.openapi import Operation
from usufruct.web.router import AnyRoute, RawRoute

WRITE_METHODS = ("POST", "PUT", "PATCH", "DELETE")

_REFUSED = "the caller's network sent as many requests that change something in this minute as it may"


class TooManyWrites(RateLimited, code="too_many_writes"):
    """The caller's network sent as many requests that change something in this minute as it may."""


class WriteLimit:
    """Counts requests of all limited routes together, by network, in this replica."""

    def __init__(self, most: int, clock: Clock) -> None:
        """Let each network send `most` in a minute; 0: any number."""
        self._most = most
        self._rate = MinuteRate(clock)

    def limited(self, route: AnyRoute) -> AnyRoute:
        """Return a route whose requests are counted; as it is, when it changes nothing or has a limit of its own.

        Its answer raises TooManyWrites, and its description says so.
        """
        operation = route.operation
        has_own_limit = operation is not None and (operation.paid or operation.has_own_limit)
        if not self._most or route.method not in WRITE_METHODS or has_own_limit:
            return route
        described = None if operation is None else _with_refusal(operation)
        return RawRoute(route.method, route.path, self._counting(route.answer), described)

    def _counting(self, answer: Callable[[HttpExchange], Awaitable[None]]) -> Callable[[HttpExchange], Awaitable[None]]:
        async def counted(exchange: HttpExchange) -> None:
            self._count(exchange)
            await answer(exchange)

        return counted

    def _count(self, exchange: HttpExchange) -> None:
        """Count a request; those of this machine are not: behind a proxy that names no caller, all would be one."""
        network = client_network(exchange)
        wait = 0 if network is None else self._rate.count(network, self._most)
        if wait:
            raise TooManyWrites(
                f"your network sent {self._most} requests that change something in this minute; send it again in "
                f"{wait} s",
                most=self._most,
                retry_after=wait,
            )


def _with_refusal(operation: Operation) -> Operation:
    own = operation.refuses.get(429)
    return replace(operation, refuses={**operation.refuses, 429: f"{own}; or {_REFUSED}" if own else _REFUSED})
