"""The same request again: idempotency keys, the client's own retries, and many calls at once."""

import asyncio
import base64
from dataclasses import replace

import httpx
import openai
import orjson
import pytest

from tests.support.waiting import pass_loop_time
from usufruct.connectors.openai import Limits
from usufruct_client import read_receipt

ASK = [{"role": "user", "content": "What is the question?"}]
ANSWER = "To be or not to be: that is the question."
PRICE = 4 + 12 * 3 + 5
ONCE = {"idempotency-key": "once"}


async def test_the_same_request_gets_the_same_answer_and_is_billed_once(world, upstream, client_of):
    await world.asset("hamlet", upstream.url())
    key = await world.key()
    client = client_of(key.text, default_headers=ONCE)
    answers = [await client.chat.completions.with_raw_response.create(model="hamlet", messages=ASK) for _ in range(3)]
    assert {answer.content for answer in answers} == {answers[0].content}
    assert {answer.headers["x-usufruct-receipt"] for answer in answers} == {answers[0].headers["x-usufruct-receipt"]}
    assert [answer.headers.get("x-usufruct-replayed") for answer in answers] == [None, "true", "true"]
    assert len(upstream.requests) == 1
    assert await world.charged(key) == PRICE


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": True}}])
async def test_a_stream_is_replayed_with_its_bill(world, upstream, client_of, options):
    await world.asset("hamlet", upstream.url())
    key = await world.key()
    client = client_of(key.text, default_headers=ONCE)
    streams = []
    for _ in range(2):
        async with client.chat.completions.with_streaming_response.create(
            model="hamlet", messages=ASK, stream=True, **options
        ) as response:
            streams.append(await response.read())
    assert streams[0] == streams[1]
    assert await world.charged(key) == PRICE


async def test_receipts_name_the_token_of_their_account_after_the_operator_took_another(
    gateway_module, gateway_url, upstream
):
    body = {"model": "hamlet", "messages": ASK}

    async def receipts(world, headers) -> list:
        """Return the receipts of a call under `ONCE`, of another, and of the first as it is shown later."""
        async with httpx.AsyncClient(base_url=world.url, headers=headers, timeout=120) as client:
            answers = [await client.post("/chat/completions", json=body, headers=more) for more in (ONCE, {})]
            found = [orjson.loads(base64.b64decode(answer.headers["x-usufruct-receipt"])) for answer in answers]
            assert answers[0].json()["usage"]["cost_details"]["token"] == gateway_module.TOKEN
            shown = await client.get(f"/receipts/{found[0]['call']}")
            return [read_receipt(each) for each in (*found, shown.json()["receipt"])]

    async with gateway_module.gateway_world(gateway_url) as world:
        await world.asset("hamlet", upstream.url())
        key = await world.key()
        headers = {"authorization": f"Bearer {key.text}"}
        before = await receipts(world, headers)
    later = replace(gateway_module.OPERATOR, token="0x" + "ee" * 20)
    async with gateway_module.gateway_world(gateway_url, operator=later) as world:
        replayed, fresh, shown = await receipts(world, headers)
    assert replayed == shown == before[0]
    assert (fresh.token, fresh.signed_by()) == (gateway_module.TOKEN, before[0].signer)


async def test_a_broken_stream_is_replayed_as_it_was_billed(world, upstream, client_of):
    await world.asset("hamlet", upstream.url("cut"))
    key = await world.key()
    client = client_of(key.text, default_headers=ONCE)
    streams = []
    for _ in range(2):
        async with client.chat.completions.with_streaming_response.create(
            model="hamlet", messages=ASK, stream=True
        ) as response:
            streams.append(await response.read())
    assert streams[0] == streams[1]
    assert orjson.loads(streams[1].split(b"data: ")[-1])["error"]["code"] == "upstream_cut"
    assert len(await world.bills(key)) == 1


async def test_embeddings_are_replayed(world, upstream, client_of, gateway_module):
    await world.asset("vectors", upstream.url(), endpoint=gateway_module.Endpoint.EMBEDDINGS)
    key = await world.key()
    client = client_of(key.text, default_headers=ONCE)
    answers = [await client.embeddings.with_raw_response.create(model="vectors", input="to be") for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert len(await world.bills(key)) == 1


async def test_another_body_under_the_same_key_is_refused(world, upstream, client_of):
    await world.asset("hamlet", upstream.url())
    client = client_of((await world.key()).text, default_headers=ONCE)
    await client.chat.completions.create(model="hamlet", messages=ASK)
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        await client.chat.completions.create(model="hamlet", messages=ASK, temperature=0)
    assert caught.value.code == "idempotency_key_reused"


async def test_a_key_that_is_no_header_is_refused(world, upstream):
    await world.asset("hamlet", upstream.url())
    key = await world.key()
    headers = {"authorization": f"Bearer {key.text}", "idempotency-key": "x" * 256}
    async with httpx.AsyncClient(headers=headers, timeout=120) as plain:
        answer = await plain.post(f"{world.url}/chat/completions", json={"model": "hamlet", "messages": ASK})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "idempotency-key")


