"""Upstreams that misbehave: what is delivered is charged, nothing else, and the caller hears what happened."""

import asyncio

import openai
import orjson
import pytest

ASK = [{"role": "user", "content": "What is the question?"}]
ANSWER = "To be or not to be: that is the question."
OWN_INPUT = 21 + 4 + 8  # bytes, per message, per request: what the ceiling is made of
ESTIMATED_INPUT, ESTIMATED = 21 // 4 + 4 + 8, 41 // 4  # the usual bytes of a text token, before the upstream said any
PART_OF_INPUT, PART = 21 // 8, 8 // 8  # the same for a part, carefully
PRICE = 4 + 12 * 3 + 5


async def collect(client, **options):
    """Stream an answer; return its text and the error that ended it, or None."""
    texts = []
    try:
        stream = await client.chat.completions.create(model="hamlet", messages=ASK, stream=True, **options)
        async for chunk in stream:
            texts += [choice.delta.content or "" for choice in chunk.choices]
    except openai.APIError as error:
        return "".join(texts), error
    return "".join(texts), None


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("mode", "status", "code", "kind"),
    [
        ("error_500", 502, "upstream_failed", openai.InternalServerError),
        ("error_429", 503, "upstream_busy", openai.InternalServerError),
        ("denied", 502, "upstream_denied", openai.InternalServerError),
        ("redirects", 502, "upstream_failed", openai.InternalServerError),
        ("rejected", 400, "upstream_rejected", openai.BadRequestError),
        ("slow_first_byte", 504, "upstream_slow", openai.InternalServerError),
    ],
)
async def test_no_output_is_no_charge(world, upstream, client_of, stream, mode, status, code, kind):
    if mode == "slow_first_byte" and not stream:
        pytest.skip("a whole answer has no first byte of its own; see the total limit in tests/connectors")
    await world.asset("hamlet", upstream.url(mode))
    key = await world.key()
    with pytest.raises(kind) as caught:
        await client_of(key.text).chat.completions.create(model="hamlet", messages=ASK, stream=stream)
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert "127.0.0.1" not in caught.value.message
    assert upstream.root not in str(caught.value.body)
    channel = await world.channel(key)
    assert (channel.charged, channel.reserved) == (0, 0)


async def test_a_server_that_is_down(world, client_of):
    await world.asset("hamlet", "http://127.0.0.1:1/v1")
    key = await world.key()
    with pytest.raises(openai.InternalServerError) as caught:
        await client_of(key.text).chat.completions.create(model="hamlet", messages=ASK)
    assert (caught.value.status_code, caught.value.code) == (503, "upstream_down")
    assert await world.charged(key) == 0


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("mode", ["error_500", "error_429", "denied", "not_a_stream"])
async def test_the_next_upstream_is_tried(world, upstream, client_of, mode, stream):
    if mode == "not_a_stream" and not stream:
        mode = "malformed"
    await world.asset("hamlet", upstream.url(mode), upstream.url())
    key = await world.key()
    client = client_of(key.text)
    for _ in range(4):
        if stream:
            assert await collect(client) == (ANSWER, None)
        else:
            answer = await client.chat.completions.create(model="hamlet", messages=ASK)
            assert answer.choices[0].message.content == ANSWER
    assert await world.charged(key) == 4 * PRICE


async def test_a_wrong_request_is_not_tried_on_the_next_upstream(world, upstream, client_of):
    await world.asset("hamlet", upstream.url("rejected"), upstream.url("rejected"))
    with pytest.raises(openai.BadRequestError):
        await client_of((await world.key()).text).chat.completions.create(model="hamlet", messages=ASK)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("cut", "upstream_cut"),
        ("no_done", "upstream_cut"),
        ("stalls", "upstream_slow"),
        ("malformed", "upstream_malformed"),
        ("error_event", "upstream_failed"),
        ("huge_event", "upstream_oversized"),
    ],
)
async def test_a_stream_that_breaks_is_charged_for_what_was_delivered(world, upstream, client_of, mode, code):
    await world.asset("hamlet", upstream.url(mode))
    key = await world.key()
    text, error = await collect(client_of(key.text))
    assert text == "To be or"
    assert error.code == code
    bill = (await world.bills(key))[0].bill
    assert (bill.usage.input_tokens, bill.usage.output_tokens) == (PART_OF_INPUT, PART)
    assert bill.charge == PART_OF_INPUT + 3 * PART + 5 == await world.charged(key)
    assert bill.counted_by == "estimate"


