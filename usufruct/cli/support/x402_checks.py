"""Checks of a signed offer or receipt of x402 in a file."""

from collections.abc import Mapping
from typing import Any

from usufruct.cli.support.receipt_checks import Check
from usufruct.core import moment
from usufruct_client.offer_receipt import DeliveryReceipt, PaymentOffer, read_signed

Signed = PaymentOffer | DeliveryReceipt


def find_signed(content: Mapping[str, Any]) -> Signed | None:
    """Return x402's offer or receipt that a file holds: alone, or as `receipt` or `offer` of something larger."""
    for document in (content, content.get("receipt"), content.get("offer")):
        if signed := read_signed(document):
            return signed
    return None


def content_checks(signed: Signed, chain_id: int) -> list[Check]:
    """Recover the signer, show what is signed, and compare the network with our chain."""
    payload = signed.payload
    if isinstance(signed, PaymentOffer):
        offered = signed.payload
        until = f" until {moment(offered.valid_until)}" if offered.valid_until else ""
        says = f"{offered.amount} of {offered.asset} to {offered.pay_to} for {offered.resource_url}{until}"
    else:
        receipt = signed.payload
        says = f"{receipt.payer} paid for {receipt.resource_url} and was served at {moment(receipt.issued_at)}"
    signer = signed.signed_by()
    return [
        Check("signature", signer is not None, f"{signer} signed it" if signer else "no key signed it"),
        Check("content", good=True, found=says),
        Check("chain", payload.network == f"eip155:{chain_id}", payload.network),
    ]
