"""`usufruct serve`: one gateway process."""

import orjson

from usufruct.app import open_installation, serve
from usufruct.cli.running import run
from usufruct.config import load_config


def serve_command() -> None:
    """Serve the gateway of the configured installation; says where in one JSON line."""

    async def work() -> None:
        async with open_installation(load_config()) as installation:
            await serve(installation, lambda url: print(orjson.dumps({"url": url}).decode(), flush=True))  # noqa: T201

    run(work)
