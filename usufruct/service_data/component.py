"""What figures of services add to an installation where `markets.api` is yes: a job, and paths of `/v2`."""

from collections.abc import AsyncIterator, Sequence
from importlib import import_module
from typing import Any

from usufruct.config import Config
from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostic, Finding
from usufruct.core.jobs import Job

_SECONDS = 600.0


def build(context: Context) -> Component:
    """Build the component; without the API it adds nothing, and loads no numbers."""

    def serves() -> bool:
        return context.get(Config).markets.api == "yes"

    def routes() -> Sequence[Any]:
        return _serving().build_routes(context) if serves() else ()

    def jobs() -> list[Job]:
        return [Job("service-figures", _serving().build_job(context).step, _SECONDS)] if serves() else []

    async def check() -> AsyncIterator[Finding]:
        for finding in _serving().check_services(context) if serves() else ():
            yield finding

    return Component(
        "service_data",
        routes=routes,
        jobs=jobs,
        diagnostics=(Diagnostic("figures of services", check, needs=("contracts",)),),
    )


def _serving() -> Any:
    return import_module("usufruct.service_data.serving")
