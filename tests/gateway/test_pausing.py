"""A paused service takes no new calls, ends its running ones, gives stored answers, and says so everywhere."""

import asyncio

import httpx
import openai
import pytest

from tests.support.paced_upstream import AFTER, BEFORE, paced_upstream
from usufruct.assets import Listings
from usufruct.gateway.search.query import Search
from usufruct.store import open_database

ASK = {"model": "hamlet", "messages": [{"role": "user", "content": "What is the question?"}]}


async def refused(client: openai.AsyncOpenAI, **more) -> openai.InternalServerError:
    with pytest.raises(openai.InternalServerError) as caught:
        await client.chat.completions.create(**ASK, **more)
    assert (caught.value.status_code, caught.value.code) == (503, "paused_listing")
    return caught.value


async def test_new_calls_are_refused_and_nothing_is_charged_until_it_is_resumed(world, upstream, client_of):
    await world.asset("hamlet", upstream.url())
    key = await world.key()
    client = client_of(key.text)
    paused = await world.listings.pause("hamlet")
    error = await refused(client)
    assert "nothing was charged" in error.message
    assert error.body["details"]["paused_at"] == str(paused.paused_at)
    await refused(client, stream=True)
    assert (len(upstream.requests), await world.charged(key)) == (0, 0)
    assert (await world.channel(key)).reserved == 0
    await world.listings.resume("hamlet")
    await client.chat.completions.create(**ASK)
    assert await world.charged(key) > 0


async def test_running_calls_end_and_are_billed(world, client_of, vocabulary):
    async with paced_upstream() as upstream:
        await world.asset("hamlet", upstream.url)
        key = await world.key()
        stream = await client_of(key.text).chat.completions.create(**ASK, stream=True)
        begun = [await anext(stream) for _ in BEFORE]
        await world.listings.pause("hamlet")
        await refused(client_of(key.text))
        upstream.go_on.set()
        async with asyncio.timeout(60):
            rest = [chunk async for chunk in stream]
    text = [each.choices[0].delta.content for each in begun + rest if each.choices and each.choices[0].delta.content]
    assert text == [*BEFORE, *AFTER]
    await world.quiet(key)
    assert await world.charged(key) > 0


@pytest.mark.parametrize("end", ["pause", "retire"])
async def test_an_answer_that_was_paid_is_given_again(world, upstream, client_of, end):
    await world.asset("hamlet", upstream.url())
    key = await world.key()
    client = client_of(key.text, default_headers={"idempotency-key": "once"})
    first = await client.chat.completions.create(**ASK)
    await getattr(world.listings, end)("hamlet")
    assert (await client.chat.completions.create(**ASK)).id == first.id
    assert len(upstream.requests) == 1


async def test_catalogue_search_pages_and_discovery_say_so(world, upstream):
    await world.asset("hamlet", upstream.url())
    since = (await world.listings.pause("hamlet")).paused_at
    root = world.url.removesuffix("/v1")
    async with httpx.AsyncClient(base_url=root, headers={"accept-language": "de"}, timeout=120) as client:
        [card] = (await client.get("/v1/models")).json()["data"]
        [found] = (await client.get("/v1/services")).json()["services"]
        page, list_ = await client.get("/s/hamlet"), await client.get("/")
        text = (await client.get("/llms.txt")).text
    assert card["paused_at"] == found["service"]["paused_at"] == since
    assert (await world.gateway.find(Search(text="hamlet"))).services[0].card.paused_at == since
    assert "pausiert" in list_.text
    assert "Von seinem Verkäufer pausiert seit" in page.text
    assert 'id="playground"' not in page.text
    assert "https://schema.org/SoldOut" in page.text
    assert "; paused: calls are refused" in text


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request, databases) -> str:
    return databases.migrated(request.param)


async def test_two_gateways_share_it_and_it_outlives_them(url, gateway_module, upstream):
    async with gateway_module.gateway_world(url) as one, gateway_module.gateway_world(url) as other:
        await one.asset("hamlet", upstream.url())
        key = await one.key()
        async with openai.AsyncOpenAI(api_key=key.text, base_url=other.url, max_retries=0, timeout=120) as client:
            await client.chat.completions.create(**ASK)
            await one.listings.pause("hamlet")
            other.clock.ahead += 2  # the refresh of every replica
            await refused(client)
            await other.listings.resume("hamlet")
            await client.chat.completions.create(**ASK)
            await other.listings.pause("hamlet")
    database = open_database(url)
    assert (await Listings(database, one.clock).find("hamlet")).paused_at is not None
    await database.close()
