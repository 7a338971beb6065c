"""`/metrics`: a process's numbers in Prometheus' text format, for its operator only, on a separate listener."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from starlette.responses import Response

from usufruct.core import Clock
from usufruct.core.components import Reading
from usufruct.core.jobs import JobBoard
from usufruct.web.request import Request
from usufruct.web.router import Route

_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Metrics:
    """What one process counts itself, in `registry`, and what it reads at each scrape."""

    def __init__(self, readings: Mapping[str, Reading], registry: CollectorRegistry | None = None) -> None:
        """Take `readings`, by the name under which they are reported when they fail."""
        self.registry = registry or CollectorRegistry()
        self._readings = dict(readings)

    def add(self, name: str, reading: Reading) -> None:
        """Read something else as well."""
        self._readings[name] = reading

    @property
    def routes(self) -> list[Route]:
        """The route to serve."""
        return [Route("GET", "/metrics", self._show)]

    async def _show(self, request: Request) -> Response:
        found = await asyncio.gather(*(_read(name, read) for name, read in self._readings.items()))
        answered = GaugeMetricFamily(
            "usufruct_reading_ok", "1: this part could be read now; 0: its numbers are left out.", labels=["part"]
        )
        for name, metrics in zip(self._readings, found, strict=True):
            answered.add_metric([name], metrics is not None)
        shown = _Shown([*self.registry.collect(), *(each for metrics in found for each in metrics or ()), answered])
        body = await asyncio.to_thread(generate_latest, shown)
        return Response(body, media_type=CONTENT_TYPE_LATEST)


class _Shown:
    """`Collector` of what was collected already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


async def _read(name: str, read: Reading) -> list[Metric] | None:
    try:
        return list(await asyncio.wait_for(read(), _SECONDS))
    except Exception:  # whatever it is, the other numbers are wanted all the more
        logger.exception("cannot be read for /metrics: %s", name)
        return None


async def job_metrics(board: JobBoard, clock: Clock) -> Sequence[Metric]:
    """Return for how long each job fails, and how often it did since the process began."""
    failing = GaugeMetricFamily(
        "usufruct_job_failing_seconds", "For how long this job fails; 0: it does not.", labels=["job", "code"]
    )
    failed = CounterMetricFamily("usufruct_job_failures", "Steps of this job that failed.", labels=["job"])
    now = clock.now()
    for state in board.states:
        seconds = 0 if state.failing_since is None else max(1, now - state.failing_since)
        failing.add_metric([state.name, state.code], seconds)
        failed.add_metric([state.name], state.failed)
    return [failing, failed]
