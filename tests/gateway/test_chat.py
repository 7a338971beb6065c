"""The unmodified `openai` client against the gateway: whole and streamed answers, and what they cost."""

import asyncio
import base64
import dataclasses
import hashlib

import orjson
import pytest
from openai import OpenAI

from tests.support.bills import counts
from usufruct.assets import Caps, InvalidListing, Listings
from usufruct.gateway import Catalogue
from usufruct.store import Seal
from usufruct.store.row_cache import FRESH_SECONDS

ASK = [{"role": "user", "content": "What is the question?"}]
ANSWER = "To be or not to be: that is the question."
INPUT, OUTPUT = 4, 12  # words, as the upstream counts
PRICE = INPUT * 1 + OUTPUT * 3 + 5


async def test_a_whole_answer_is_billed_once(world, upstream, client_of, gateway_module):
    await world.asset("hamlet", upstream.url())
    key = await world.key()
    client = client_of(key.text)
    raw = await client.chat.completions.with_raw_response.create(model="hamlet", messages=ASK)
    answer = raw.parse()
    assert answer.choices[0].message.content == ANSWER
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (INPUT, OUTPUT)
    assert (answer.usage.cost, answer.usage.cost_details["cost"]) == (0.000045, "0.000045")
    assert answer.usage.cost_details["charge"] == str(PRICE)
    assert raw.headers["x-usufruct-charge"] == str(PRICE)
    receipt = orjson.loads(base64.b64decode(raw.headers["x-usufruct-receipt"]))
    assert receipt["call"] == raw.headers["x-request-id"]
    assert gateway_module.receipt_signer(receipt) == gateway_module.OPERATOR.receipts.address
    assert gateway_module.receipt_signer({**receipt, "amount": "44"}) != gateway_module.OPERATOR.receipts.address
    assert receipt["responseHash"] == "0x" + hashlib.sha256(ANSWER.encode()).hexdigest()
    assert receipt["requestHash"] == "0x" + hashlib.sha256(raw.http_request.content).hexdigest()
    assert await world.charged(key) == PRICE


@pytest.mark.parametrize("stream", [True, False])
async def test_clients_defaults_are_dropped_and_named_unless_the_seller_takes_them(
    world, upstream, client_of, gateway_module, stream
):
    counting = dataclasses.replace(gateway_module.COUNTING, forward=frozenset({"chat_template_kwargs"}))
    await world.asset("plain", upstream.url())
    await world.asset("kind", upstream.url(), counting=counting)
    client = client_of((await world.key()).text).chat.completions.with_raw_response
    thinking = {"chat_template_kwargs": {"enable_thinking": False}}
    for model, dropped in [("plain", {"store", "metadata", "chat_template_kwargs"}), ("kind", {"store", "metadata"})]:
        raw = await client.create(
            model=model, messages=ASK, store=False, metadata={"a": "b"}, extra_body=thinking, stream=stream
        )
        assert set(raw.headers["x-usufruct-dropped"].split(",")) == dropped
        if stream:
            assert [chunk async for chunk in raw.parse()]
    assert [request.get("chat_template_kwargs") for request in upstream.requests] == [None, {"enable_thinking": False}]
    assert not any("store" in request or "metadata" in request for request in upstream.requests)
    raw = await client.create(model="plain", messages=ASK)
    assert "x-usufruct-dropped" not in raw.headers


