"""What indices add to an installation where `markets.api` is yes: their values by the worker, `/v2` by the gateway."""

from collections.abc import AsyncIterator, Sequence
from importlib import import_module
from typing import Any

from usufruct.config import Config
from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostic, Finding
from usufruct.core.jobs import Job

_INDEX_SECONDS = 60.0
_BULLETIN_SECONDS = 60.0


def build(context: Context) -> Component:
    """Build the component; without the API it adds nothing, and loads no numbers."""

    def serves() -> bool:
        return context.get(Config).markets.api == "yes"

    def routes() -> Sequence[Any]:
        if not serves():
            return ()
        return [*_serving().build_routes(context), *_bulletins().build_routes(context)]

    def jobs() -> list[Job]:
        if not serves():
            return []
        return [
            Job("indices", _serving().build_job(context).step, _INDEX_SECONDS),
            Job("bulletins", _bulletins().build_job(context).step, _BULLETIN_SECONDS),
        ]

    async def check() -> AsyncIterator[Finding]:
        if serves():
            async for finding in _serving().check_indices(context):
                yield finding

    return Component("indices", routes=routes, jobs=jobs, diagnostics=(Diagnostic("indices", check),))


def _serving() -> Any:
    return import_module("usufruct.indices.publication.serving")


def _bulletins() -> Any:
    return import_module("usufruct.indices.bulletins.serving")
