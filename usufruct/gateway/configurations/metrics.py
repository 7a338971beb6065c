"""Which services are not served as their shareholders decided, for monitoring."""

from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from usufruct.gateway.catalogue import Catalogue


async def configuration_metrics(catalogue: Catalogue) -> Iterable[Metric]:
    """Return 1 for each service whose newest configuration is not in force, 0 for others that follow one."""
    behind = GaugeMetricFamily(
        "usufruct_configuration_behind", "1: the newest configuration is not in force.", labels=["asset"]
    )
    for listing in await catalogue.list():
        if listing.followed is not None:
            behind.add_metric([listing.name], float(bool(listing.followed.problem)))
    return [behind]