async def test_limits_changed_by_another_process_hold_without_a_restart(world, upstream, client_of, gateway_module):
    await world.asset("hamlet", upstream.url(), caps=Caps(usual_output=100, largest_output=1_000))
    client = client_of((await world.key()).text).chat.completions.with_raw_response
    thinking = {"chat_template_kwargs": {"enable_thinking": False}}
    listings = Listings(world.database, world.clock)
    operator = Catalogue(listings, world.database, Seal(gateway_module.SECRET, "upstreams"), world.clock)
    raw = await client.create(model="hamlet", messages=ASK, extra_body=thinking)
    assert raw.headers["x-usufruct-dropped"] == "chat_template_kwargs"
    await operator.limit("hamlet", Caps(usual_output=7, largest_output=8), frozenset(thinking))
    world.clock.ahead += FRESH_SECONDS
    raw = await client.create(model="hamlet", messages=ASK, extra_body=thinking)
    assert "x-usufruct-dropped" not in raw.headers
    assert [(each["max_tokens"], each.get("chat_template_kwargs")) for each in upstream.requests] == [
        (100, None),
        (7, thinking["chat_template_kwargs"]),
    ]
    with pytest.raises(InvalidListing, match="caps"):
        await operator.limit("hamlet", Caps(usual_output=9, largest_output=8), frozenset())


async def test_a_stream_is_relayed_untouched_and_ends_with_its_bill(world, upstream, client_of, gateway_module):
    await world.asset("hamlet", upstream.url())
    key = await world.key()
    stream = await client_of(key.text).chat.completions.create(
        model="hamlet", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]) == ANSWER
    assert chunks[-1].choices == []
    assert chunks[-1].id == chunks[0].id
    assert (chunks[-1].usage.completion_tokens, chunks[-1].usage.cost) == (OUTPUT, 0.000045)
    assert gateway_module.receipt_signer(chunks[-1].usufruct) == gateway_module.OPERATOR.receipts.address
    assert await world.charged(key) == PRICE


async def test_who_did_not_ask_for_usage_sees_no_chunk_without_choices(world, upstream, client_of):
    await world.asset("hamlet", upstream.url())
    key = await world.key()
    client = client_of(key.text)
    stream = await client.chat.completions.create(model="hamlet", messages=ASK, stream=True)
    assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == ANSWER
    assert await world.charged(key) == PRICE
    async with client.chat.completions.with_streaming_response.create(
        model="hamlet", messages=ASK, stream=True
    ) as response:
        events = (await response.read()).split(b"\n\n")
    assert events[-3] == b"data: [DONE]"
    assert orjson.loads(events[-2][6:])["usage"]["cost_details"]["charge"] == str(PRICE)
    assert response.headers["x-usufruct-ceiling"] == str((await world.bills(key))[1].ceiling)


async def test_the_events_are_byte_for_byte_the_upstreams(world, upstream, client_of, misbehaving):
    await world.asset("hamlet", upstream.url())
    client = client_of((await world.key()).text)
    async with client.chat.completions.with_streaming_response.create(
        model="hamlet", messages=ASK, stream=True
    ) as response:
        relayed = (await response.read()).split(b"data: [DONE]")[0]
    expected = b"".join(misbehaving.sse(misbehaving.delta(word)) for word in misbehaving.WORDS)
    assert relayed == expected + misbehaving.sse(misbehaving.delta("", "stop"))


async def test_the_synchronous_client_works_the_same(world, upstream):
    await world.asset("hamlet", upstream.url())
    key = await world.key()

    def talk() -> tuple[str, str]:
        with OpenAI(api_key=key.text, base_url=world.url, max_retries=0, timeout=120) as client:
            whole = client.chat.completions.create(model="hamlet", messages=ASK)
            streamed = client.chat.completions.create(model="hamlet", messages=ASK, stream=True)
            return whole.choices[0].message.content, "".join(c.choices[0].delta.content or "" for c in streamed)

    assert await asyncio.to_thread(talk) == (ANSWER, ANSWER)
    assert await world.charged(key) == 2 * PRICE


