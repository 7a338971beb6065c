"""What a caller is told about a charge: our counts, whatever the upstream said, and the receipt to check it by."""

import base64
from dataclasses import replace
from fractions import Fraction

import orjson
import pytest
from openai.types import CompletionUsage

from usufruct.core import Hash32
from usufruct.core.price_cards import PriceCard
from usufruct.gateway.signed_receipt import SignedReceipt, bill_event
from usufruct.payments.ledger import Bill
from usufruct.payments.pricing.charges import price_lines
from usufruct.payments.pricing.receipts import Receipt, ReceiptDocument
from usufruct.payments.pricing.usage import CountedBy, Usage

CALL, CHANNEL, OTHER = (Hash32("0x" + digits * 32) for digits in ("ca", "c4", "0d"))


@pytest.fixture
def bill(gateway_module) -> SignedReceipt:
    counted = CountedBy.ESTIMATE
    used = Usage(120, 30, cached_input_tokens=100)
    lines = price_lines(used.quantities, PriceCard(0, 0, 1_500, 4_096, 3))
    receipt = Receipt(
        CALL,
        CHANNEL,
        gateway_module.TOKEN,
        7,
        3,
        OTHER,
        OTHER,
        OTHER,
        lines,
        counted,
        2_000,
        1_500,
        9_000,
        1_800_000_000,
    )
    operator = gateway_module.OPERATOR
    document = ReceiptDocument(
        receipt, operator.escrow.chain_id, operator.till, operator.receipts.address, b"\x01" * 65
    )
    charged = Bill(1_500, lines, flagged=True, model_digest=OTHER, response_hash=OTHER, reasoning_tokens=7)
    return SignedReceipt(document, charged, charged.usage, operator)


def test_our_counts_stand_in_place_of_the_upstreams_and_its_other_members_stay(bill, gateway_module):
    reported = {
        "prompt_tokens": 9_999,
        "completion_tokens": 8_888,
        "total_tokens": 7_777,
        "cost": 99,
        "prompt_tokens_details": {"cached_tokens": 5, "audio_tokens": 4},
    }
    ours = {
        "prompt_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": 100},
        "completion_tokens": 30,
        "total_tokens": 150,
        "cost": 0.0015,
        "cost_details": {
            "charge": "1500",
            "cost": "0.0015",
            "ceiling": "2000",
            "token": gateway_module.TOKEN,
            "decimals": 6,
            "flagged": True,
            "counted_by": "estimate",
            "reasoning_tokens": 7,
        },
    }
    assert bill.usage() == ours
    assert bill.usage(reported) == ours | {"prompt_tokens_details": {"cached_tokens": 100, "audio_tokens": 4}}
    assert bill.usage({"prompt_tokens_details": "none"}) == ours
    assert not replace(bill, bill=replace(bill.bill, flagged=False)).usage()["cost_details"]["flagged"]


class StockUsage(CompletionUsage):
    """OpenAI's usage with the cost as LiteLLM's SDK and others add it."""

    cost: float | None = None


@pytest.mark.parametrize("amount", [0, 1, 1_500, 10**12 + 1, (1 << 128) - 1])
def test_the_usage_is_what_stock_clients_models_have(bill, amount):
    """Warnings are errors here: pydantic warns on each dump of a member that is not of its field's type."""
    receipt = replace(bill.document.receipt, amount=amount)
    of_amount = replace(bill, document=replace(bill.document, receipt=receipt))
    usage = orjson.loads(orjson.dumps(of_amount.usage()))
    built = StockUsage.model_construct(**usage)  # as SDKs build what comes from a server: without validation
    assert built.model_dump()["cost"] == StockUsage.model_validate(usage).cost
    assert built.cost == pytest.approx(amount / 10**6)
    assert Fraction(usage["cost_details"]["cost"]) * 10**6 == int(usage["cost_details"]["charge"]) == amount


def test_a_whole_answer_says_it_in_headers(bill):
    headers = dict(bill.headers())
    receipt = headers.pop(b"x-usufruct-receipt")
    assert headers == {
        b"x-usufruct-charge": b"1500",
        b"x-usufruct-cost": b"0.0015",
        b"x-usufruct-ceiling": b"2000",
        b"x-usufruct-input-tokens": b"120",
        b"x-usufruct-cached-input-tokens": b"100",
        b"x-usufruct-output-tokens": b"30",
        b"x-usufruct-call": CALL.encode(),
    }
    assert orjson.loads(base64.b64decode(receipt)) == bill.document.as_json()


def test_a_stream_says_it_in_a_chunk_without_choices(bill):
    event = bill_event(bill, "chatcmpl-1", "hamlet")
    assert event.endswith(b"\n\n")
    assert orjson.loads(event.removeprefix(b"data: ")) == {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_800_000_000,
        "model": "hamlet",
        "choices": [],
        "usage": bill.usage(),
        "usufruct": bill.document.as_json(),
    }
