"""What the store adds to an installation: whether the database is sound, and whether processes' jobs are."""

from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostic
from usufruct.store.database import Database
from usufruct.store.diagnostics import check_database, check_jobs


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
