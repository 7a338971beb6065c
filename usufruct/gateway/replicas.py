"""The servers behind the assets: one client for each, and the order in which a call tries them."""

import logging
from collections.abc import Iterator
from dataclasses import replace

from usufruct.connectors.openai import Limits, UpstreamClient, UpstreamFault, UpstreamRejected
from usufruct.core import Clock
from usufruct.gateway.model import ServedListing, Upstream
from usufruct.gateway.outward import outward_fault

REST_SECONDS = 5.0
"""How long a server that failed is tried last."""

logger = logging.getLogger(__name__)


class Replicas:
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
        for replica in sorted(rotated, key=self._resting):
            yield replica, self._upstream(replica)

    def failed(
        self, asset: ServedListing, replica: Upstream, fault: UpstreamFault, *, delivered: bool = False
    ) -> UpstreamFault:
        """Log how a server failed, and return the fault as a caller may see it; `delivered`: after some output."""
        refused = isinstance(fault, UpstreamRejected)
        extra = {"asset": asset.name, "upstream": replica.url, "code": fault.code, "details": dict(fault.details)}
        logger.log(logging.INFO if refused else logging.WARNING, "upstream: %s", fault.message, extra=extra)
        if not refused:
            self._failed_at[replica] = self._clock.monotonic()
        return outward_fault(fault, asset.name, replica, delivered=delivered)

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

    def _resting(self, replica: Upstream) -> bool:
        failed_at = self._failed_at.get(replica)
        return failed_at is not None and self._clock.monotonic() - failed_at < REST_SECONDS

    def _upstream(self, replica: Upstream) -> UpstreamClient:
        if replica not in self._upstreams:
            self._upstreams[replica] = UpstreamClient(
                replica.url, replica.api_key, self._limits, output_limit=replica.output_limit
            )
        return self._upstreams[replica]
