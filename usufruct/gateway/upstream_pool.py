"""The servers behind the assets: one client for each, and the order in which a call tries them."""

import logging
from collections.abc import Iterator
from dataclasses import replace

from usufruct.connectors.openai import Limits, UpstreamClient, UpstreamFault, UpstreamRejected
from usufruct.core import Clock
from usufruct.gateway.fault_redaction import redact_fault
from usufruct.gateway.model import ServedListing, Upstream

REST_SECONDS = 5.0
"""How long a server that failed is tried last."""

logger = logging.getLogger(__name__)


class UpstreamPool:
    """Keeps connections to every server in use."""

    def __init__(self, clock: Clock, limits: Limits | None = None) -> None:
        """Call upstreams under `limits`."""
        self._clock = clock
        self._limits = limits
        self._upstreams: dict[Upstream, UpstreamClient] = {}
        self._failed_at: dict[Upstream, float] = {}
        self._turn = 0

    def order(self, asset: ServedListing) -> Iterator[tuple[Upstream, UpstreamClient]]:
        """Yield the asset's servers: in turn, those that failed a moment ago last."""
        self._turn += 1
        count = len(asset.upstreams)
        rotated = [asset.upstreams[(self._turn + step) % count] for step in range(count)]
        for server in sorted(rotated, key=self._resting):
            yield server, self._upstream(server)

    def failed(
        self, asset: ServedListing, server: Upstream, fault: UpstreamFault, *, delivered: bool = False
    ) -> UpstreamFault:
        """Log how a server failed, and return the fault as a caller may see it; `delivered`: after some output."""
        refused = isinstance(fault, UpstreamRejected)
        extra = {"asset": asset.name, "upstream": server.url, "code": fault.code, "details": dict(fault.details)}
        logger.log(logging.INFO if refused else logging.WARNING, "upstream: %s", fault.message, extra=extra)
        if not refused:
            self._failed_at[server] = self._clock.monotonic()
        return redact_fault(fault, asset.name, server, delivered=delivered)

    def learnt(self, asset: ServedListing) -> tuple[Upstream, ...] | None:
        """Return the asset's servers with what calls taught about them; None if that was nothing new."""
        named = [
            (each, self._upstreams[each].output_limit if each in self._upstreams else "") for each in asset.upstreams
        ]
        if all(name in ("", each.output_limit) for each, name in named):
            return None
        return tuple(replace(each, output_limit=name or each.output_limit) for each, name in named)

    async def close(self) -> None:
        """Close every connection."""
        upstreams, self._upstreams = list(self._upstreams.values()), {}
        for upstream in upstreams:
            await upstream.close()

    def _resting(self, server: Upstream) -> bool:
        failed_at = self._failed_at.get(server)
        return failed_at is not None and self._clock.monotonic() - failed_at < REST_SECONDS

    def _upstream(self, server: Upstream) -> UpstreamClient:
        if server not in self._upstreams:
            self._upstreams[server] = UpstreamClient(
                server.url, server.api_key, self._limits, output_limit=server.output_limit
            )
        return self._upstreams[server]
