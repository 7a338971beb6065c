"""What `sell` learns from an upstream before it is put on offer."""

from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from usufruct.assets import Caps
from usufruct.cli.sell import output_caps
from usufruct.cli.support.progress import Progress
from usufruct.cli.support.upstream_picker import find_source
from usufruct.gateway import Endpoint

CHUNK = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


@asynccontextmanager
async def upstream(per_token: int, *, refuses: str = "", reports: bool = True):
    """A model whose text tokens have `per_token` bytes, behind a template of 20."""
    bodies = []

    async def chat(request: web.Request) -> web.Response:
        body = await request.json()
        bodies.append(body)
        if refuses in body:
            message = f"'{refuses}' is not supported with this model, use 'max_completion_tokens' instead"
            return web.json_response({"error": {"message": message}}, status=400)
        if body.get("stream"):
            return web.Response(body=CHUNK, content_type="text/event-stream")
        tokens = 20 + len(body["messages"][0]["content"].encode()) // per_token
        answer = {"choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}]}
        if reports:
            answer["usage"] = {"prompt_tokens": tokens, "completion_tokens": 1, "total_tokens": tokens + 1}
        return web.json_response(answer)

    async def models(request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "m", "owned_by": "tests"}]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", bodies
    finally:
        await runner.cleanup()


async def look(url: str):
    return await find_source(url, "", None, None, Endpoint.CHAT, Progress(to_stderr=True))


@pytest.mark.parametrize("per_token", [3, 5, 8])
async def test_the_length_of_its_text_tokens_is_measured_whatever_its_template_adds(per_token):
    async with upstream(per_token) as (url, _):
        source = await look(url)
    assert source.bytes_per_token_ppm == pytest.approx(per_token * 1_000_000, rel=0.03)


async def test_a_server_that_does_not_say_is_not_measured():
    async with upstream(4, reports=False) as (url, _):
        assert (await look(url)).bytes_per_token_ppm == 0


async def test_a_server_that_wants_the_other_name_for_the_limit_can_be_sold():
    async with upstream(4, refuses="max_tokens") as (url, bodies):
        source = await look(url)
    assert source.upstream.output_limit == "max_completion_tokens"
    assert sum("max_tokens" in body for body in bodies) == 1
    assert not any({"max_tokens", "max_completion_tokens"} <= body.keys() for body in bodies)


@pytest.mark.parametrize(
    ("given", "caps"),
    [
        ({}, Caps()),
        ({"most": 100}, Caps(100, 100)),
        ({"usual": 512}, Caps(512, 65_536)),
        ({"usual": 512, "most": 2_048}, Caps(512, 2_048)),
        ({"reasoning": 9_000}, Caps(reasoning_output=9_000)),
    ],
)
def test_the_seller_sets_the_limits_of_output(given, caps):
    assert output_caps(**given) == caps