async def test_a_broken_stream_still_carries_its_bill(world, upstream, client_of, gateway_module):
    await world.asset("hamlet", upstream.url("cut"))
    key = await world.key()
    async with client_of(key.text).chat.completions.with_streaming_response.create(
        model="hamlet", messages=ASK, stream=True
    ) as response:
        last = (await response.read()).split(b"\n\n")[-2]
    ending = orjson.loads(last.removeprefix(b"data: "))
    assert ending["error"]["code"] == "upstream_cut"
    assert int(ending["usage"]["cost_details"]["charge"]) == await world.charged(key)
    assert int(ending["usufruct"]["amount"]) == await world.charged(key)
    assert gateway_module.receipt_signer(ending["usufruct"]) == gateway_module.OPERATOR.receipts.address
    assert b"[DONE]" not in last


async def test_an_upstream_that_never_ends_is_stopped_and_the_ceiling_holds(world, upstream, client_of):
    await world.asset("hamlet", upstream.url("never_ends"))
    key = await world.key()
    text, error = await collect(client_of(key.text), max_tokens=10)
    assert error.code == "upstream_oversized"
    assert len(text) < 10 * 128 + 4_096 + 100
    call = (await world.bills(key))[0]
    assert call.bill.charge == call.ceiling == OWN_INPUT + 30 + 5
    async with asyncio.timeout(60):
        await upstream.hung_up.wait()


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("mode", "tokens", "flagged"),
    [
        ("usage_high", (ESTIMATED_INPUT, ESTIMATED), True),
        ("usage_low", (1, 1), False),
        ("usage_zero", (ESTIMATED_INPUT, ESTIMATED), True),
        ("usage_missing", (ESTIMATED_INPUT, ESTIMATED), False),
        ("usage_invalid", (ESTIMATED_INPUT, ESTIMATED), True),
        ("ignores_max_tokens", (4, 12), False),
    ],
)
async def test_what_an_upstream_says_about_usage(world, upstream, client_of, stream, mode, tokens, flagged):
    await world.asset("hamlet", upstream.url(mode))
    key = await world.key()
    client = client_of(key.text)
    if stream:
        assert await collect(client) == (ANSWER, None)
    else:
        await client.chat.completions.create(model="hamlet", messages=ASK)
    call = (await world.bills(key))[0]
    assert call.bill.flagged is flagged
    assert call.bill.counted_by == ("estimate" if tokens[1] == ESTIMATED else "upstream")
    assert (call.bill.usage.input_tokens, call.bill.usage.output_tokens) == tokens
    assert call.bill.charge == min(call.ceiling, tokens[0] + 3 * tokens[1] + 5)


async def test_an_upstream_that_ignores_max_tokens_is_paid_no_more_than_the_ceiling(world, upstream, client_of):
    await world.asset("hamlet", upstream.url("ignores_max_tokens"))
    key = await world.key()
    assert (await collect(client_of(key.text), max_tokens=2))[1] is None
    call = (await world.bills(key))[0]
    assert call.ceiling == OWN_INPUT + 2 * 3 + 5
    assert call.bill.charge == min(call.ceiling, PRICE)


async def test_whole_answers_that_break_are_free(world, upstream, client_of):
    for name, mode in [("cut", "cut"), ("bad", "malformed"), ("error", "error_event")]:
        await world.asset(name, upstream.url(mode))
    key = await world.key()
    client = client_of(key.text)
    for name in ("cut", "bad", "error"):
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model=name, messages=ASK)
    assert await world.charged(key) == 0
