"""Checks of what runs in the background: jobs of running processes that fail, logs that the node hid."""

from collections.abc import AsyncIterator

from usufruct.cli.doctor.findings import Finding, bad, good, skipped
from usufruct.core import moment
from usufruct.store import Database, reported_jobs


async def check_jobs(database: Database) -> AsyncIterator[Finding]:
    """No job of a running gateway or worker fails again and again."""
    jobs = await reported_jobs(database)
    failing = [each for each in jobs if each.state.fails]
    for process, state in ((each.process, each.state) for each in failing):
        since = moment(state.failing_since or 0)
        yield bad(
            "jobs",
            f"{state.name} of {process} fails since {since}, {state.failures} times in a row: {state.code}, "
            f"{state.message}",
            "mend what it names; it is tried again by itself",
        )
    if not jobs:
        yield skipped("jobs", "no gateway or worker has run in the last minutes: nothing is claimed or refunded")
    elif not failing:
        yield good("jobs", f"all {len(jobs)} of {len({each.process for each in jobs})} processes do well")
