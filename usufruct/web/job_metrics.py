"""A process's background jobs as numbers for monitoring."""

from collections.abc import Sequence

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from usufruct.core import Clock
from usufruct.core.jobs import JobBoard


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
