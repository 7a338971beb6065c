"""What a gateway process and a worker process do at their start."""

import asyncio
import logging
from typing import Annotated

import orjson
import typer

from usufruct.core.process import end_with_standard_input
from usufruct.web import log_as_json

Attached = Annotated[bool, typer.Option("--attached", hidden=True, help="Exit when standard input ends.")]

_VERBOSE_LIBRARIES = ("alembic", "uvicorn")

_log = logging.getLogger(__name__)


def prepare_process(*, attached: bool) -> None:
    """Log as JSON; if `attached`, exit when standard input ends."""
    log_as_json()
    for library in _VERBOSE_LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)
    if attached:
        end_with_standard_input()


def announce_ready(ready: dict[str, object]) -> None:
    """Log and print the JSON line that `Process` waits for."""
    loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    _log.info("ready", extra={**ready, "event_loop": loop})
    print(orjson.dumps(ready).decode(), flush=True)  # noqa: T201
