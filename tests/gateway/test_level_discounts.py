"""A payer's staking level lowers a bill where the seller gives that: ceiling, charge, receipt and replay."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence

import httpx
import openai
import orjson
import pytest

from tests.support.fake_clock import FakeClock
from tests.support.gateway_server import CARD, PAYER, World, gateway_world, receipt_signer
from tests.support.paced_upstream import paced_upstream
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, Hash32
from usufruct.gateway.call_rate import CallRate
from usufruct.gateway.errors import TooManyCalls
from usufruct.gateway.payers.base import PayerIdentity
from usufruct.payments.pricing import Benefits, Usage, charge_up, discounted_card_up, price_lines
from usufruct_client import read_receipt
from usufruct_client.bill_lines import charge_faults

ASK = [{"role": "user", "content": "What is the question?"}]
OTHER = KeySigner(bytes(31) + b"\x09")
EIGHTH = Benefits(8, 2_000, 30_000)
LISTED = Usage(4, 12)


class KnownLevels:
    """Levels of payers as a test sets them."""

    def __init__(self) -> None:
        self.levels: dict[Address, Benefits] = {PAYER.address: EIGHTH}
        self.asked: list[Address] = []
        self.discounts: Sequence[int] = [250 * number for number in range(1, 11)]

    async def of(self, payer: Address, *, funded: bool = True) -> Benefits:
        self.asked.append(payer)
        return self.levels.get(payer, Benefits())


@pytest.fixture
def levels() -> KnownLevels:
    return KnownLevels()


@pytest.fixture
def calls_per_minute() -> int:
    return 0


@pytest.fixture
async def world(gateway_url, levels, calls_per_minute) -> AsyncIterator[World]:
    async with gateway_world(gateway_url, benefits=levels, calls_per_minute=calls_per_minute) as opened:
        yield opened


def price(discount_bps: int) -> int:
    return charge_up(price_lines(LISTED.quantities, discounted_card_up(CARD, discount_bps)), 1 << 128)


async def ask(client, **options):
    """Ask for a whole answer; return its headers, usage and receipt."""
    raw = await client.chat.completions.with_raw_response.create(model="hamlet", messages=ASK, **options)
    return raw.headers, raw.parse().usage, orjson.loads(base64.b64decode(raw.headers["x-usufruct-receipt"]))


async def test_nothing_is_given_unless_the_seller_gives_it(world, upstream, client_of, levels):
    await world.asset("hamlet", upstream.url())
    key = await world.key()
    headers, usage, receipt = await ask(client_of(key.text))
    assert int(receipt["amount"]) == price(0) == await world.charged(key)
    assert "x-usufruct-saved" not in headers
    assert "saved" not in usage.cost_details
    assert levels.asked == [], "the levels of payers are not looked at"


@pytest.mark.parametrize(("most", "given"), [(5_000, 2_000), (1_500, 1_500)])
async def test_a_level_lowers_ceiling_charge_and_receipt_up_to_what_the_seller_gives(
    world, upstream, client_of, most, given
):
    await world.asset("hamlet", upstream.url())
    key, plain = await world.key(), await world.key(payer=OTHER)
    await ask(client_of(plain.text))
    await world.listings.give_level_discount("hamlet", most)
    headers, usage, receipt = await ask(client_of(key.text))
    card = discounted_card_up(CARD, given)
    assert int(receipt["amount"]) == price(given) == await world.charged(key) < price(0)
    assert {line["unit"]: int(line["price"]) for line in receipt["lines"]}["input_text_token"] == card.input_per_million
    assert receipt["priceCardVersion"] == "1"
    assert receipt_signer(receipt) is not None
    read = read_receipt(receipt)
    assert charge_faults(read.lines, read.ceiling, read.amount) == []
    (lower,), (whole,) = await world.bills(key), await world.bills(plain)
    assert lower.ceiling < whole.ceiling
    saved = price(0) - price(given)
    assert (headers["x-usufruct-saved"], usage.cost_details["saved"]) == (str(saved), str(saved))
    await ask(client_of(plain.text))
    assert await world.charged(plain) == 2 * price(0)


async def test_a_stream_shows_what_was_saved(world, upstream, client_of):
    await world.asset("hamlet", upstream.url())
    await world.listings.give_level_discount("hamlet", 5_000)
    key = await world.key()
    options = {"stream": True, "stream_options": {"include_usage": True}}
    stream = await client_of(key.text).chat.completions.create(model="hamlet", messages=ASK, **options)
    last = [chunk async for chunk in stream][-1]
    assert int(last.usage.cost_details["saved"]) == price(0) - price(2_000)
    assert int(last.usufruct["amount"]) == price(2_000)


async def test_a_replay_returns_the_first_bill(world, upstream, client_of, levels):
    await world.asset("hamlet", upstream.url())
    await world.listings.give_level_discount("hamlet", 5_000)
    key = await world.key()
    again = {"extra_headers": {"idempotency-key": "once"}}
    first = await ask(client_of(key.text), **again)
    levels.levels.clear()
    await world.listings.give_level_discount("hamlet", 0)
    headers, usage, receipt = await ask(client_of(key.text), **again)
    assert headers["x-usufruct-replayed"] == "true"
    assert (receipt, usage) == (first[2], first[1])
    assert headers["x-usufruct-saved"] == first[0]["x-usufruct-saved"]
    assert await world.charged(key) == price(2_000)


@pytest.mark.parametrize("after", [Benefits(), Benefits(10, 5_000, 10_000)])
async def test_a_level_that_changes_does_not_change_an_open_call(world, client_of, levels, after):
    async with paced_upstream() as upstream:
        await world.asset("hamlet", upstream.url)
        await world.listings.give_level_discount("hamlet", 5_000)
        key = await world.key()
        asked = asyncio.create_task(ask(client_of(key.text)))
        await upstream.asked.acquire()
        levels.levels[PAYER.address] = after
        await world.listings.give_level_discount("hamlet", 0)
        upstream.go_on.set()
        _, _, receipt = await asked
    prices = {int(line["price"]) for line in receipt["lines"] if line["unit"] == "output_text_token"}
    assert prices == {discounted_card_up(CARD, 2_000).output_per_million}


async def test_a_card_says_what_each_level_takes_off(world, upstream):
    await world.asset("hamlet", upstream.url())
    await world.asset("ophelia", upstream.url())
    await world.listings.give_level_discount("hamlet", 1_000)
    async with httpx.AsyncClient(timeout=120) as http:
        cards = {each["id"]: each for each in (await http.get(f"{world.url}/models")).json()["data"]}
    assert cards["hamlet"]["level_discounts"] == [250, 500, 750, *[1_000] * 7]
    assert cards["ophelia"]["level_discounts"] == []


@pytest.mark.parametrize("calls_per_minute", [2])
async def test_a_call_over_the_quota_is_refused_and_a_replay_is_not_counted(world, upstream, client_of):
    await world.asset("hamlet", upstream.url())
    key, second = await world.key(payer=OTHER), await world.key(payer=OTHER)
    for _ in range(3):
        await ask(client_of(key.text), extra_headers={"idempotency-key": "once"})
    await ask(client_of(second.text))
    for text in (key.text, second.text):
        with pytest.raises(openai.RateLimitError) as refused:
            await ask(client_of(text))
        assert (refused.value.code, refused.value.body["details"]["most"]) == ("too_many_calls", "2")
    assert await world.charged(key) == await world.charged(second) == price(0)
    world.clock.ahead += 60
    await ask(client_of(key.text))


async def has_funds() -> bool:
    return True


async def test_a_quota_is_larger_by_level(levels):
    clock = FakeClock()
    rate = CallRate(2, levels, clock)
    staker, plain = (
        PayerIdentity(each.address, each.address, Hash32("0x" + "c1" * 32), staker=staker)
        for each, staker in ((PAYER, PAYER.address), (OTHER, None))
    )
    for identity, most in ((staker, 6), (plain, 2)):
        for _ in range(most):
            await rate.count(identity, has_funds)
        with pytest.raises(TooManyCalls) as refused:
            await rate.count(identity, has_funds)
        assert refused.value.details == {"most": most, "retry_after": 61}
    clock.advance(59)
    with pytest.raises(TooManyCalls):
        await rate.count(plain, has_funds)
    clock.advance(1)
    await rate.count(plain, has_funds)
