"""What the caller learns about the charge: the receipt, members of `usage`, headers, the last event of a stream."""

import binascii
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

import orjson

from usufruct.assets import Listing
from usufruct.chain.keys import InvalidSignature, recover_signer
from usufruct.core import Address, Faulty, NotFound, value
from usufruct.gateway.operator_profile import Operator
from usufruct.payments.ledger import Bill, Call, Ledger
from usufruct.payments.pricing import ReceiptDocument, Usage, receipt_digest, saved_up
from usufruct.web import Header


class AnswerBill(Protocol):
    """The bill that an answer carries, of a paid or a free call."""

    @property
    def call(self) -> str:
        """The call's id, as `0x` and hex."""

    @property
    def time(self) -> int:
        """When the bill was made, in seconds since 1970."""

    def usage(self, reported: Mapping[str, Any] | None = None) -> dict[str, object]:
        """Return the answer's `usage`: our counts over what the upstream reported."""

    def headers(self) -> list[Header]:
        """Return the headers of a whole answer."""

    def members(self) -> dict[str, object]:
        """Return what the last event of a stream has beside `usage`."""


@value
class SignedReceipt:
    """A receipt under the operator's signature, with its bill, and the text tokens among the bill's lines.

    `saved`: what the payer's staking level took off, atomic units.
    """

    document: ReceiptDocument
    bill: Bill
    counted: Usage
    operator: Operator
    saved: int = 0

    @property
    def call(self) -> str:
        """The call's id."""
        return self.document.receipt.call

    @property
    def time(self) -> int:
        """When the call was metered, in seconds since 1970."""
        return self.document.receipt.time

    def members(self) -> dict[str, object]:
        """Return the receipt, under `usufruct`."""
        return {"usufruct": self.document.as_json()}

    def usage(self, reported: Mapping[str, Any] | None = None) -> dict[str, object]:
        """Return the answer's `usage`: the upstream's members, our counts, `cost` in whole units, `cost_details`.

        `cost` is a JSON number, as clients' models have it; `cost_details.cost` is the same, exact, as decimal text.
        """
        receipt = self.document.receipt
        cost = self.operator.shown(receipt.amount)
        return {
            **counted_members(self.counted, reported),
            "cost": float(cost),
            "cost_details": {
                "charge": str(receipt.amount),
                "cost": cost,
                "ceiling": str(receipt.ceiling),
                "token": receipt.token,
                "decimals": self.operator.decimals,
                "flagged": self.bill.flagged,
                "counted_by": receipt.counted_by.value,
                "reasoning_tokens": self.bill.reasoning_tokens,
                **({"saved": str(self.saved)} if self.saved else {}),
            },
        }

    def headers(self) -> list[Header]:
        """Return the headers of a whole answer; `x-usufruct-receipt` is the receipt as base64 of its JSON."""
        receipt, counted = self.document.receipt, self.counted
        return [
            (b"x-usufruct-charge", b"%d" % receipt.amount),
            (b"x-usufruct-cost", self.operator.shown(receipt.amount).encode()),
            (b"x-usufruct-ceiling", b"%d" % receipt.ceiling),
            (b"x-usufruct-input-tokens", b"%d" % counted.input_tokens),
            (b"x-usufruct-cached-input-tokens", b"%d" % counted.cached_input_tokens),
            (b"x-usufruct-output-tokens", b"%d" % counted.output_tokens),
            (b"x-usufruct-call", receipt.call.encode()),
            (b"x-usufruct-receipt", binascii.b2a_base64(orjson.dumps(self.document.as_json()), newline=False)),
            *([(b"x-usufruct-saved", b"%d" % self.saved)] if self.saved else ()),
        ]


def counted_members(counted: Usage, reported: Mapping[str, Any] | None) -> dict[str, object]:
    """Return the upstream's members of `usage` with our counts in place of its own."""
    members = dict(reported or {})
    told = members.get("prompt_tokens_details")
    details = told if isinstance(told, dict) else {}
    return members | {
        "prompt_tokens": counted.input_tokens,
        "prompt_tokens_details": {**details, "cached_tokens": counted.cached_input_tokens},
        "completion_tokens": counted.output_tokens,
        "total_tokens": counted.input_tokens + counted.output_tokens,
    }


def signed(call: Call, token: Address, operator: Operator) -> SignedReceipt:
    """Return a metered call's receipt with the signature that was made when the call was metered.

    `token` is its account's, which is an earlier one of the operator's where the account is older.

    Raises:
        NotFound: when the call has not been metered.
    """
    receipt, bill, signature = call.receipt(token), call.bill, call.receipt_signature
    if receipt is None or bill is None or signature is None:
        raise NotFound(
            f"call {call.lease.call} is {call.state}: nothing was charged, so there is no receipt",
            code="receipt_not_found",
        )
    document = ReceiptDocument(receipt, operator.escrow.chain_id, operator.till, operator.receipts.address, signature)
    return SignedReceipt(document, bill, bill.usage, operator)


async def kept_receipt(ledger: Ledger, call: Call, operator: Operator) -> SignedReceipt:
    """Return the receipt of a call that was metered earlier, if the database still says what was signed then.

    It stays under the key that signed it, which may be an earlier one.

    Raises:
        NotFound: when the call has not been metered.
        Faulty: when a field was changed since; no second receipt is ever signed.
    """
    kept = signed(call, (await ledger.account(call.lease.account)).token, operator)
    document = kept.document
    signer: Address | None = None
    with suppress(InvalidSignature):
        digest = receipt_digest(document.receipt, document.chain_id, document.till)
        signer = recover_signer(digest, document.signature)
    if signer == document.signer:
        return kept
    if signer is None or not await operator.signed_before(signer):
        raise Faulty(
            f"the row of call {call.lease.call} is not what its receipt was signed over; `usufruct reconcile` names "
            "what was changed",
            code="receipt_contradicted",
            call=call.lease.call,
        )
    return replace(kept, document=replace(document, signer=signer))


def with_savings(receipt: SignedReceipt, listing: Listing) -> SignedReceipt:
    """Return a receipt with what it is less than by the listing's own price card, which its version names."""
    bill = receipt.document.receipt
    card = listing.card_of(bill.price_card_version) if bill.asset == listing.id else None
    saved = saved_up(bill.lines, bill.amount, card) if card else 0
    return replace(receipt, saved=saved) if saved else receipt


def bill_event(bill: AnswerBill, answer_id: str, model: str, extensions: Mapping[str, Any] | None = None) -> bytes:
    """Return the event that carries the bill: a chunk without choices, as OpenAI's usage event is, with the receipt.

    `extensions`: the payment standard's, by name, as in the header of a whole answer.
    """
    content: dict[str, object] = {
        "id": answer_id,
        "object": "chat.completion.chunk",
        "created": bill.time,
        "model": model,
        "choices": [],
        "usage": bill.usage(),
        **bill.members(),
    }
    return event(content | {"extensions": extensions} if extensions else content)


def event(content: Mapping[str, Any]) -> bytes:
    """Write one server-sent event."""
    return b"data: " + orjson.dumps(content) + b"\n\n"
