"""An OpenAI-compatible server that misbehaves on request; the first part of the path says how.

`server.url("cut")` is a base URL under which every answer is cut short. One word of output counts as one token.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

WORDS = ("To", " be", " or", " not", " to", " be", ":", " that", " is", " the", " question", ".")
BEFORE_TROUBLE = 3
HUGE = 1 << 21
STATUSES = {"error_500": 500, "error_429": 429, "rejected": 400, "denied": 401, "redirects": 307}
MODES = (
    "ok",
    "slow_first_byte",
    "stalls",
    "cut",
    "usage_high",
    "usage_low",
    "usage_zero",
    "usage_missing",
    "usage_invalid",
    "usage_cached",
    "usage_all_cached",
    "malformed",
    "huge_event",
    "never_ends",
    "ignores_max_tokens",
    "error_event",
    "no_done",
    "late_end",
    "not_a_stream",
    *STATUSES,
)


@dataclass
class MisbehavingServer:
    """Where it listens, and what it has been sent."""

    root: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, mode: str = "ok") -> str:
        assert mode in MODES, f"no such misbehaviour: {mode}"
        return f"{self.root}/{mode}/v1"


def usage_of(mode: str, body: dict[str, Any], output: int) -> Any:
    messages = " ".join(str(message.get("content")) for message in body.get("messages", []))
    source = messages or str(body.get("input", ""))
    factor = {"usage_high": 10, "usage_zero": 0}.get(mode, 1)
    honest: dict[str, Any] = {"prompt_tokens": len(source.split()) * factor, "completion_tokens": output * factor}
    if mode == "usage_invalid":
        return {"prompt_tokens": "7", "completion_tokens": -1, "total_tokens": None}
    if mode == "usage_low":
        honest = {"prompt_tokens": 1, "completion_tokens": min(output, 1)}
    honest["total_tokens"] = sum(honest.values())
    if mode == "usage_cached":
        honest["prompt_tokens_details"] = {"cached_tokens": 3}
    if mode == "usage_all_cached":
        honest["prompt_cache_hit_tokens"] = 1_000_000
    return None if mode == "usage_missing" else honest


def words_for(mode: str, body: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    allowed = body.get("max_completion_tokens", body.get("max_tokens"))
    if allowed is None or allowed >= len(WORDS) or mode == "ignores_max_tokens":
        return WORDS, "stop"
    return WORDS[:allowed], "length"


def sse(content: Any) -> bytes:
    return b"data: " + (content if isinstance(content, bytes) else orjson.dumps(content)) + b"\n\n"


def chunk(choices: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": choices,
    } | more


def delta(word: str, finish: str | None = None) -> dict[str, Any]:
    return chunk([{"index": 0, "delta": {"content": word} if word else {}, "finish_reason": finish}])


async def trouble(mode: str, request: web.Request, response: web.StreamResponse) -> bool:
    """Do what goes wrong after a few words; True when nothing may follow."""
    match mode:
        case "stalls":
            await asyncio.sleep(3600)
        case "cut":
            assert request.transport is not None
            request.transport.abort()
            return True
        case "no_done":
            return True
        case "malformed":
            await response.write(b'data: {"choices": [{"delta": \n\n')
        case "error_event":
            await response.write(sse({"error": {"message": "the graphics card is on fire", "code": 500}}))
        case "huge_event":
            await response.write(sse(delta("x" * HUGE)))
        case "never_ends":
            while True:
                await response.write(sse(delta(" more")))
                await asyncio.sleep(0.001)
    return False


async def stream(mode: str, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    if mode == "slow_first_byte":
        await asyncio.sleep(3600)
    words, finish = words_for(mode, body)
    for number, word in enumerate(words):
        if number == BEFORE_TROUBLE and await trouble(mode, request, response):
            return response
        await response.write(sse(delta(word)))
    await response.write(sse(delta("", finish)))
    if (body.get("stream_options") or {}).get("include_usage") and mode != "usage_missing":
        await response.write(sse(chunk([], usage=usage_of(mode, body, len(words)))))
    await response.write(sse(b"[DONE]"))
    if mode == "late_end":
        await asyncio.sleep(0.02)
    return response


async def whole(mode: str, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    if mode in {"slow_first_byte", "stalls", "never_ends"}:
        await asyncio.sleep(3600)
    words, finish = words_for(mode, body)
    text = "x" * HUGE if mode == "huge_event" else "".join(words)
    answer: dict[str, Any] = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m"}
    answer["choices"] = [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}]
    if (usage := usage_of(mode, body, len(words))) is not None:
        answer["usage"] = usage
    if mode == "error_event":
        answer = {"error": {"message": "the graphics card is on fire"}}
    raw = orjson.dumps(answer)
    if mode == "cut":
        response = web.StreamResponse(headers={"Content-Length": str(len(raw)), "Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(raw[:20])
        assert request.transport is not None
        request.transport.abort()
        return response
    return web.Response(body=raw[:-5] if mode == "malformed" else raw, content_type="application/json")


@asynccontextmanager
async def misbehaving_server() -> AsyncIterator[MisbehavingServer]:
    """Run the server on a free port of this machine."""
    server = MisbehavingServer()

    async def note(request: web.Request) -> tuple[str, dict[str, Any]]:
        body = orjson.loads(await request.read() or b"{}")
        server.requests.append(body)
        server.headers.append(dict(request.headers))
        assert request.transport is not None
        server.connections.add(request.transport.get_extra_info("peername"))
        return request.match_info["mode"], body

    def refusal(mode: str, request: web.Request) -> web.Response | None:
        if mode not in STATUSES:
            return None
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        message = f"sorry; you sent {key} " + "and so on " * 100
        headers = {"error_429": {"Retry-After": "7"}, "redirects": {"Location": "http://127.0.0.1:1/"}}.get(mode, {})
        return web.json_response({"error": {"message": message}}, status=STATUSES[mode], headers=headers)

    async def chat(request: web.Request) -> web.StreamResponse:
        mode, body = await note(request)
        if refused := refusal(mode, request):
            return refused
        try:
            streams = body.get("stream") and mode != "not_a_stream"
            return await (stream if streams else whole)(mode, request, body)
        except (ConnectionError, asyncio.CancelledError):
            server.hung_up.set()
            raise

    async def embeddings(request: web.Request) -> web.StreamResponse:
        mode, body = await note(request)
        usage = usage_of(mode, body, 0)
        if isinstance(usage, dict):
            usage.pop("completion_tokens")
        data = [{"object": "embedding", "index": 0, "embedding": [0.6, 0.8]}]
        answer = {"object": "list", "data": data, "model": "m", "usage": usage}
        return refusal(mode, request) or web.json_response(answer)

    async def models(request: web.Request) -> web.StreamResponse:
        mode, _ = await note(request)
        data = [{"id": "m", "object": "model", "owned_by": "tests", "max_model_len": 4096}, {"no": "id"}]
        return refusal(mode, request) or web.json_response({"object": "list", "data": data})

    app = web.Application()
    app.router.add_post("/{mode}/v1/chat/completions", chat)
    app.router.add_post("/{mode}/v1/embeddings", embeddings)
    app.router.add_get("/{mode}/v1/models", models)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.root = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
