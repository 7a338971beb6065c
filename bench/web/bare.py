"""The floor to compare with: a Starlette application that answers one page as it lies in memory.

It runs on the server settings of `usufruct serve`. `python -m bench.web.bare FILE` prints {"url": ...}.
"""

import asyncio
import json
import sys
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from usufruct.web import Server, base_url, event_loop_factory, listen


async def _serve(content: bytes) -> None:
    async def page(request: Request) -> Response:
        return Response(content, headers={"content-encoding": "gzip"}, media_type="text/html")

    with listen("127.0.0.1", 0) as listening:
        server = Server(Starlette(routes=[Route("/", page)]))
        print(json.dumps({"url": base_url(listening, "127.0.0.1")}), flush=True)
        await server.serve(sockets=[listening])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        runner.run(_serve(Path(sys.argv[1]).read_bytes()))
