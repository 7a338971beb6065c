"""What a call teaches about an upstream's name for the limit of output is kept with the service."""

import asyncio

import pytest
from aiohttp import web
from openai import AsyncOpenAI

ASK = [{"role": "user", "content": "hi"}]


@pytest.fixture
async def strict():
    bodies = []

    async def chat(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        if "max_tokens" in bodies[-1]:
            error = {"message": "'max_tokens' is not supported; use 'max_completion_tokens' instead"}
            return web.json_response({"error": error}, status=400)
        message = {"role": "assistant", "content": "hi"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        return web.json_response({"id": "c", "object": "chat.completion", "choices": choices, "usage": usage})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", bodies
    await runner.cleanup()


async def test_it_is_stored_for_the_next_start(gateway_module, gateway_url, strict):
    url, bodies = strict
    async with gateway_module.gateway_world(gateway_url, lease_seconds=1) as world:
        await world.asset("hamlet", url)
        key = await world.key()
        async with gateway_client(world, key) as client:
            assert (await client.chat.completions.create(model="hamlet", messages=ASK)).choices
        async with asyncio.timeout(30):
            while (await world.catalogue.find("hamlet")).upstreams[0].output_limit != "max_completion_tokens":
                await asyncio.sleep(0.05)
    assert len(bodies) == 2
    async with gateway_module.gateway_world(gateway_url) as world, gateway_client(world, key) as client:
        assert (await client.chat.completions.create(model="hamlet", messages=ASK)).choices
    assert len(bodies) == 3


def gateway_client(world, key):
    return AsyncOpenAI(api_key=key.text, base_url=world.url, max_retries=0, timeout=120)
