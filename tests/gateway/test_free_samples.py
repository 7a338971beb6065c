"""Free samples through the production server: without account and money, within the seller's bounds, and never else."""

import asyncio

import httpx
import openai
import orjson
import pytest
from sqlalchemy import text

from tests.support.gateway_server import CARD
from tests.support.paced_upstream import AFTER, BEFORE, paced_upstream
from usufruct.assets import Caps, FreeSample
from usufruct.gateway import Endpoint
from usufruct.payments.pricing import Usage, charge_up, price_lines

ASK = {"model": "hamlet", "messages": [{"role": "user", "content": "What is the question?"}]}
PATH = "/v1/samples/chat/completions"
ONE = {"x-forwarded-for": "192.0.2.1"}
OTHER = {"x-forwarded-for": "192.0.2.2"}
TERMS = FreeSample(calls_per_visitor=2, calls_per_day=3, output_per_call=16)


@pytest.fixture
async def http(world):
    async with httpx.AsyncClient(base_url=world.url.removesuffix("/v1"), timeout=60) as client:
        yield client


async def offered(world, *urls: str, terms: FreeSample = TERMS, **changes) -> None:
    await world.asset("hamlet", *urls, **changes)
    await world.listings.offer_sample("hamlet", terms)


async def left(http, headers=ONE) -> int:
    return (await http.get("/v1/samples?model=hamlet", headers=headers)).json()["left"]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def money_rows(world) -> int:
    """Return how many rows the ledger has of accounts, calls, entries and answers."""
    tables = ("accounts", "calls", "entries", "answers")
    async with world.database.snapshot() as unit:
        known = await unit.rows(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
        there = [name for (name,) in known if any(part in name for part in tables) and "notification" not in name]
        assert there
        return sum([(await unit.rows(text(f"SELECT count(*) FROM {name}")))[0][0] for name in there])


def events_of(body: str) -> list[dict]:
    return [orjson.loads(each[6:]) for each in body.split("\n\n") if each.startswith("data: {")]


async def test_a_visitor_tries_it_and_nothing_is_charged(world, upstream, http):
    await offered(world, upstream.url())
    before = await money_rows(world)
    answer = await http.post(PATH, json=ASK | {"max_tokens": 900}, headers=ONE)
    usage = answer.json()["usage"]
    paid = charge_up(price_lines(Usage(usage["prompt_tokens"], usage["completion_tokens"]).quantities, CARD), 10**30)
    assert (answer.status_code, usage["cost"], usage["cost_details"]["charge"]) == (200, 0.0, "0")
    assert usage["sample"]["paid_charge"] == str(paid)
    assert (usage["sample"]["calls_per_visitor"], usage["sample"]["left"]) == (2, 1)
    assert (answer.headers["x-usufruct-charge"], answer.headers["x-usufruct-sample-left"]) == ("0", "1")
    assert not {"x-usufruct-receipt", "x-usufruct-call", "payment-response"} & set(answer.headers)
    assert upstream.requests[0]["max_tokens"] == 16, "the seller's bound, not what was asked for"
    receipt = await http.get(f"/v1/receipts/{answer.headers['x-request-id']}", headers={"authorization": "Bearer uf_1"})
    assert receipt.status_code in (401, 404)
    assert await money_rows(world) == before


async def test_a_stream_says_what_is_left_and_carries_no_receipt(world, upstream, http):
    await offered(world, upstream.url())
    before = await money_rows(world)
    asked = ASK | {"stream": True, "stream_options": {"include_usage": True}}
    answer = await http.post(PATH, json=asked, headers=ONE)
    assert answer.headers["x-usufruct-sample-left"] == "1"
    events = events_of(answer.text)
    assert answer.text.endswith("data: [DONE]\n\n")
    assert events[-1]["usage"]["sample"]["left"] == 1
    assert events[-1]["usage"]["cost"] == 0
    assert not any("usufruct" in each for each in events)
    assert await money_rows(world) == before


async def test_a_stock_client_needs_only_another_base_url(world, upstream):
    await offered(world, upstream.url())
    async with openai.AsyncOpenAI(
        api_key="none", base_url=f"{world.url}/samples", max_retries=0, timeout=120
    ) as client:
        answer = await client.chat.completions.create(**ASK)
        assert answer.usage.cost == 0
        stream = await client.chat.completions.create(**ASK, stream=True)
        assert [chunk async for chunk in stream]
        with pytest.raises(openai.RateLimitError) as refused:
            await client.chat.completions.create(**ASK)
    assert refused.value.code == "sample_used_up"


async def test_a_visitor_has_so_many_a_day_and_all_have_so_many_together(world, upstream, http):
    await offered(world, upstream.url())
    assert await left(http) == 2
    for remaining in ("1", "0"):
        assert (await http.post(PATH, json=ASK, headers=ONE)).headers["x-usufruct-sample-left"] == remaining
    used_up = await http.post(PATH, json=ASK, headers=ONE)
    assert refusal(used_up) == (429, "sample_used_up")
    assert used_up.headers["x-should-retry"] == "false"
    assert 0 < int(used_up.headers["retry-after"]) <= 86_400
    assert (await http.post(PATH, json=ASK, headers=OTHER)).headers["x-usufruct-sample-left"] == "0"
    assert refusal(await http.post(PATH, json=ASK, headers=OTHER)) == (429, "samples_all_given")
    balance = (await http.get("/v1/samples?model=hamlet", headers=OTHER)).json()
    assert (balance["left"], balance["refusal"]) == (0, "samples_all_given")
    assert len(upstream.requests) == 3
    world.clock.ahead += 86_400
    assert await left(http) == 2


async def test_refusals_are_said_in_german_to_a_page(world, upstream, http):
    await offered(world, upstream.url(), terms=FreeSample(1, 1, 16))
    await http.post(PATH, json=ASK, headers=ONE)
    for headers, part in ((ONE, "heute"), (OTHER, "heute")):
        answer = await http.post(PATH, json=ASK, headers=headers | {"x-usufruct-language": "de"})
        assert part in answer.json()["error"]["message"]


async def test_the_paid_endpoint_gives_nothing_without_payment(world, upstream, http):
    await offered(world, upstream.url())
    answer = await http.post("/v1/chat/completions", json=ASK, headers=ONE)
    assert answer.status_code == 401  # 402 where x402 is taken
    assert (len(upstream.requests), await left(http)) == (0, 2)


async def test_what_is_not_offered_or_not_served_is_refused_and_not_counted(world, upstream, http):
    await world.asset("hamlet", upstream.url())
    assert refusal(await http.post(PATH, json=ASK)) == (404, "sample_not_offered")
    assert refusal(await http.get("/v1/samples?model=hamlet")) == (404, "sample_not_offered")
    await world.listings.offer_sample("hamlet", TERMS)
    await world.listings.pause("hamlet")
    assert refusal(await http.post(PATH, json=ASK)) == (503, "paused_listing")
    await world.listings.resume("hamlet")
    assert refusal(await http.post(PATH, json=ASK | {"model": "ophelia"}))[0] == 404
    assert refusal(await http.post(PATH, json=ASK | {"messages": []})) == (400, "invalid_request")
    long = ASK | {"messages": [{"role": "user", "content": "x" * 40_000}]}
    assert refusal(await http.post(PATH, json=long)) == (413, "body_too_large")
    assert refusal(await http.get("/v1/samples")) == (400, "invalid_request")
    assert await left(http, {}) == 2
    await world.listings.offer_sample("hamlet", None)
    assert refusal(await http.post(PATH, json=ASK)) == (404, "sample_not_offered")
    await world.listings.retire("hamlet")
    assert refusal(await http.post(PATH, json=ASK)) == (410, "retired_listing")
    assert upstream.requests == []


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://elsewhere.example"}],
)
async def test_another_sites_page_burns_no_calls(world, upstream, http, headers):
    await offered(world, upstream.url())
    answer = await http.post(PATH, content=orjson.dumps(ASK), headers=ONE | headers | {"content-type": "text/plain"})
    assert refusal(answer) == (403, "cross_site_request")
    assert (await left(http), upstream.requests) == (2, [])


