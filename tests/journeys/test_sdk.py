"""Our client library against the real gateway and chain: many calls at once on one channel, and its books agree."""

import asyncio
from collections.abc import AsyncIterator

import openai
import pytest

from tests.support import x402_installation as worlds
from usufruct.gateway import Operator
from usufruct_client import OverLimit, Wallet, connect

DOLLAR = worlds.DOLLAR
ASK = {"messages": [{"role": "user", "content": "What is the question?"}], "max_tokens": 50, "model": "chat"}

pytestmark = pytest.mark.anvil


@pytest.fixture
async def world(devnet_template, tmp_path) -> AsyncIterator[object]:
    async with worlds.x402_installation(devnet_template, tmp_path) as opened:
        await opened.sell("chat")
        yield opened


def gateway_of(world, account, **options):
    url = world.url.removesuffix("/v1")
    usual = {"limit": 10_000, "budget": DOLLAR, "tokens": [world.installation.get(Operator).token]}
    return connect(url, Wallet.from_key(account.key), **usual | options)


async def one(client: openai.AsyncOpenAI, turn: int) -> int:
    """Ask whole, streamed, or streamed with the bill asked for, in turn; return what it was charged, if told."""
    if turn % 3 == 0:
        answer = await client.chat.completions.create(**ASK)
        return int(answer.usage.cost_details["charge"])
    told = {"include_usage": True} if turn % 3 == 1 else None
    stream = await client.chat.completions.create(**ASK, stream=True, stream_options=told)
    charges = [int(chunk.usage.cost_details["charge"]) async for chunk in stream if chunk.usage]
    return sum(charges)


async def test_forty_calls_at_once_on_one_channel_with_one_deposit(world, tmp_path):
    account = await world.account()
    with gateway_of(world, account, store=str(tmp_path / "channels.db")) as gateway:
        async with openai.AsyncOpenAI(
            base_url=gateway.base_url, api_key=gateway.api_key, http_client=gateway.async_client(), max_retries=0
        ) as client:
            told = await asyncio.gather(*(one(client, turn) for turn in range(40)))
        (mine,) = gateway.purse.channels
        theirs = await world.channel_of(account)
        assert sum(map(bool, told)) >= 27
        assert mine.charged == theirs.charged
        assert theirs.reserved == 0
        assert len(gateway.purse.receipts(mine.id)) == 40 == len(await world.bills(account))
        assert not gateway.purse.disputes
        signed = gateway.purse.evidence(mine.id)
        signers = {each.signed_by() for kept in signed for each in (kept.offer, kept.receipt)}
        assert (len(signed), signers) == (40, {world.installation.get(Operator).receipts.address})
        assert await world.balance(account) == 1000 * DOLLAR - theirs.reading.balance
        assert theirs.voucher.max_claimable <= DOLLAR


async def test_a_second_run_goes_on_with_the_same_channel_and_gets_the_rest_back(world, tmp_path):
    account = await world.account()
    for _ in range(2):
        with gateway_of(world, account, store=str(tmp_path / "channels.db")) as gateway:
            async with openai.AsyncOpenAI(
                base_url=gateway.base_url, api_key=gateway.api_key, http_client=gateway.async_client(), max_retries=0
            ) as client:
                await client.chat.completions.create(**ASK)
    with gateway_of(world, account, store=str(tmp_path / "channels.db")) as gateway:
        await gateway.arefund()
    charged = (await world.channel_of(account)).charged
    assert len(await world.bills(account)) == 2
    assert await world.balance(account) == 1000 * DOLLAR - charged


async def test_nothing_is_signed_over_the_limit(world):
    account = await world.account()
    with gateway_of(world, account, limit=20) as gateway:
        async with openai.AsyncOpenAI(
            base_url=gateway.base_url, api_key=gateway.api_key, http_client=gateway.async_client(), max_retries=0
        ) as client:
            with pytest.raises((OverLimit, openai.APIStatusError, openai.APIConnectionError)):
                await client.chat.completions.create(**ASK)
    assert await world.channels() == []
    assert await world.balance(account) == 1000 * DOLLAR
