"""What the store adds to an installation: whether the database is sound, and whether processes' jobs are."""

from collections.abc import AsyncIterator

from usufruct.core import Clock, moment
from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostic, Finding, bad, good, skipped
from usufruct.store.database import Database
from usufruct.store.job_states import reported_jobs
from usufruct.store.migration import ensure_current

_MOST_SKEW = 5


def build(context: Context) -> Component:
    """Build the component."""
    return Component(
        "store",
        readiness={"database": lambda: context.get(Database).now()},
        diagnostics=(
            Diagnostic("database", lambda: check_database(context.get(Database))),
            Diagnostic("jobs", lambda: check_jobs(context.get(Database)), needs=("database",)),
        ),
    )


async def check_database(database: Database) -> AsyncIterator[Finding]:
    """Check that the database answers and has this version's schema, and that its clock agrees with ours."""
    await ensure_current(database)
    skew = await database.now() - Clock().now()
    if abs(skew) > _MOST_SKEW:
        yield bad("database", f"its clock and this machine's are {abs(skew)} s apart", "have both set by NTP")
    else:
        yield good("database", f"{database.dialect}, schema up to date")


async def check_jobs(database: Database) -> AsyncIterator[Finding]:
    """No job of a running gateway or worker fails again and again."""
    jobs = await reported_jobs(database)
    failing = [(process, state) for process, state in jobs if state.fails]
    for process, state in failing:
        yield bad(
            "jobs",
            f"{state.name} of {process} fails since {moment(state.failing_since or 0)}, {state.failures} times in a "
            f"row: {state.code}, {state.message}",
            "mend what it names; it is tried again by itself",
        )
    if not jobs:
        yield skipped("jobs", "no gateway or worker has run in the last minutes: nothing is claimed or refunded")
    elif not failing:
        yield good("jobs", f"all {len(jobs)} of {len({process for process, _ in jobs})} processes do well")
