"""Signed offers and receipts over HTTP, checked by x402's unmodified JavaScript package."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import orjson
import pytest

from tests.support import x402_installation as worlds
from tests.support import x402_js_client as js
from tests.support import x402_payer as hands
from usufruct.core import checksum
from usufruct.gateway import Operator

request, decoded = worlds.request, worlds.decoded
EXTENSION = "offer-receipt"

pytestmark = pytest.mark.anvil


@pytest.fixture
async def world(devnet_template, tmp_path) -> AsyncIterator[object]:
    async with worlds.x402_installation(devnet_template, tmp_path) as opened:
        await opened.sell("chat")
        yield opened


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


def receipts_key(world) -> str:
    return checksum(world.installation.get(Operator).receipts.address)


def receipt_in(answer: httpx.Response) -> dict | None:
    extensions = decoded(answer.headers["payment-response"]).get("extensions", {})
    return extensions[EXTENSION]["info"]["receipt"] if extensions else None


def events_of(answer: httpx.Response) -> list[dict]:
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: {")]
    return [orjson.loads(line) for line in lines]


def header_bytes(answer: httpx.Response) -> int:
    return sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)


def encoded(document: dict) -> str:
    return base64.b64encode(orjson.dumps(document)).decode()


async def test_x402s_own_package_takes_the_offer_and_the_receipt_of_a_call(world, http):
    payer, body = await hands.HandPayer.make(world), request()
    asked = await http.post(f"{world.url}/chat/completions", json=body)
    answer = await payer.fill(http, body)
    assert answer.status_code == 200
    required, response = asked.headers["payment-required"], answer.headers["payment-response"]
    found = await js.verified(required, response, payer.account.address)

    assert max(header_bytes(asked), header_bytes(answer)) < 4_096  # more is cut off by proxies that are not told
    wanted, offer = decoded(required), found["offer"]
    (entry,) = wanted["accepts"]
    assert offer["signer"] == receipts_key(world)
    assert offer["accepted"] == entry
    promised = {name: entry[name] for name in ("scheme", "network", "asset", "payTo", "amount")}
    until = int(entry["extra"]["quote"].split(".")[2])
    url = f"{world.url}/chat/completions"
    assert offer["payload"] == {"version": 1, "resourceUrl": url, **promised, "validUntil": until}
    assert wanted["resource"]["url"] == url

    receipt = found["receipt"]
    assert (receipt["signer"], receipt["fits"]) == (receipts_key(world), True)
    ours = decoded(answer.headers["x-usufruct-receipt"])
    assert receipt["payload"] == {
        "version": 1,
        "network": "eip155:31337",
        "resourceUrl": url,
        "payer": payer.account.address.lower(),
        "issuedAt": int(ours["time"]),
        "transaction": "",
    }
    did = (await http.get(f"{world.url.removesuffix('/v1')}/.well-known/did.json")).json()
    accounts = [each["blockchainAccountId"] for each in did["verificationMethod"]]
    assert f"eip155:31337:{offer['signer']}" in accounts


@pytest.mark.parametrize("name", ["amount", "payTo", "asset", "network", "resourceUrl", "validUntil"])
async def test_a_tampered_offer_is_another_signers(world, http, name):
    wanted = decoded((await http.post(f"{world.url}/chat/completions", json=request())).headers["payment-required"])
    payload = wanted["extensions"][EXTENSION]["info"]["offers"][0]["payload"]
    payload[name] = payload[name] + 1 if name == "validUntil" else payload[name][:-1] + "9"
    found = await js.verified(encoded(wanted))
    assert found["offer"]["signer"] != receipts_key(world)


async def test_each_price_that_is_asked_comes_with_its_own_offer_a_refused_payment_too(world, http):
    payer, body = await hands.HandPayer.make(world), request()
    accepted = await payer.price(http, body)
    refused = await payer.pay(http, body, payer.payment(accepted, payer.voucher(int(accepted["amount"]))))
    assert refused.status_code == 402
    assert refused.json()["error"]["code"] == "channel_not_found"
    found = await js.verified(refused.headers["payment-required"])
    assert found["offer"]["accepted"] == decoded(refused.headers["payment-required"])["accepts"][0]
    bare = await http.get(f"{world.url}/chat/completions")  # asks for no call, so nothing is promised
    assert EXTENSION not in decoded(bare.headers["payment-required"])["extensions"]


async def test_a_stream_has_its_receipt_in_the_bill_event_and_not_in_the_header(world, http):
    payer, body = await hands.HandPayer.make(world), request(stream=True)
    asked = await http.post(f"{world.url}/chat/completions", json=body)
    answer = await payer.fill(http, body)
    assert receipt_in(answer) is None
    bill = events_of(answer)[-1]
    response = encoded({"success": True, "extensions": bill["extensions"]})
    found = await js.verified(asked.headers["payment-required"], response, payer.account.address)
    assert (found["receipt"]["signer"], found["receipt"]["fits"]) == (receipts_key(world), True)
    assert found["receipt"]["payload"]["issuedAt"] == int(bill["usufruct"]["time"])


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_is_given_again_has_the_receipt_it_had(world, http, stream):
    payer, body = await hands.HandPayer.make(world), request(stream=stream)
    accepted = await payer.price(http, body)
    payment = payer.payment(accepted, payer.voucher(int(accepted["amount"])), deposit=payer.deposit(1_000_000))
    again = {"Host": "other.example"}  # which would be the host of a receipt that is signed when it is asked for
    answers = [await payer.pay(http, body, payment, **{"Idempotency-Key": "once"}, **more) for more in ({}, again)]
    assert [answer.headers.get("x-usufruct-replayed") for answer in answers] == [None, "true"]
    if stream:
        first, second = (events_of(answer)[-1]["extensions"] for answer in answers)
    else:
        first, second = (receipt_in(answer) for answer in answers)
    assert first
    assert first == second


async def test_what_was_not_delivered_whole_or_cost_nothing_has_no_receipt(world, http):
    await world.sell("broken", "error_500")
    await world.sell("cut", "cut")
    await world.sell("free", card=replace(worlds.CARD, input_per_million=0, output_per_million=0, per_call=0))
    payer = await hands.HandPayer.make(world)
    assert (await payer.fill(http, request())).status_code == 200

    async def paid(**more) -> httpx.Response:
        body = request(**more)
        return await payer.pay(http, body, payer.payment(await payer.price(http, body), payer.voucher(900_000)))

    failed = await paid(model="broken")
    assert failed.status_code == 502
    assert receipt_in(failed) is None
    cut = await paid(model="cut", stream=True)
    last = events_of(cut)[-1]
    assert int(last["usufruct"]["amount"]) > 0
    assert "error" in last
    assert "extensions" not in last
    free = await paid(model="free")
    assert free.status_code == 200
    assert decoded(free.headers["x-usufruct-receipt"])["amount"] == "0"
    assert receipt_in(free) is None


async def test_the_unmodified_javascript_client_pays_and_takes_the_receipt_home(world):
    account = await world.account()
    async with js.stock_client(world, account, rpc=False, most=worlds.DOLLAR) as client:
        answers = [await client.call(request(stream=stream)) for stream in (False, True, False)]
    assert [answer["status"] for answer in answers] == [200, 200, 200]
    kept = [decoded(answer["headers"]["payment-response"]).get("extensions") for answer in answers]
    assert [EXTENSION in (each or {}) for each in kept] == [True, False, True]
