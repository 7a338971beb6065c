"""`usufruct serve`, `usufruct work`: one gateway, one worker; as many of each as you like share a database."""

import asyncio
import logging

import orjson

from usufruct.app import open_installation, serve, show_metrics
from usufruct.cli.running import Attached, run_server
from usufruct.config import load_config
from usufruct.core import Shutdown, end_with_standard_input, spare_collector
from usufruct.web import log_as_json
from usufruct.worker import work

_TALKATIVE = ("alembic", "uvicorn")
"""Libraries that say at level info what we say ourselves, or nobody needs to read."""

_log = logging.getLogger(__name__)


def serve_command(attached: Attached = False) -> None:
    """Serve the gateway of the configured installation; says where in one JSON line."""

    async def serving(shutdown: Shutdown) -> None:
        async with open_installation(load_config(), wait_for_node=False) as installation:
            spare_collector()
            await serve(installation, lambda url: _announce({"url": url}), shutdown)

    _begin(attached)
    run_server(serving)


def work_command(attached: Attached = False) -> None:
    """Follow the chain, claim, deposit, refund, pay what is owed, until told to stop; says so in one JSON line."""

    async def working(_: Shutdown) -> None:
        async with (
            open_installation(load_config(), wait_for_node=False) as installation,
            show_metrics(installation, "worker"),
        ):
            jobs = installation.jobs()
            _announce({"jobs": [job.name for job in jobs]})
            await work(jobs, installation.board("worker"))

    _begin(attached)
    run_server(working)


def _begin(attached: bool) -> None:
    log_as_json()
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(logging.WARNING)
    if attached:
        end_with_standard_input()


def _announce(ready: dict[str, object]) -> None:
    loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    _log.info("ready", extra={**ready, "event_loop": loop})
    print(orjson.dumps(ready).decode(), flush=True)  # noqa: T201 - what `Process` waits for
