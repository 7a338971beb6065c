"""Price cards on the bill: cached input, prices in a token with 18 decimals, units that no operation measures."""

import base64
from dataclasses import replace
from fractions import Fraction
from math import ceil

import openai
import orjson
import pytest

from tests.support.bills import counts
from usufruct.core.price_cards import PriceCard, PriceUnit

ASK = [{"role": "user", "content": "What is the question?"}]
INPUT, OUTPUT = 4, 12
DOLLAR = 10**18
DEAR = PriceCard(75 * DOLLAR, 300 * DOLLAR, DOLLAR // 100, 4_096, 1, cached_input_bps=1_250)


def exact(card: PriceCard, inputs: int, cached: int, outputs: int) -> int:
    """What the documentation says a call costs, in fractions."""
    share = Fraction(card.cached_input_bps, 10_000)
    quantities = (inputs - cached + cached * share) * card.input_per_million + outputs * card.output_per_million
    return ceil(quantities / 1_000_000 + card.per_call)


async def usage_of(client, stream: bool):
    """Ask; return the answer's `usage` and the receipt's JSON."""
    if stream:
        options = {"stream": True, "stream_options": {"include_usage": True}}
        chunks = [
            chunk async for chunk in await client.chat.completions.create(model="hamlet", messages=ASK, **options)
        ]
        return chunks[-1].usage, chunks[-1].usufruct
    raw = await client.chat.completions.with_raw_response.create(model="hamlet", messages=ASK)
    receipt = orjson.loads(base64.b64decode(raw.headers["x-usufruct-receipt"]))
    assert raw.headers["x-usufruct-cached-input-tokens"] == str(counts(receipt)[1])
    return raw.parse().usage, receipt


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("mode", "cached"), [("ok", 0), ("usage_cached", 3), ("usage_all_cached", INPUT)])
async def test_cached_input_is_charged_by_its_share_and_shown(
    world, upstream, client_of, gateway_module, stream, mode, cached
):
    await world.asset("hamlet", upstream.url(mode), card=DEAR)
    key = await world.key(balance=1_000 * DOLLAR)
    usage, receipt = await usage_of(client_of(key.text), stream)
    assert usage.prompt_tokens_details.cached_tokens == cached
    assert counts(receipt) == (4, cached, 12)
    charge = exact(DEAR, INPUT, cached, OUTPUT)
    assert int(receipt["amount"]) == charge == await world.charged(key)
    assert gateway_module.receipt_signer(receipt) == gateway_module.OPERATOR.receipts.address
    first, *rest = receipt["lines"]
    forged = receipt | {"lines": [first | {"quantity": str(int(first["quantity"]) + 1)}, *rest]}
    assert gateway_module.receipt_signer(forged) != gateway_module.OPERATOR.receipts.address
    (call,) = await world.bills(key)
    assert call.ceiling > exact(DEAR, INPUT, 0, OUTPUT)
    await world.check_books()


async def test_a_ceiling_assumes_that_nothing_is_cached(world, upstream, client_of):
    free = replace(DEAR, output_per_million=0, per_call=1, cached_input_bps=0)
    await world.asset("hamlet", upstream.url("usage_all_cached"), card=free)
    key = await world.key(balance=DOLLAR)
    await usage_of(client_of(key.text), False)
    (call,) = await world.bills(key)
    assert call.ceiling >= INPUT * 75 * DOLLAR // 1_000_000
    assert call.bill.charge == 1


async def test_the_dearest_prices_are_charged_and_their_refusals_are_sent(world, upstream, client_of):
    """100,000 dollars per million and 1,000 per call in a token with 18 decimals: every amount needs over 64 bits."""
    card = PriceCard(100_000 * DOLLAR, 100_000 * DOLLAR, 1_000 * DOLLAR, 4_096, 1)
    await world.asset("hamlet", upstream.url(), card=card)
    key = await world.key(balance=10**6 * DOLLAR)
    _, receipt = await usage_of(client_of(key.text), False)
    assert int(receipt["amount"]) == exact(card, INPUT, 0, OUTPUT) > 1 << 64
    poor = await world.key(balance=999 * DOLLAR)
    with pytest.raises(openai.APIStatusError) as refused:
        await client_of(poor.text).chat.completions.create(model="hamlet", messages=ASK)
    assert (refused.value.status_code, refused.value.code) == (402, "insufficient_balance")
    assert int(refused.value.body["details"]["needed"]) > 1_000 * DOLLAR
    with pytest.raises(openai.APIStatusError) as limited:
        await client_of(key.text).chat.completions.create(
            model="hamlet", messages=ASK, extra_headers={"x-usufruct-limit": str(999 * DOLLAR)}
        )
    assert limited.value.code == "over_budget"
    assert limited.value.body["details"]["budget"] == str(999 * DOLLAR)
    capped = await world.key(balance=10**6 * DOLLAR, limit=1_000 * DOLLAR)
    with pytest.raises(openai.APIStatusError) as spent:
        await client_of(capped.text).chat.completions.create(model="hamlet", messages=ASK)
    assert (spent.value.code, spent.value.body["details"]["limit"]) == ("limit_reached", str(1_000 * DOLLAR))


@pytest.mark.parametrize("unit", [unit for unit in PriceUnit if unit is not PriceUnit.TEXT_TOKEN])
async def test_a_card_in_another_unit_is_listed_and_no_call_is_charged_by_it(world, upstream, client_of, unit):
    await world.asset("hamlet", upstream.url(), card=replace(DEAR, unit=unit))
    key = await world.key()
    client = client_of(key.text)
    (model,) = [model async for model in await client.models.list()]
    assert model.price["unit"] == unit.value
    assert (model.price["cached_input_bps"], model.price["input_per_million"]) == (1_250, str(75 * DOLLAR))
    with pytest.raises(openai.ConflictError) as refused:
        await client.chat.completions.create(model="hamlet", messages=ASK)
    assert refused.value.code == "unmeasured_unit"
    assert refused.value.body["details"]["unit"] == unit.value
    assert upstream.requests == []
    assert await world.charged(key) == 0