@pytest.mark.parametrize(("mode", "stream"), [("denied", True), ("denied", False), ("error_429", False)])
async def test_a_call_that_no_server_worked_for_is_given_back(world, upstream, http, mode, stream):
    await offered(world, upstream.url(mode))
    answer = await http.post(PATH, json=ASK | {"stream": stream}, headers=ONE)
    assert answer.status_code >= 500
    assert (answer.headers["x-usufruct-sample-left"], await left(http)) == ("2", 2)


async def test_the_next_server_answers_where_the_first_fails(world, upstream, http):
    await offered(world, upstream.url("error_500"), upstream.url())
    answers = [await http.post(PATH, json=ASK, headers=ONE) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]


@pytest.mark.parametrize(
    ("mode", "stream"),
    [
        ("rejected", False),
        ("cut", True),
        ("ignores_max_tokens", False),
        ("error_500", False),
        ("error_500", True),
        ("malformed", False),
    ],
)
async def test_work_that_a_visitor_can_cause_stays_counted(world, upstream, http, mode, stream):
    await offered(world, upstream.url(mode))
    await http.post(PATH, json=ASK | {"stream": stream}, headers=ONE)
    assert await left(http) == 1


async def test_who_hangs_up_has_used_the_call(world, http):
    async with paced_upstream() as upstream:
        await offered(world, upstream.url)
        asked = asyncio.create_task(http.post(PATH, json=ASK, headers=ONE))
        await upstream.asked.acquire()
        asked.cancel()
        async with asyncio.timeout(60):
            while await left(http) != 1:
                await asyncio.sleep(0.02)


