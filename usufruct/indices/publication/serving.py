"""What needs numbers: the routes of a gateway, and the job of a worker. `component` loads this where it is used."""

from collections.abc import AsyncIterator
from functools import partial

from usufruct.analytics import CallSales, CurrentReader, MarketApi, MarketKeys, current_snapshot
from usufruct.config import Config
from usufruct.core import Clock, Unavailable
from usufruct.core.components import Context
from usufruct.core.diagnostics import Finding, bad, good
from usufruct.indices.publication.api import CurrentIndices, index_routes
from usufruct.indices.publication.index_files import index_folder, read_indices
from usufruct.indices.publication.index_job import IndexJob
from usufruct.indices.publication.pages import index_pages
from usufruct.web import RawRoute, Route
from usufruct.web.ui import Pages


def build_current(context: Context) -> CurrentIndices:
    """Return the indices that a gateway answers from."""
    clock = context.get(Clock)
    return CurrentIndices(CurrentReader(index_folder(context.get(Config)), read_indices, clock), clock)


def build_routes(context: Context) -> list[RawRoute | Route]:
    """Return the routes of indices, and their pages."""
    current = build_current(context)
    api = MarketApi(context.get(MarketKeys), context.get(CallSales))
    return [*index_routes(current, api), *index_pages(current, context.get(Pages))]


def build_job(context: Context) -> IndexJob:
    """Return what the worker computes."""
    config = context.get(Config)
    return IndexJob(
        config.markets,
        config.data.folder / "prices",
        index_folder(config),
        partial(current_snapshot, config),
        context.get(Clock),
    )


async def check_indices(context: Context) -> AsyncIterator[Finding]:
    """Check that indices are there, computed and not stale."""
    current = build_current(context)
    try:
        tables, state = current.tables, current.state()
    except Unavailable as error:
        yield bad("indices", error.message, "import prices, and run `usufruct worker`")
        return
    problems = {each.rulebook.name: each.failure for each in tables.indices if each.failure} | dict(tables.failures)
    remedy = "import more prices, correct its rules, or leave it out of `markets.indices`"
    for name, reason in problems.items():
        yield bad("indices", f"{name} is not computed: {reason}", remedy)
    text = f"{len(tables.indices)} indices until {state.as_of}{', simulated' if state.synthetic else ''}"
    if state.stale:
        yield bad("indices", f"{text}, and newer ones should be there", "look at the sources of prices and the worker")
    elif not problems:
        yield good("indices", text)