async def test_embeddings_are_charged_for_input_alone(world, upstream, client_of, gateway_module):
    await world.asset("vectors", upstream.url(), endpoint=gateway_module.Endpoint.EMBEDDINGS)
    key = await world.key()
    raw = await client_of(key.text).embeddings.with_raw_response.create(
        model="vectors", input=["to be", "or not"], encoding_format="float"
    )
    answer = raw.parse()
    assert answer.data[0].embedding == [0.6, 0.8]
    receipt = orjson.loads(base64.b64decode(raw.headers["x-usufruct-receipt"]))
    assert counts(receipt) == (answer.usage.prompt_tokens, 0, 0)
    assert int(receipt["amount"]) == answer.usage.prompt_tokens + 5 == await world.charged(key)
    data = orjson.dumps(orjson.loads(raw.content)["data"])
    assert receipt["responseHash"] == "0x" + hashlib.sha256(data).hexdigest()


async def test_models_are_listed_with_what_makes_their_price(world, upstream, client_of, gateway_module, vocabulary):
    added = await world.asset("hamlet", upstream.url())
    counted = await world.asset("macbeth", upstream.url(), vocabulary=vocabulary)
    client = client_of("no key is needed")
    listed = [model async for model in await client.models.list()]
    assert [model.id for model in listed] == ["hamlet", "macbeth"]
    offer = listed[0].to_dict()
    assert offer == {
        "id": "hamlet",
        "object": "model",
        "created": added.created_at,
        "owned_by": added.pay_to,
        "endpoint": "chat",
        "asset": hex(added.id),
        "context_window": 4096,
        "output": {"default": 100, "most": 1_000, "reasoning": 0},
        "forward": [],
        "paused_at": None,
        "sample": None,
        "configuration": None,
        "level_discounts": [],
        "price": {
            "version": 1,
            "input_per_million": "1000000",
            "output_per_million": "3000000",
            "per_call": "5",
            "cached_input_bps": 10_000,
            "unit": "text_token",
            "token": gateway_module.TOKEN,
            "decimals": 6,
            "symbol": "USD",
        },
        "counted_by": "utf-8 bytes",
    }
    assert listed[1].counted_by == f"sha256:{counted.counting.vocabulary}"
    assert (await client.models.retrieve("hamlet")).to_dict() == offer


async def test_a_receipt_can_be_fetched_again_by_its_payer_only(world, upstream, client_of, gateway_module):
    await world.asset("hamlet", upstream.url())
    key, other = await world.key(), await world.key()
    client = client_of(key.text)
    raw = await client.chat.completions.with_raw_response.create(model="hamlet", messages=ASK)
    first = orjson.loads(base64.b64decode(raw.headers["x-usufruct-receipt"]))
    path = f"/receipts/{first['call']}"
    found = await client.get(path, cast_to=object)
    assert found["receipt"] == first
    raised = await asyncio.gather(client_of(other.text).get(path, cast_to=object), return_exceptions=True)
    assert (raised[0].status_code, raised[0].code) == (404, "receipt_not_found")


async def test_max_tokens_reaches_the_upstream_lowered_to_what_may_be_spent(world, upstream, client_of):
    await world.asset("hamlet", upstream.url())
    key = await world.key()
    client = client_of(key.text)
    await client.chat.completions.create(model="hamlet", messages=ASK, max_completion_tokens=7)
    assert upstream.requests[-1]["max_completion_tokens"] == 7
    await client.chat.completions.create(model="hamlet", messages=ASK)
    assert upstream.requests[-1]["max_tokens"] == 100
    cut = await client.chat.completions.create(
        model="hamlet", messages=ASK, extra_headers={"x-usufruct-limit": str(33 + 5 + 3 * 5)}
    )
    assert upstream.requests[-1]["max_tokens"] == 5
    assert cut.choices[0].finish_reason == "length"
    assert int(cut.usage.cost_details["ceiling"]) <= 33 + 5 + 3 * 5


async def test_a_limit_set_for_one_call_lowers_even_the_output_that_was_named(world, upstream, client_of):
    await world.asset("hamlet", upstream.url())
    client = client_of((await world.key()).text)
    limit = {"x-usufruct-limit": str(33 + 5 + 3 * 5)}
    await client.chat.completions.create(model="hamlet", messages=ASK, max_tokens=50, extra_headers=limit)
    assert upstream.requests[-1]["max_tokens"] == 5
