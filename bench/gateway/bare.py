"""The floor to compare with: a Starlette application that passes chat completions through by aiohttp, and no more.

It runs on the server settings of `usufruct serve`. `python -m bench.gateway.bare UPSTREAM_URL` prints {"url": ...}.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from usufruct.web import Server, base_url, event_loop_factory, listen


def application(upstream: str) -> Starlette:
    """Return the proxy to `upstream` (a base URL)."""
    session: aiohttp.ClientSession

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        nonlocal session
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), auto_decompress=False) as session:
            yield

    async def chat(request: Request) -> Response:
        body = await request.body()
        headers = {"content-type": "application/json"}
        answer = await session.post(f"{upstream}/chat/completions", data=body, headers=headers)
        media_type = answer.headers.get("content-type")
        if media_type != "text/event-stream":
            return Response(await answer.read(), answer.status, media_type=media_type)

        async def events() -> AsyncIterator[bytes]:
            async for data in answer.content.iter_any():
                yield data

        return StreamingResponse(events(), answer.status, media_type=media_type)

    return Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])], lifespan=lifespan)


async def _serve(upstream: str) -> None:
    with listen("127.0.0.1", 0) as listening:
        server = Server(application(upstream))
        print(json.dumps({"url": f"{base_url(listening, '127.0.0.1')}/v1"}), flush=True)
        await server.serve(sockets=[listening])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        runner.run(_serve(sys.argv[1]))