async def test_the_same_key_while_the_call_runs_is_425_and_the_client_waits_for_it(
    world, upstream, client_of, gateway_module
):
    await world.asset("hamlet", upstream.url("stalls"))
    key = await world.key()
    impatient, patient = (
        client_of(key.text, default_headers=ONCE),
        client_of(key.text, default_headers=ONCE, max_retries=20),
    )
    first = await impatient.chat.completions.create(model="hamlet", messages=ASK, stream=True)
    with pytest.raises(openai.APIStatusError) as caught:
        await impatient.chat.completions.create(model="hamlet", messages=ASK, stream=True)
    assert (caught.value.status_code, caught.value.code) == (425, "still_running")
    asking = asyncio.create_task(patient.chat.completions.create(model="hamlet", messages=ASK, stream=True))
    pass_loop_time(gateway_module.LIMITS.idle)
    second = await asking
    for stream in (first, second):
        with pytest.raises(openai.APIError, match="takes too long now"):
            [chunk async for chunk in stream]
    assert len(await world.bills(key)) == 1


async def test_two_payers_may_use_the_same_key(world, upstream, client_of, gateway_module):
    await world.asset("hamlet", upstream.url())
    keys = [await world.key(), await world.key(payer=gateway_module.KeySigner(bytes(31) + b"\x09"))]
    for key in keys:
        await client_of(key.text, default_headers=ONCE).chat.completions.create(model="hamlet", messages=ASK)
    assert [await world.charged(key) for key in keys] == [PRICE, PRICE]


async def test_the_clients_own_retries_of_failures_cost_nothing(world, upstream, client_of):
    await world.asset("hamlet", upstream.url("error_500"))
    key = await world.key()
    with pytest.raises(openai.InternalServerError):
        await client_of(key.text, max_retries=2).chat.completions.create(model="hamlet", messages=ASK)
    assert len(upstream.requests) == 3
    assert await world.charged(key) == 0
    assert (await world.channel(key)).reserved == 0


async def test_a_failed_call_frees_its_idempotency_key(world, upstream, client_of):
    await world.asset("hamlet", upstream.url("error_500"), upstream.url("error_500"))
    await world.asset("other", upstream.url())
    key = await world.key()
    client = client_of(key.text, default_headers=ONCE)
    with pytest.raises(openai.InternalServerError):
        await client.chat.completions.create(model="hamlet", messages=ASK)
    await client.chat.completions.create(model="other", messages=ASK)
    assert await world.charged(key) == PRICE


@pytest.fixture
async def patient(gateway_module, gateway_url):
    """A gateway that gives its upstream as long as a busy machine needs."""
    async with gateway_module.gateway_world(gateway_url, limits=Limits()) as opened:
        yield opened


@pytest.mark.parametrize("money", [{"balance": 2_000}, {"limit": 2_000}])
async def test_two_hundred_calls_at_once_never_overspend(patient, upstream, money):
    world = patient
    await world.asset("hamlet", upstream.url())
    key = await world.key(**money)
    headers = {"authorization": f"Bearer {key.text}"}
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(headers=headers, limits=limits, timeout=60) as plain:

        async def call(number):
            body = {"model": "hamlet", "messages": ASK, "max_tokens": 20, "stream": number % 2 == 0}
            return (await plain.post(f"{world.url}/chat/completions", json=body)).status_code

        statuses = await asyncio.gather(*(call(number) for number in range(200)))
    served = statuses.count(200)
    assert set(statuses) == {200, 402}
    assert len(await world.bills(key)) == served
    assert await world.charged(key) == served * PRICE <= 2_000
    assert served >= 2_000 // (33 + 20 * 3 + 5)
    assert (await world.channel(key)).reserved == 0


async def test_open_ended_calls_share_what_is_left(world, upstream, client_of):
    await world.asset("hamlet", upstream.url())
    key = await world.key(balance=33 + 5 + 12)
    answer = await client_of(key.text).chat.completions.create(model="hamlet", messages=ASK)
    assert upstream.requests[-1]["max_tokens"] == 4
    assert answer.choices[0].message.content == "To be or not"
    with pytest.raises(openai.APIStatusError) as caught:
        await client_of(key.text).chat.completions.create(model="hamlet", messages=ASK)
    assert caught.value.code == "insufficient_balance"


async def test_output_left_open_is_lowered_to_what_a_keys_limit_leaves(world, upstream, client_of):
    await world.asset("hamlet", upstream.url())
    capped = await world.key(balance=10**6, limit=33 + 5 + 3 * 4)
    await client_of(capped.text).chat.completions.create(model="hamlet", messages=ASK)
    assert upstream.requests[-1]["max_tokens"] == 4