async def test_running_free_calls_end_when_the_server_drains_and_nothing_is_left_open(world, http):
    async with paced_upstream() as upstream:
        await offered(world, upstream.url)
        async with http.stream("POST", PATH, json=ASK | {"stream": True}, headers=ONE) as answer:
            pieces = answer.aiter_text()
            begun = await anext(pieces)
            world.server.drain()
            upstream.go_on.set()
            body = begun + "".join([piece async for piece in pieces])
    said = [each["choices"][0]["delta"]["content"] for each in events_of(body) if each["choices"]]
    assert said == [*BEFORE, *AFTER]


async def test_free_calls_are_no_paid_use_and_not_measured(world, upstream, http):
    await offered(world, upstream.url())
    await http.post(PATH, json=ASK, headers=ONE)
    await http.post(PATH, json=ASK | {"stream": True}, headers=ONE)
    await world.gateway.quality.flush()
    await world.gateway.quality.summarize()
    assert [each.calls for each in await world.gateway.quality_of("hamlet")] == [0, 0]
    assert await world.ledger.account_list() == []


async def test_embeddings_have_free_samples_too(world, upstream, http):
    await world.asset("vectors", upstream.url(), endpoint=Endpoint.EMBEDDINGS)
    await world.listings.offer_sample("vectors", TERMS)
    answer = await http.post("/v1/samples/embeddings", json={"model": "vectors", "input": "Hello"}, headers=ONE)
    assert (answer.status_code, answer.json()["usage"]["sample"]["left"]) == (200, 1)
    assert refusal(await http.post(PATH, json=ASK | {"model": "vectors"})) == (400, "wrong_endpoint")


async def test_a_limit_in_money_and_a_payment_change_nothing(world, upstream, http):
    await offered(world, upstream.url(), caps=Caps(usual_output=100, largest_output=1_000, largest_ceiling=1))
    more = {"x-usufruct-limit": "0", "idempotency-key": "once", "authorization": "Bearer uf_wrong"}
    answers = [await http.post(PATH, json=ASK, headers=ONE | more) for _ in range(2)]
    assert [each.headers["x-usufruct-sample-left"] for each in answers] == ["1", "0"]


async def test_an_input_that_leaves_no_room_is_refused_with_no_word_of_money(world, upstream, http, byte_vocabulary):
    await offered(world, upstream.url(), vocabulary=byte_vocabulary)
    for size in range(4_060, 4_096, 2):
        asked = ASK | {"messages": [{"role": "user", "content": "x" * size}], "n": 16}
        answer = await http.post(PATH, json=asked, headers={"x-forwarded-for": f"192.0.2.{size % 256}"})
        assert answer.status_code in (200, 400, 429), answer.text


async def test_catalogue_search_pages_and_discovery_say_so(world, upstream, http):
    await world.asset("ophelia", upstream.url())
    await offered(world, upstream.url())
    await world.gateway.search.refresh()
    cards = {each["id"]: each for each in (await http.get("/v1/models")).json()["data"]}
    card, other = cards["hamlet"], cards["ophelia"]
    assert card["sample"] == {"calls_per_visitor": 2, "calls_per_day": 3, "output_per_call": 16}
    assert other["sample"] is None
    found = (await http.get("/v1/services?sample=1")).json()
    assert [each["service"]["id"] for each in found["services"]] == ["hamlet"]
    assert (await http.get("/v1/services")).json()["total"] == 2
    german = {"accept-language": "de"}
    page, list_ = await http.get("/s/hamlet", headers=german), await http.get("/?sample=1", headers=german)
    assert "Gratisprobe" in page.text
    assert "Gratisprobe" in list_.text
    assert 'data-sample="2"' in page.text
    assert "data-sample" not in (await http.get("/s/ophelia")).text
    lines = (await http.get("/llms.txt")).text
    assert "/v1/samples/chat/completions" in lines
    assert "free sample: 2 calls a day" in lines


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request, databases) -> str:
    return databases.migrated(request.param)


async def test_two_gateways_give_no_more_together(url, gateway_module, upstream):
    async with gateway_module.gateway_world(url) as one, gateway_module.gateway_world(url) as two:
        await offered(one, upstream.url())
        two.clock.ahead += 2  # the refresh of every replica
        roots = [each.url.removesuffix("/v1") for each in (one, two)]
        async with httpx.AsyncClient(timeout=60) as client:
            asked = [client.post(roots[at % 2] + PATH, json=ASK, headers=ONE) for at in range(10)]
            answers = await asyncio.gather(*asked)
    assert sorted(each.status_code for each in answers) == [200] * 2 + [429] * 8
    assert len(upstream.requests) == 2
