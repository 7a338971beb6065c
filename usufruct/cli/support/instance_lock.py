"""The instance lock: one process for each data folder keeps an installation up; a file beside it tells where."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx
import orjson

from usufruct.config import Config
from usufruct.core import Conflict, Unavailable
from usufruct.core.files import replace_file

if sys.platform != "win32":
    import fcntl

_LOCK, _PLACE = "up.lock", "up.json"
_GATEWAY_SECONDS = 3.0


Publish = Callable[[Mapping[str, object]], None]
"""Writes down where the things of an installation are, for other commands."""


@contextmanager
def hold_instance(folder: Path) -> Iterator[Publish]:
    """Be the only one to keep the installation of a data folder up."""
    if sys.platform == "win32":
        raise Unavailable("`usufruct up` needs Linux or macOS; use WSL, or run `usufruct serve` and `usufruct worker`")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a+b") as file:
        if not _locks(file):
            there = running_instance(folder) or {}
            raise Conflict(
                f"the installation in {folder} is up already, by process {there.get('pid', 'unknown')}; stop that one, "
                "or set data.folder to another folder",
                code="already_up",
            )

        def publish(place: Mapping[str, object]) -> None:
            replace_file(folder / _PLACE, orjson.dumps({**place, "pid": os.getpid()}), 0o600)

        publish({})
        yield publish


def running_instance(folder: Path) -> Mapping[str, Any] | None:
    """Return where a running installation's things are; None when it does not run."""
    lock, place = folder / _LOCK, folder / _PLACE
    if sys.platform == "win32" or not lock.is_file():
        return None
    with lock.open("rb") as file:
        if _locks(file):
            return None
    found: Mapping[str, Any] = orjson.loads(place.read_bytes()) if place.is_file() else {}
    return found


def _locks(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


async def live_gateway_url(config: Config) -> str | None:
    """Return the base URL of a gateway that answers for this installation; None when there is none."""
    told = (running_instance(config.data.folder) or {}).get("url")
    for url in (told, f"http://{config.gateway.host}:{config.gateway.port}/v1" if config.gateway.port else None):
        if url and await _lives(url):
            return str(url)
    return None


async def _lives(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=_GATEWAY_SECONDS, trust_env=False) as client:
            answer = await client.get(f"{url.removesuffix('/v1')}/healthz")
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK
