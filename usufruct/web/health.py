"""`/healthz`: the process runs. `/readyz`: it can serve now; a load balancer sends calls only then.

What a process can serve calls without (a node that is away) makes it degraded, not unready: otherwise one node would
take every gateway out of service at once. `/readyz` names it with status 200.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from starlette.responses import Response

from usufruct.core import Clock
from usufruct.core.components import Check
from usufruct.web.openapi import Operation
from usufruct.web.request import Request, document_response
from usufruct.web.router import Route
from usufruct_client.wire import Alive, Readiness

_SECONDS = 5.0
_FRESH_SECONDS = 1.0
_READY = Operation(
    "Tell whether calls can be served, and what fails that they can do without.", Readiness, also={503: Readiness}
)

logger = logging.getLogger(__name__)


class Health:
    """The two endpoints. Each check returns when its part works and raises when it does not."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        degraded: Callable[[], Mapping[str, str]] | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        """Report `checks` by name; `degraded` returns the codes of what else fails, by name."""
        self._checks = checks
        self._degraded = degraded or dict
        self._clock = clock or Clock()
        self._leaving = False
        self._asked = asyncio.Lock()
        self._known: tuple[float, dict[str, str]] = (float("-inf"), {})

    def leave(self) -> None:
        """Answer `/readyz` with 503 from now on: the process is about to stop."""
        self._leaving = True

    @property
    def routes(self) -> list[Route]:
        """The routes to serve."""
        return [
            Route("GET", "/healthz", self._alive, Operation("Tell that the process runs.", Alive)),
            Route("GET", "/readyz", self._ready, _READY),
        ]

    async def _alive(self, request: Request) -> Response:
        return document_response(Alive("ok"))

    async def _ready(self, request: Request) -> Response:
        parts = await self._parts() | ({"process": "leaving"} if self._leaving else {})
        ready = all(answer == "ok" for answer in parts.values())
        degraded = dict(self._degraded())
        status = "not ready" if not ready else "degraded" if degraded else "ready"
        return document_response(Readiness(status, parts, degraded), 200 if ready else 503)

    async def _parts(self) -> dict[str, str]:
        """Ask the checks, at most once in `_FRESH_SECONDS`: the endpoint is public."""
        async with self._asked:
            now = self._clock.monotonic()
            if now - self._known[0] >= _FRESH_SECONDS:
                answers = await asyncio.gather(*(_ask(name, check) for name, check in self._checks.items()))
                self._known = now, dict(zip(self._checks, answers, strict=True))
            return self._known[1]


async def _ask(name: str, check: Check) -> str:
    try:
        await asyncio.wait_for(check(), _SECONDS)
    except Exception:
        logger.exception("not ready: %s", name)
        return "failed"
    return "ok"
