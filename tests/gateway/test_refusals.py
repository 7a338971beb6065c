"""Bad input: each has its own error, in the client's own exception class, and nothing is charged or sent upstream."""

import dataclasses
import hashlib

import httpx
import openai
import pytest

from usufruct.core import Clock

ASK = [{"role": "user", "content": "What is the question?"}]


async def refusal(client, kind, code, *, status, model="hamlet", messages=ASK, **options):
    """Call, expect `kind` with `code`, and return the error."""
    with pytest.raises(kind) as caught:
        await client.chat.completions.create(model=model, messages=messages, **options)
    error = caught.value
    assert (type(error), error.code, error.status_code) == (kind, code, status)
    assert error.body["call_id"] == error.request_id == error.response.headers["x-request-id"]
    return error


@pytest.fixture
async def hamlet(world, upstream):
    """The asset; afterwards nothing has been asked of its upstream."""
    yield await world.asset("hamlet", upstream.url())
    assert upstream.requests == []


async def test_keys_that_are_none(world, hamlet, client_of):
    key = await world.key()
    mistyped = key.text[:-1] + ("0" if key.text[-1] != "0" else "1")
    foreign = (await other_installations_key(world)).text
    for text, code in [
        ("sk-something", "key_mistyped"),
        (mistyped, "key_mistyped"),
        (key.text[:40], "key_mistyped"),
        (foreign, "key_unknown"),
    ]:
        error = await refusal(client_of(text), openai.AuthenticationError, code, status=401)
        assert text not in str(error.body)
    async with httpx.AsyncClient(timeout=120) as plain:
        answer = await plain.post(f"{world.url}/chat/completions", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "key_missing")


async def other_installations_key(world):
    """A key that was made properly and is not known here."""
    key = await world.key()
    forged = key.text[:3] + "ab" * 32
    checksum = hashlib.sha256(b"usufruct bearer key" + bytes.fromhex("ab" * 32)).hexdigest()[:8]
    return dataclasses.replace(key, text=forged + checksum)


async def test_a_revoked_key_stops_at_once(world, hamlet, client_of, gateway_module):
    key = await world.key()
    client = client_of(key.text)
    await refusal(client, openai.NotFoundError, "unknown_model", status=404, model="macbeth")
    await world.keys.revoke(gateway_module.PAYER.address, key.key.id)
    error = await refusal(client, openai.AuthenticationError, "key_revoked", status=401)
    assert error.body["details"]["key_id"] == key.key.id


async def test_an_expired_key(world, hamlet, client_of):
    key = await world.key(expires_at=Clock().now() + 3600)
    world.clock.ahead = 3600
    await refusal(client_of(key.text), openai.AuthenticationError, "key_expired", status=401)


async def test_an_asset_outside_the_keys_scope(world, hamlet, client_of):
    key = await world.key(assets=frozenset({"macbeth"}))
    error = await refusal(client_of(key.text), openai.PermissionDeniedError, "asset_out_of_scope", status=403)
    assert error.param == "model"


async def test_no_such_model_and_a_retired_one(world, hamlet, client_of):
    client = client_of((await world.key()).text)
    error = await refusal(client, openai.NotFoundError, "unknown_model", status=404, model="macbeth")
    assert (error.param, error.type) == ("model", "not_found_error")
    await world.listings.retire("hamlet")
    await refusal(client, openai.APIStatusError, "retired_listing", status=410)
    assert [model.id async for model in await client.models.list()] == []


async def test_the_wrong_endpoint(world, hamlet, client_of):
    client = client_of((await world.key()).text)
    with pytest.raises(openai.BadRequestError) as caught:
        await client.embeddings.create(model="hamlet", input="text")
    assert caught.value.code == "wrong_endpoint"


async def test_money_is_402_with_the_numbers_and_never_retried(world, hamlet, client_of):
    poor = await world.key(balance=100)
    client = client_of(poor.text, max_retries=3)
    error = await refusal(client, openai.APIStatusError, "insufficient_balance", status=402, max_tokens=50)
    assert (error.body["details"]["balance"], error.body["details"]["needed"]) == ("100", str(33 + 150 + 5))
    assert error.response.headers["x-should-retry"] == "false"
    assert error.response.request.headers["x-stainless-retry-count"] == "0"
    capped = await world.key(balance=10**6, limit=60)
    error = await refusal(client_of(capped.text), openai.APIStatusError, "limit_reached", status=402, max_tokens=50)
    assert (error.body["details"]["limit"], error.body["details"]["needed"]) == ("60", "188")
    daily = await world.key(balance=10**6, limit=1_000, day_limit=60)
    error = await refusal(client_of(daily.text), openai.APIStatusError, "day_limit_reached", status=402, max_tokens=50)
    details = error.body["details"]
    assert (details["limit"], details["needed"], details["left"]) == ("60", "188", "60")
    assert int(details["renews_at"]) % 86_400 == 0
    assert "60 may be spent a day, 60 of it is left" in error.message
    empty = await world.key(balance=0)
    await refusal(client_of(empty.text), openai.APIStatusError, "insufficient_balance", status=402)
    assert await world.charged(poor) == await world.charged(capped) == 0


