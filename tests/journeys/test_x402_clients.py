"""The unmodified x402 client of PyPI (2.25) pays: by httpx and by requests, with and without an RPC address."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import openai
import pytest
import requests
from x402.http.clients import wrapRequestsWithPayment, x402HttpxClient
from x402.http.clients.httpx import x402AsyncTransport
from x402.mechanisms.evm.batch_settlement.client.file_storage import (
    FileChannelStorageOptions,
    FileClientChannelStorage,
)

from tests.support import x402_installation as world_module
from usufruct.chain import FEE_SINK
from usufruct.payments.settlement import Claimer, Refunds

request, decoded, DOLLAR = world_module.request, world_module.decoded, world_module.DOLLAR
CARD = world_module.CARD

pytestmark = pytest.mark.anvil
RPC = pytest.mark.parametrize("rpc", [True, False], ids=["with RPC", "without RPC"])


@pytest.fixture
async def world(devnet_template, tmp_path) -> AsyncIterator[object]:
    async with world_module.x402_installation(devnet_template, tmp_path) as opened:
        await opened.sell("chat")
        yield opened


def charge_of(answer) -> int:
    return int(answer.usage.cost_details["charge"])


@RPC
async def test_the_openai_client_over_x402_httpx_calls_after_calls(world, rpc):
    """Whole and streamed in any order: one deposit, and every voucher covers."""
    account = await world.account()
    transport = x402AsyncTransport(world.payer(world.scheme(account, rpc=rpc)))
    http = httpx.AsyncClient(transport=transport, timeout=30)
    charges = []
    async with openai.AsyncOpenAI(api_key="x402", base_url=world.url, http_client=http, max_retries=0) as client:
        for streamed in (False, True, True, False, True, False):
            ask = {**request(), "stream": streamed}
            if not streamed:
                charges.append(charge_of(await client.chat.completions.create(**ask)))
                continue
            stream = await client.chat.completions.create(**ask, stream_options={"include_usage": True})
            charges += [charge_of(chunk) async for chunk in stream if not chunk.choices]

    channel = await world.channel_of(account)
    assert len(charges) == 6
    assert all(charges)
    assert channel.charged == sum(charges)
    assert channel.reserved == 0
    assert await world.balance(account) == 1000 * DOLLAR - channel.reading.balance


@RPC
def test_requests_pays_too(devnet_template, tmp_path, rpc):
    async def story() -> None:
        async with world_module.x402_installation(devnet_template, tmp_path) as world:
            await world.sell("chat")
            account = await world.account()
            scheme = world.scheme(account, rpc=rpc)
            session = wrapRequestsWithPayment(requests.Session(), world.payer_sync(scheme))

            def call(**more):
                return session.post(f"{world.url}/chat/completions", json=request(**more), timeout=30)

            whole = await asyncio.to_thread(call)
            assert whole.status_code == 200, whole.text
            assert decoded(whole.headers["PAYMENT-RESPONSE"])["transaction"].startswith("0x")
            streamed = await asyncio.to_thread(call, stream=True)
            assert streamed.text.count("data: ") > 5
            again = await asyncio.to_thread(call)
            bills = await world.bills(account)
            assert [decoded(a.headers["PAYMENT-RESPONSE"])["extra"] for a in (whole, again)] == [
                {"chargedAmount": str(bills[0].bill.charge)},
                {"chargedAmount": str(bills[2].bill.charge)},
            ]
            told = decoded(streamed.headers["PAYMENT-RESPONSE"])["extra"]["chargedAmount"]
            assert int(told) == bills[1].ceiling > bills[1].bill.charge
            session.close()

    asyncio.run(story())


async def test_many_calls_until_the_deposit_is_used_up_bring_another(world):
    """What a deposit holds is spent but for a call or two when the next one is taken."""
    await world.sell("dear", card=replace(CARD, per_call=15_000))
    account = await world.account()
    async with x402HttpxClient(world.payer(world.scheme(account, rpc=False)), timeout=30) as http:
        deposits, left = 0, []
        for turn in range(30):
            free = (await world.channel_of(account)).free if turn else 0
            answer = await world.ask(http, model="dear", stream=bool(turn % 2), max_tokens=20)
            assert answer.status_code == 200, answer.text
            if decoded(answer.headers["payment-response"])["transaction"]:
                deposits, left = deposits + 1, [*left, free]
    channel = await world.channel_of(account)
    assert deposits == 5
    assert all(free < 2 * 15_200 for free in left)
    assert channel.reading.balance == 1000 * DOLLAR - await world.balance(account)


async def test_a_restarted_client_with_rpc_learns_what_was_spent_and_goes_on(world):
    """It only knows what the chain knows; the corrective 402 tells the rest, and it pays once more by itself."""
    account = await world.account()
    for _ in range(3):
        async with x402HttpxClient(world.payer(world.scheme(account, rpc=True)), timeout=30) as http:
            assert (await world.ask(http)).status_code == 200
    channel = await world.channel_of(account)
    assert len(await world.bills(account)) == 3
    assert channel.reading.balance == 1000 * DOLLAR - await world.balance(account) == DOLLAR // 10


async def test_a_restarted_client_without_rpc_goes_on_from_its_file(world, tmp_path):
    account = await world.account()
    for _ in range(3):
        storage = FileClientChannelStorage(FileChannelStorageOptions(str(tmp_path / "channels")))
        async with x402HttpxClient(world.payer(world.scheme(account, rpc=False, storage=storage)), timeout=30) as http:
            answer = await world.ask(http)
            assert answer.status_code == 200, answer.text
    assert len(await world.bills(account)) == 3


async def test_a_client_that_forgot_everything_deposits_nothing_in_vain(world):
    """Without RPC and memory its voucher starts from 0: refused before its deposit is made."""
    account = await world.account()
    async with x402HttpxClient(world.payer(world.scheme(account, rpc=False)), timeout=30) as http:
        assert (await world.ask(http)).status_code == 200
    held = await world.balance(account)
    async with x402HttpxClient(world.payer(world.scheme(account, rpc=False)), timeout=30) as http:
        refused = await world.ask(http)
    assert refused.status_code == 402
    assert refused.json()["error"]["code"] == "cumulative_amount_mismatch"
    assert await world.balance(account) == held


@RPC
async def test_stock_clients_run_in_parallel_over_several_salts(world, rpc):
    account = await world.account()

    async def one(salt: int) -> int:
        scheme = world.scheme(account, rpc=rpc, salt=f"0x{salt:064x}")
        async with x402HttpxClient(world.payer(scheme), timeout=60) as http:
            answers = [await world.ask(http, stream=bool(turn % 2)) for turn in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 200]
            return len(answers)

    assert sum(await asyncio.gather(*(one(salt) for salt in range(1, 7)))) == 18
    assert len(await world.channels()) == 6


async def test_the_clients_own_refund_gives_the_rest_back_and_the_next_call_deposits_again(world):
    account = await world.account()
    scheme = world.scheme(account, rpc=True)
    url = f"{world.url}/chat/completions"
    async with x402HttpxClient(world.payer(scheme), timeout=30) as http:
        assert (await world.ask(http)).status_code == 200
        answered = await asyncio.to_thread(scheme.refund, url)
        assert answered.success
        charged = (await world.channel_of(account)).charged
        assert await world.balance(account) == 1000 * DOLLAR - charged
        assert answered.amount == str(DOLLAR // 10 - charged)
        assert answered.transaction.startswith("0x")

        with pytest.raises(RuntimeError, match=r"no remaining balance|refund_no_balance"):
            await asyncio.to_thread(scheme.refund, url)
        assert (await world.ask(http)).status_code == 200
    assert len(await world.bills(account)) == 2


async def test_money_given_back_unasked_does_not_strand_the_client(world):
    """Its own books say there is money; the corrective 402 makes it look at the chain, and deposit anew."""
    account = await world.account()
    async with x402HttpxClient(world.payer(world.scheme(account, rpc=True)), timeout=30) as http:
        assert (await world.ask(http)).status_code == 200
        await world.installation.get(Refunds).refund((await world.channel_of(account)).reading.id)
        answer = await world.ask(http)
        assert answer.status_code == 200, answer.text
    assert len(await world.bills(account)) == 2


async def test_a_call_over_the_clients_own_limit_is_never_paid(world):
    account = await world.account()
    async with x402HttpxClient(world.payer(world.scheme(account, rpc=False), most=50), timeout=30) as http:
        with pytest.raises(Exception, match="spend_controls"):
            await world.ask(http)
    assert await world.channels() == []
    assert await world.balance(account) == 1000 * DOLLAR


async def test_everything_is_claimed_and_split_and_the_rest_goes_back(world):
    accounts = [await world.account() for _ in range(3)]
    before = await world.dollar.balance_of(FEE_SINK)
    for account in accounts:
        async with x402HttpxClient(world.payer(world.scheme(account, rpc=False)), timeout=30) as http:
            for streamed in (False, True):
                assert (await world.ask(http, stream=streamed)).status_code == 200
    charged = {account.address: (await world.channel_of(account)).charged for account in accounts}
    batches = await world.installation.get(Claimer).run(everything=True)
    assert len(batches) == 1
    for account in accounts:
        await world.installation.get(Refunds).refund((await world.channel_of(account)).reading.id)
        assert await world.balance(account) == 1000 * DOLLAR - charged[account.address]
    assert await world.dollar.balance_of(FEE_SINK) - before == sum(charged.values())


async def test_an_upstream_that_fails_costs_nothing_and_the_deposit_counts(world):
    await world.sell("broken", "error_500")
    account = await world.account()
    async with x402HttpxClient(world.payer(world.scheme(account, rpc=False)), timeout=30) as http:
        failed = await world.ask(http, model="broken")
        assert failed.status_code == 502
        assert decoded(failed.headers["payment-response"])["extra"] == {"chargedAmount": "0"}
        assert (await world.ask(http)).status_code == 200
    assert (await world.channel_of(account)).reading.balance == DOLLAR // 10  # one deposit was enough
    assert len(await world.bills(account)) == 1
