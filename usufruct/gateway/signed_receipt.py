"""What the caller learns about the charge: the receipt, members of `usage`, headers, the last event of a stream."""

import binascii
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson

from usufruct.chain.keys import InvalidSignature, recover_signer
from usufruct.core import Address, value
from usufruct.gateway.errors import ReceiptContradicted, ReceiptNotFound
from usufruct.gateway.operator_profile import Operator
from usufruct.payments.ledger import Call, receipt_of
from usufruct.payments.pricing import (
    Receipt,
    ReceiptDocument,
    receipt_digest,
    sign_receipt,
    text_usage,
)
from usufruct.web import Header


@value
class SignedReceipt:
    """A receipt under the signature of the operator's key `signer`, and what it does not say.

    That is whether the upstream's usage was overruled, and how much of the output is hidden reasoning.
    """

    receipt: Receipt
    signature: bytes
    signer: Address
    flagged: bool
    operator: Operator
    reasoning_tokens: int = 0

    def as_json(self) -> dict[str, object]:
        """Return the receipt as it travels, with where and by whom it is signed."""
        operator = self.operator
        document = ReceiptDocument(self.receipt, operator.escrow.chain_id, operator.till, self.signer, self.signature)
        return document.as_json()

    def usage(self, reported: Mapping[str, Any] | None = None) -> dict[str, object]:
        """Return the answer's `usage`: the upstream's members, our counts, `cost` in whole units, `cost_details`.

        `cost` is a JSON number, as clients' models have it; `cost_details.cost` is the same, exact, as decimal text.
        """
        cost = self.operator.shown(self.receipt.amount)
        counted = text_usage(self.receipt.lines)
        inputs, outputs = counted.input_tokens, counted.output_tokens
        told = (reported or {}).get("prompt_tokens_details")
        cached = {**(told if isinstance(told, dict) else {}), "cached_tokens": counted.cached_input_tokens}
        details = {
            "charge": str(self.receipt.amount),
            "cost": cost,
            "ceiling": str(self.receipt.ceiling),
            "token": self.receipt.token,
            "decimals": self.operator.decimals,
            "flagged": self.flagged,
            "counted_by": self.receipt.counted_by.value,
            "reasoning_tokens": self.reasoning_tokens,
        }
        ours = {
            "prompt_tokens": inputs,
            "prompt_tokens_details": cached,
            "completion_tokens": outputs,
            "total_tokens": inputs + outputs,
        }
        return {**(reported or {}), **ours, "cost": float(cost), "cost_details": details}

    def headers(self) -> list[Header]:
        """Return the headers of a whole answer; `x-usufruct-receipt` is the receipt as base64 of its JSON."""
        receipt, counted = self.receipt, text_usage(self.receipt.lines)
        return [
            (b"x-usufruct-charge", b"%d" % receipt.amount),
            (b"x-usufruct-cost", self.operator.shown(receipt.amount).encode()),
            (b"x-usufruct-ceiling", b"%d" % receipt.ceiling),
            (b"x-usufruct-input-tokens", b"%d" % counted.input_tokens),
            (b"x-usufruct-cached-input-tokens", b"%d" % counted.cached_input_tokens),
            (b"x-usufruct-output-tokens", b"%d" % counted.output_tokens),
            (b"x-usufruct-call", receipt.call.encode()),
            (b"x-usufruct-receipt", binascii.b2a_base64(orjson.dumps(self.as_json()), newline=False)),
        ]


def signed(call: Call, operator: Operator) -> SignedReceipt:
    """Return a metered call's receipt with the signature that was made when the call was metered.

    Raises:
        ReceiptNotFound: when the call has not been metered.
    """
    receipt = receipt_of(call, operator.token)
    if receipt is None or call.bill is None or call.receipt_signature is None:
        raise ReceiptNotFound(f"call {call.lease.call} is {call.state}: nothing was charged, so there is no receipt")
    return SignedReceipt(
        receipt,
        call.receipt_signature,
        operator.receipts.address,
        call.bill.flagged,
        operator,
        call.bill.reasoning_tokens,
    )


async def kept_receipt(call: Call, operator: Operator) -> SignedReceipt:
    """Return the receipt of a call that was metered earlier, if the database still says what was signed then.

    It stays under the key that signed it, which may be an earlier one.

    Raises:
        ReceiptNotFound: when the call has not been metered.
        ReceiptContradicted: when a field was changed since; no second receipt is ever signed.
    """
    kept = signed(call, operator)
    signer: Address | None = None
    with suppress(InvalidSignature):
        signer = recover_signer(receipt_digest(kept.receipt, operator.escrow.chain_id, operator.till), kept.signature)
    if signer == kept.signer:
        return kept
    if signer is None or not await operator.signed_before(signer):
        raise ReceiptContradicted(
            f"the row of call {call.lease.call} is not what its receipt was signed over; `usufruct reconcile` names "
            "what was changed",
            call=call.lease.call,
        )
    return replace(kept, signer=signer)


def receipt_signature(call: Call, operator: Operator) -> bytes:
    """Sign a metered call's receipt: 65 bytes.

    Raises:
        ReceiptNotFound: when the call has not been metered.
    """
    receipt = receipt_of(call, operator.token)
    if receipt is None:
        raise ReceiptNotFound(f"call {call.lease.call} is {call.state}: nothing was charged, so there is no receipt")
    return sign_receipt(receipt, operator.escrow.chain_id, operator.till, operator.receipts)


def bill_event(receipt: SignedReceipt, answer_id: str, model: str) -> bytes:
    """Return the event that carries the bill: a chunk without choices, as OpenAI's usage event is, with the receipt."""
    return event(
        {
            "id": answer_id,
            "object": "chat.completion.chunk",
            "created": receipt.receipt.time,
            "model": model,
            "choices": [],
            "usage": receipt.usage(),
            "usufruct": receipt.as_json(),
        }
    )


def event(content: Mapping[str, Any]) -> bytes:
    """Write one server-sent event."""
    return b"data: " + orjson.dumps(content) + b"\n\n"