async def test_a_limit_for_one_call(world, hamlet, client_of):
    client = client_of((await world.key()).text)
    header = {"x-usufruct-limit": "40"}
    error = await refusal(client, openai.APIStatusError, "over_budget", status=402, extra_headers=header)
    assert error.body["details"]["budget"] == "40"
    header = {"x-usufruct-limit": "much"}
    await refusal(client, openai.BadRequestError, "invalid_request", status=400, extra_headers=header)


async def test_a_channel_being_withdrawn_from(world, hamlet, client_of):
    key = await world.key()
    reading = (await world.channel(key)).reading
    await world.ledger.observe(dataclasses.replace(reading, block=2, withdraw_at=1_800_000_000))
    await refusal(client_of(key.text), openai.APIStatusError, "channel_withdrawing", status=402)


async def test_input_over_the_context_window(world, hamlet, client_of):
    client = client_of((await world.key()).text)
    long = [{"role": "user", "content": "x" * 5_000}]
    error = await refusal(client, openai.BadRequestError, "over_context", status=400, messages=long)
    assert error.body["details"] == {"counted_input": "5012", "context_window": "4096"}


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"{", "malformed_json", "body"),
        (b"[]", "malformed_json", "body"),
        (b"\xff", "malformed_json", "body"),
        (b"{}", "invalid_request", "model"),
        (b'{"model": 7}', "invalid_request", "model"),
        (b'{"model": "hamlet"}', "invalid_request", "messages"),
        (b'{"model": "hamlet", "messages": []}', "invalid_request", "messages"),
        (b'{"model": "hamlet", "messages": ["hi"]}', "invalid_request", "messages.0"),
        (b'{"model": "hamlet", "messages": [{"role": "user", "content": 5}]}', "invalid_request", "messages.0.content"),
        (
            b'{"model": "hamlet", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}',
            "unsupported_content",
            "messages.0.content",
        ),
        (b'{"model": "hamlet", "messages": [{"role": "user"}], "n": 0}', "invalid_request", "n"),
        (b'{"model": "hamlet", "messages": [{"role": "user"}], "max_tokens": 1.5}', "invalid_request", "max_tokens"),
        (b'{"model": "hamlet", "messages": [{"role": "user"}], "max_tokens": true}', "invalid_request", "max_tokens"),
        (b'{"model": "hamlet", "messages": [{"role": "user"}], "stream": 1}', "invalid_request", "stream"),
        (
            b'{"model": "hamlet", "messages": [{"role": "user"}], "stream_options": 1}',
            "invalid_request",
            "stream_options",
        ),
    ],
)
async def test_malformed_requests(world, hamlet, body, code, param):
    key = await world.key()
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key.text}"}, timeout=120) as plain:
        answer = await plain.post(f"{world.url}/chat/completions", content=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)
    assert answer.headers["x-should-retry"] == "false"


async def test_no_such_receipt_and_no_such_path(world, hamlet, client_of):
    client = client_of((await world.key()).text)
    for path, kind, code, param in [
        ("/receipts/0x" + "00" * 32, openai.NotFoundError, "receipt_not_found", "receipt"),
        ("/receipts/12", openai.BadRequestError, "invalid_hash", "receipt"),
        ("/audio", openai.NotFoundError, "unknown_route", "path"),
    ]:
        with pytest.raises(kind) as caught:
            await client.get(path, cast_to=object)
        assert (caught.value.code, caught.value.param) == (code, param)


@pytest.mark.parametrize("path", ["/messages", "/responses", "/completions", "/images/generations"])
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_what_other_clients_look_for_is_answered_with_what_there_is(world, hamlet, path, method):
    """Anthropic's client, OpenAI's responses and completions: the 404 names the route to use instead."""
    key = await world.key()
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key.text}"}, timeout=120) as plain:
        answer = await plain.request(method, f"{world.url}{path}", json={"model": "hamlet", "prompt": "hi"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (404, "unknown_route", "not_found_error")
    for route in (f"/v1{path};", "POST /v1/chat/completions", "POST /v1/embeddings", "GET /v1/models"):
        assert route in error["message"]


async def test_one_bad_call_does_not_hold_money(world, hamlet, client_of):
    key = await world.key(balance=1_000)
    client = client_of(key.text)
    for _ in range(3):
        await refusal(client, openai.APIStatusError, "insufficient_balance", status=402, max_tokens=900)
    assert (await world.channel(key)).reserved == 0
