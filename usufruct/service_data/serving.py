"""What needs numbers: the routes of a gateway, and the job of a worker. `component` loads this where it is used."""

from collections.abc import Iterator

from usufruct.analytics import CallSales, CurrentReader, MarketApi, MarketKeys
from usufruct.assets import Listings, ShareHolders
from usufruct.chain import TokenFacts
from usufruct.config import Config
from usufruct.core import Clock, Unavailable
from usufruct.core.components import Context
from usufruct.core.diagnostics import Finding, bad, good
from usufruct.core.networks import is_devnet
from usufruct.gateway import ServiceQuality
from usufruct.service_data.api import ServiceData, service_routes
from usufruct.service_data.service_files import read_table, service_folder
from usufruct.service_data.service_job import ServiceJob
from usufruct.web import RawRoute


def build_data(context: Context) -> ServiceData:
    """Return what a gateway answers from."""
    get = context.get
    reader = CurrentReader(service_folder(get(Config)), read_table, get(Clock))
    return ServiceData(
        reader, get(Listings), get(ServiceQuality), get(TokenFacts), get(Clock), is_devnet(get(Config).chain.id)
    )


def build_routes(context: Context) -> list[RawRoute]:
    """Return the routes."""
    return service_routes(build_data(context), MarketApi(context.get(MarketKeys), context.get(CallSales)))


def build_job(context: Context) -> ServiceJob:
    """Return what the worker computes."""
    get = context.get
    return ServiceJob(
        get(Listings),
        get(ServiceQuality),
        get(ShareHolders),
        get(TokenFacts),
        service_folder(get(Config)),
        get(Clock),
    )


def check_services(context: Context) -> Iterator[Finding]:
    """Check that the figures are there and not old."""
    try:
        state = build_data(context).state()
    except Unavailable as error:
        yield bad("figures of services", error.message, "run `usufruct worker`")
        return
    if state.stale:
        yield bad("figures of services", f"they are of {state.as_of}", "look at the worker's jobs")
    else:
        yield good("figures of services", f"they are of {state.as_of}")
