"""The upstreams of the listings: one client for each, and the order in which a call tries them."""

import logging
from collections.abc import Iterator
from dataclasses import replace

from usufruct.connectors.openai import UpstreamClient, UpstreamFault, UpstreamRejected
from usufruct.core import Clock
from usufruct.gateway.call_limits import CallLimits
from usufruct.gateway.fault_redaction import redact_fault
from usufruct.gateway.model import ServedListing, Upstream

logger = logging.getLogger(__name__)


class UpstreamPool:
    """Keeps connections to every upstream in use."""

    def __init__(self, limits: CallLimits, clock: Clock) -> None:
        """Call upstreams within the limits."""
        self._limits = limits
        self._clock = clock
        self._clients: dict[Upstream, UpstreamClient] = {}
        self._failed_at: dict[Upstream, float] = {}
        self._turn = 0

    def order(self, listing: ServedListing) -> Iterator[tuple[Upstream, UpstreamClient]]:
        """Yield the listing's upstreams: in turn, those that failed a moment ago last."""
        self._turn += 1
        first = self._turn % len(listing.upstreams)
        rotated = listing.upstreams[first:] + listing.upstreams[:first]
        for upstream in sorted(rotated, key=self._resting) if self._failed_at else rotated:
            yield upstream, self._client(upstream)

    def failed(
        self, listing: ServedListing, upstream: Upstream, fault: UpstreamFault, *, delivered: bool = False
    ) -> UpstreamFault:
        """Log how an upstream failed, and return the fault as a caller may see it; `delivered`: after some output."""
        refused = isinstance(fault, UpstreamRejected)
        extra = {"asset": listing.name, "upstream": upstream.url, "code": fault.code, "details": dict(fault.details)}
        logger.log(logging.INFO if refused else logging.WARNING, "upstream: %s", fault.message, extra=extra)
        if not refused:
            self._failed_at[upstream] = self._clock.monotonic()
        return redact_fault(fault, listing.name, upstream, delivered=delivered)

    def learned(self, listing: ServedListing) -> tuple[Upstream, ...] | None:
        """Return the listing's upstreams with what calls taught about them; None if that was nothing new."""
        clients = self._clients
        named = [(each, clients[each].output_limit if each in clients else "") for each in listing.upstreams]
        if all(name in ("", each.output_limit) for each, name in named):
            return None
        return tuple(replace(each, output_limit=name or each.output_limit) for each, name in named)

    async def close(self) -> None:
        """Close every connection."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.close()

    def _resting(self, upstream: Upstream) -> bool:
        failed_at = self._failed_at.get(upstream)
        return failed_at is not None and self._clock.monotonic() - failed_at < self._limits.rest_seconds

    def _client(self, upstream: Upstream) -> UpstreamClient:
        client = self._clients.get(upstream)
        if client is None:
            client = self._clients[upstream] = UpstreamClient(
                upstream.url,
                upstream.api_key,
                self._limits.upstream,
                output_limit=upstream.output_limit,
                reach=upstream.reach,
            )
        return client
