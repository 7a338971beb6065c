"""Checks of the database, and of the jobs that running processes report there."""

from collections.abc import AsyncIterator

from usufruct.core import SystemClock, moment
from usufruct.core.diagnostics import Finding, bad, good, skipped
from usufruct.store.database import Database
from usufruct.store.job_states import reported_jobs
from usufruct.store.migration import ensure_current

_MOST_SKEW = 5


async def check_database(database: Database) -> AsyncIterator[Finding]:
    """Check that the database answers and has this version's schema, and that its clock agrees with ours."""
    await ensure_current(database)
    skew = await database.now() - SystemClock().now()
    if abs(skew) > _MOST_SKEW:
        yield bad("database", f"its clock and this machine's are {abs(skew)} s apart", "have both set by NTP")
    else:
        yield good("database", f"{database.dialect}, schema up to date")


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
