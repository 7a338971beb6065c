"""A gateway that shuts down: calls end whole and billed; past the bound they are cut, billed for what was delivered."""

import asyncio

import openai
import pytest
from openai import AsyncOpenAI

from tests.support.paced_upstream import BEFORE, PacedUpstream, paced_upstream
from usufruct.web import ServerLimits

ASK = {"model": "hamlet", "messages": [{"role": "user", "content": "What is the question?"}]}
OWN_INPUT = 21  # what a chat template adds is left out of a part


async def streamed(client: AsyncOpenAI, chunks: list, begun: asyncio.Event) -> None:
    async for chunk in await client.chat.completions.create(**ASK, stream=True):
        chunks.append(chunk)
        if len(chunks) == len(BEFORE):
            begun.set()


class Calls:
    """Two streams and a whole call in the middle, each with a key of its own."""

    def __init__(self) -> None:
        self.chunks: list[list] = [[], []]
        self.tasks: list[asyncio.Task] = []
        self.keys: list = []

    async def begin(
        self, world, upstream: PacedUpstream, clients: list[AsyncOpenAI], vocabulary: bytes | None = None
    ) -> None:
        await world.asset("hamlet", upstream.url, vocabulary=vocabulary)
        self.keys = [await world.key() for _ in range(3)]
        clients += [AsyncOpenAI(api_key=key.text, base_url=world.url, max_retries=0, timeout=120) for key in self.keys]
        begun = [asyncio.Event(), asyncio.Event()]
        ways = zip(clients[:2], self.chunks, begun, strict=True)
        self.tasks = [asyncio.create_task(streamed(*way)) for way in ways]
        self.tasks.append(asyncio.create_task(clients[2].chat.completions.create(**ASK)))
        async with asyncio.timeout(60):
            for each in begun:
                await each.wait()
            for _ in range(3):
                await upstream.asked.acquire()

    async def results(self) -> list:
        async with asyncio.timeout(60):
            return await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
async def clients():
    made: list[AsyncOpenAI] = []
    yield made
    for client in made:
        await client.close()


async def test_running_calls_end_whole_and_are_billed(gateway_module, gateway_url, clients):
    async with paced_upstream() as upstream, gateway_module.gateway_world(gateway_url) as world:
        calls = Calls()
        await calls.begin(world, upstream, clients)
        world.server.drain()
        with pytest.raises(openai.APIConnectionError):  # noqa: PT012 - the listener closes a moment later
            while True:
                await clients[0].models.list()
        upstream.go_on.set()
        *_, whole = await calls.results()
        assert whole.choices[0].message.content == "To be or not to be"
        for chunks in calls.chunks:
            assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "To be or not to be"
        await world.stopped.wait()
        for key in calls.keys:
            (bill,) = await world.bills(key)
            assert (bill.bill.usage.input_tokens, bill.bill.usage.output_tokens) == (4, 6)
            assert (await world.channel(key)).reserved == 0


async def test_calls_that_pass_the_bound_are_cut_and_billed_for_what_was_delivered(
    gateway_module, gateway_url, clients, byte_vocabulary
):
    limits = ServerLimits(drain_seconds=0.2)
    async with (
        paced_upstream() as upstream,
        gateway_module.gateway_world(gateway_url, server_limits=limits) as world,
    ):
        calls = Calls()
        await calls.begin(world, upstream, clients, byte_vocabulary)
        world.server.drain()
        *streams, whole = await calls.results()
        for error in streams:
            assert isinstance(error, openai.APIError), error
            assert error.code == "shutting_down"
            assert error.body["code"] == "shutting_down"
        assert isinstance(whole, openai.InternalServerError)
        assert (whole.status_code, whole.code) == (503, "shutting_down")
        await world.stopped.wait()
        for key in calls.keys[:2]:
            (bill,) = await world.bills(key)
            assert bill.bill.usage.input_tokens == OWN_INPUT
            assert bill.bill.usage.output_tokens == len("".join(BEFORE))
        assert await world.bills(calls.keys[2]) == []
        for key in calls.keys:
            assert (await world.channel(key)).reserved == 0


async def test_a_call_cut_while_its_ceiling_is_set_aside_leaves_nothing_reserved(
    gateway_module, gateway_url, clients, monkeypatch
):
    async with paced_upstream() as upstream, gateway_module.gateway_world(gateway_url) as world:
        await world.asset("hamlet", upstream.url)
        key = await world.key()
        open_call, opening = world.ledger.open, asyncio.Event()

        async def slowly(reservation):
            held = await open_call(reservation)
            await held.durable()
            opening.set()
            await asyncio.Event().wait()
            return held

        monkeypatch.setattr(world.ledger, "open", slowly)
        clients.append(AsyncOpenAI(api_key=key.text, base_url=world.url, max_retries=0, timeout=120))
        call = asyncio.create_task(clients[0].chat.completions.create(**ASK))
        await asyncio.wait_for(opening.wait(), 60)
        assert (await world.channel(key)).reserved > 0
        world.server.cut()
        with pytest.raises(openai.InternalServerError):
            await call
        await world.stopped.wait()
        assert (await world.channel(key)).reserved == 0
        assert await world.bills(key) == []
