"""An OpenAI-compatible server whose answers take as long as a test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import orjson
from aiohttp import web

BEFORE = ("To", " be", " or")
AFTER = (" not", " to", " be")


@dataclass
class PacedUpstream:
    """A server's base URL; every answer waits for `go_on`, a stream after its first three words."""

    url: str = ""
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.release()
        usage = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}
        if not body.get("stream"):
            await self.go_on.wait()
            message = {"role": "assistant", "content": "".join(BEFORE + AFTER)}
            return web.json_response({"id": "c", "choices": [{"index": 0, "message": message}], "usage": usage})
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionError):
            for words in (BEFORE, AFTER):
                for word in words:
                    await say(response, {"id": "c", "choices": [{"index": 0, "delta": {"content": word}}]})
                await self.go_on.wait()
            await say(response, {"id": "c", "choices": [], "usage": usage})
            await response.write(b"data: [DONE]\n\n")
        return response


async def say(response: web.StreamResponse, event: dict[str, object]) -> None:
    await response.write(b"data: " + orjson.dumps(event) + b"\n\n")


@asynccontextmanager
async def paced_upstream() -> AsyncIterator[PacedUpstream]:
    """Serve on a free port of this machine."""
    upstream = PacedUpstream()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", upstream.answer)
    runner = web.AppRunner(app, shutdown_timeout=1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    upstream.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield upstream
    finally:
        upstream.go_on.set()
        await runner.cleanup()
