"""Stock x402 clients, in Python and JavaScript, with and without an RPC address: deposits last, and calls go on.

The calls name no output limit: their ceiling is some hundred times what they are charged.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import openai
import pytest
from x402.http.clients import x402HttpxClient
from x402.http.clients.httpx import x402AsyncTransport

from tests.support import x402_installation as worlds
from tests.support import x402_js_client as stock_js
from usufruct.assets import Caps
from usufruct.core.price_cards import PriceCard

DOLLAR, decoded = worlds.DOLLAR, worlds.decoded
LONG = PriceCard(
    input_per_million=10_000_000, output_per_million=30_000_000, per_call=0, context_window=32_768, version=1
)
CEILING = 4_096 * 30  # of a call that names no output limit, its input aside

pytestmark = pytest.mark.anvil
CLIENTS = pytest.mark.parametrize("language", ["python", "javascript"])
RPC = pytest.mark.parametrize("rpc", [True, False], ids=["with RPC", "without RPC"])


@pytest.fixture
async def world(devnet_template, tmp_path) -> AsyncIterator[object]:
    async with worlds.x402_installation(devnet_template, tmp_path) as opened:
        await opened.sell("chat", card=LONG, caps=Caps())
        yield opened


class PythonClient:
    """PyPI's client with the face of `StockClient`."""

    def __init__(self, http: httpx.AsyncClient, url: str, scheme) -> None:
        self._http, self._url, self._scheme = http, f"{url}/chat/completions", scheme

    async def call(self, body: dict) -> dict:
        answer = await self._http.post(self._url, json=body)
        return {"status": answer.status_code, "headers": dict(answer.headers), "text": answer.text}

    async def refund(self) -> dict:
        return {"amount": (await asyncio.to_thread(self._scheme.refund, self._url)).amount}


@asynccontextmanager
async def client_of(world, account, language: str, *, rpc: bool, least: bool = False):
    """`least`: it deposits no more than its own count says it must."""
    most = DOLLAR // 5
    if language == "javascript":
        async with stock_js.stock_client(world, account, rpc=rpc, most=most, least=least) as client:
            yield client
        return
    options = {"deposit_strategy": lambda context: context.minimum_deposit_amount} if least else {}
    scheme = world.scheme(account, rpc=rpc, **options)
    async with x402HttpxClient(world.payer(scheme, most=most), timeout=30) as http:
        yield PythonClient(http, world.url, scheme)


def open_ended(**more) -> dict:
    body = worlds.request(**more)
    if "max_tokens" not in more:
        del body["max_tokens"]
    return body


@CLIENTS
@RPC
async def test_one_deposit_lasts_for_thirty_streams(world, language, rpc):
    account = await world.account(dollars=1)
    async with client_of(world, account, language, rpc=rpc) as client:
        for turn in range(30):
            answer = await client.call(open_ended(stream=True))
            assert answer.get("status") == 200, (turn, answer)
            assert bool(decoded(answer["headers"]["payment-response"])["transaction"]) == (turn == 0)
    channel = await world.channel_of(account)
    assert len(await world.bills(account)) == 30
    assert 0 < channel.charged < CEILING
    assert channel.reading.balance == DOLLAR - await world.balance(account)


@CLIENTS
@RPC
async def test_streams_and_whole_answers_in_turn_use_a_deposit_up_before_the_next(world, language, rpc):
    """Whatever was deposited is spent but for two ceilings when the client brings more."""
    account = await world.account(dollars=1_000)
    async with client_of(world, account, language, rpc=rpc) as client:
        left = []
        for turn in range(40):
            before = await world.channel_of(account) if turn else None
            answer = await client.call(open_ended(stream=turn % 3 != 2, max_tokens=(2_000, 500, 40)[turn % 3]))
            assert answer.get("status") == 200, (turn, answer)
            if before and decoded(answer["headers"]["payment-response"])["transaction"]:
                left.append(before.free)
    assert all(free < 2 * 2_000 * 30 + 1_000 for free in left), left


@CLIENTS
@RPC
async def test_a_small_call_after_a_long_stream_needs_no_deposit(world, language, rpc):
    """The client counts the stream at its ceiling, and wants to deposit for the small call: it is served without."""
    account = await world.account(dollars=1_000)
    async with client_of(world, account, language, rpc=rpc, least=True) as client:
        assert (await client.call(open_ended(stream=True, max_tokens=5_000)))["status"] == 200
        held = await world.balance(account)
        for turn in range(6):
            answer = await client.call(open_ended(stream=turn % 2 == 0, max_tokens=4_000))
            assert answer.get("status") == 200, (turn, answer)
    assert await world.balance(account) == held
    assert len(await world.bills(account)) == 7


@CLIENTS
@RPC
@pytest.mark.parametrize("most", [None, 50], ids=["no output limit", "an output limit"])
async def test_a_client_goes_on_after_a_full_refund(world, language, rpc, most):
    """It has forgotten its channel; without an RPC address it starts from 0, and cannot be told otherwise."""
    named = {} if most is None else {"max_tokens": most}
    account = await world.account(dollars=1)
    async with client_of(world, account, language, rpc=rpc) as client:
        assert (await client.call(open_ended(stream=True, **named)))["status"] == 200
        assert "error" not in await client.refund()
        answer = await client.call(open_ended(**named))
        if answer["status"] == 402 and most and not rpc:  # it named what it wants: nothing less is given unasked
            assert answer["headers"]["x-should-retry"] == "true", "what OpenAI's clients repeat by themselves"
            answer = await client.call(open_ended(**named))
        assert answer.get("status") == 200, answer
        for _ in range(3):
            assert (await client.call(open_ended(stream=True, **named))).get("status") == 200
    assert len(await world.bills(account)) == 5
    channel = await world.channel_of(account)
    assert channel.reading.balance == DOLLAR - await world.balance(account)


async def test_openais_client_goes_on_after_a_full_refund_by_itself(world):
    account = await world.account(dollars=1)
    scheme = world.scheme(account, rpc=False)
    transport = x402AsyncTransport(world.payer(scheme, most=DOLLAR // 5))
    http = httpx.AsyncClient(transport=transport, timeout=30)
    async with openai.AsyncOpenAI(api_key="x402", base_url=world.url, http_client=http) as client:
        await client.chat.completions.create(**worlds.request())
        await asyncio.to_thread(scheme.refund, f"{world.url}/chat/completions")
        await client.chat.completions.create(**worlds.request())
        await client.chat.completions.create(**worlds.request(max_tokens=40))
    assert len(await world.bills(account)) == 3
