"""x402's extension `offer-receipt`: the operator signs what a 402 asks for, and that a paid call was delivered."""

from collections.abc import Mapping
from typing import Any

from usufruct.core import Address, Clock
from usufruct.payments.pricing import DigestSigner
from usufruct_client.eip712_messages import DELIVERY_RECEIPT, EXTENSION_CHAIN, PAYMENT_OFFER
from usufruct_client.typed_data import MessageHasher

OFFER_RECEIPT = "offer-receipt"

_OFFER = MessageHasher(PAYMENT_OFFER)
_RECEIPT = MessageHasher(DELIVERY_RECEIPT)
_FORMAT = "eip712"
_VERSION = 1
_TERMS = ("scheme", "network", "asset", "payTo", "amount")

_SIGNED = {"type": "object", "required": ["format", "payload", "signature"]}
# Short on purpose: some proxies take no more than 4 KB of headers.
_OFFERS_SCHEMA = {
    "type": "object",
    "properties": {"offers": {"type": "array", "items": _SIGNED}},
    "required": ["offers"],
}
_RECEIPT_SCHEMA = {"type": "object", "properties": {"receipt": _SIGNED}, "required": ["receipt"]}


class OfferSigner:
    """Signs payment offers, a bounded number each second, and delivery receipts."""

    def __init__(self, signer: DigestSigner, clock: Clock, most_per_second: int) -> None:
        """Sign by `signer`, the operator's receipt key; at most `most_per_second` different offers a second."""
        self._signer = signer
        self._clock = clock
        self._most_per_second = most_per_second
        self._second = 0
        self._signatures: dict[tuple[object, ...], str] = {}

    def offers(self, url: str, requirements: Mapping[str, Any], valid_until: int) -> dict[str, Any] | None:
        """Return the extension of a 402 at `url` whose only entry is `requirements`, promised until `valid_until`.

        None when this second's signatures are used up: the 402 goes out without an offer.
        """
        terms = {name: requirements[name] for name in _TERMS}
        payload = {"version": _VERSION, "resourceUrl": url, **terms, "validUntil": valid_until}
        signature = self._offer_signature(tuple(payload.values()))
        if signature is None:
            return None
        offer = {"format": _FORMAT, "acceptIndex": 0, "payload": payload, "signature": signature}
        return {"info": {"offers": [offer]}, "schema": _OFFERS_SCHEMA}

    def receipt(self, url: str, network: str, payer: Address, issued_at: int) -> dict[str, Any]:
        """Return the extension of a paid, delivered answer: who paid for which resource, and when; no transaction."""
        payload = {
            "version": _VERSION,
            "network": network,
            "resourceUrl": url,
            "payer": payer,
            "issuedAt": issued_at,
            "transaction": "",
        }
        signature = self._sign(_RECEIPT.digest(EXTENSION_CHAIN, None, *payload.values()))
        receipt = {"format": _FORMAT, "payload": payload, "signature": signature}
        return {"info": {"receipt": receipt}, "schema": _RECEIPT_SCHEMA}

    def _offer_signature(self, values: tuple[object, ...]) -> str | None:
        """Sign an offer, once for all equal ones of this second."""
        now = self._clock.now()
        if now != self._second:
            self._second, self._signatures = now, {}
        signature = self._signatures.get(values)
        if signature is None and len(self._signatures) < self._most_per_second:
            signature = self._signatures[values] = self._sign(_OFFER.digest(EXTENSION_CHAIN, None, *values))
        return signature

    def _sign(self, digest: bytes) -> str:
        return "0x" + self._signer.sign(digest).hex()
