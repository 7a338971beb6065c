"""A user deposits, calls by the unmodified `openai` client, and the owners of the services receive it to the unit."""

import openai
import pytest

from tests.support import gateway_server as gateway
from tests.support import settlement_devnet as chain
from tests.support.devnet import devnet_client
from tests.support.misbehaving_upstream import misbehaving_server
from usufruct.chain.anvil import Anvil
from usufruct.core import UINT128_MAX
from usufruct.gateway import Operator
from usufruct.store import migrate, open_database

ASK = [{"role": "user", "content": "What is the question?"}]
DOLLAR = 1_000_000


async def calls_of(client: openai.AsyncOpenAI) -> int:
    """Call both services, whole and streamed; return what the answers say it cost."""
    charges = []
    for model in ("first", "second", "first"):
        answer = await client.chat.completions.create(model=model, messages=ASK)
        charges.append(int(answer.usage.cost_details["charge"]))
    for model in ("second", "broken"):
        stream = await client.chat.completions.create(
            model=model, messages=ASK, stream=True, stream_options={"include_usage": True}
        )
        try:
            charges += [int(chunk.usage.cost_details["charge"]) async for chunk in stream if not chunk.choices]
        except openai.APIError:
            assert model == "broken"
    with pytest.raises(openai.InternalServerError):
        await client.chat.completions.create(model="down", messages=ASK)
    return sum(charges)


@pytest.mark.anvil
async def test_deposit_calls_claim_and_every_unit_is_where_it_belongs(databases):
    url = databases.empty("sqlite")
    database = open_database(url)
    await migrate(database)
    async with Anvil() as anvil, devnet_client(anvil.url) as client:
        town = chain.Town(client, database, await chain.build(client, database))
        place = town.place
        operator = Operator(chain.ESCROW, place.till, place.dollar, gateway.OPERATOR.receipts)
        before = await town.balances()
        async with (
            misbehaving_server() as upstream,
            gateway.gateway_world(url, operator=operator) as world,
        ):
            for index, name in enumerate(("first", "second")):
                await world.asset(name, upstream.url(), id=place.assets[index], pay_to=place.shares[index])
            await world.asset("broken", upstream.url("cut"), pay_to=chain.TREASURY.address)
            await world.asset("down", upstream.url("error_500"))
            new = await world.empty_key(UINT128_MAX, chain.PAYER)
            config = await town.channels.config((await world.channel(new)).id)
            await town.deposits.submit(await town.authorization(DOLLAR, config=config))
            async with openai.AsyncOpenAI(api_key=new.text, base_url=world.url, max_retries=0, timeout=120) as talking:
                told = await calls_of(talking)
            bills = await world.bills(new)
            charged = await world.charged(new)
            broken = bills[-1].bill.charge
            assert charged == told + broken
            assert {call.asset for call in bills} >= set(place.assets)

            town.register = world.listings
            await town.new_claimer().run(everything=True)
            after = await town.balances()
            of = {asset: sum(c.bill.charge for c in bills if c.asset == asset) for asset in {c.asset for c in bills}}
            moved = {name: after[name] - before[name] for name in after}
            assert moved["payer"] == -DOLLAR
            assert moved["settlement"] == DOLLAR - charged
            assert moved["first shares"] == of[place.assets[0]] > 0
            assert moved["second shares"] == of[place.assets[1]] > 0
            assert moved["treasury"] == broken > 0
            assert moved["till"] == 0
            assert sum(moved.values()) == 0
            channel = await world.channel(new)
            assert channel.reading.total_claimed == channel.charged == charged
        await town.close()
    await database.close()
