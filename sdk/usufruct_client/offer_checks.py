"""Checks of what a server signed by x402's extension `offer-receipt`, against what was asked for."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from usufruct_client.errors import OfferMismatch
from usufruct_client.offer_receipt import DeliveryReceipt, PaymentOffer
from usufruct_client.urls import host_of

RECENT_SECONDS = 3_600
"""How far a receipt's date may be from our clock."""

_TERMS = ("scheme", "network", "asset", "payTo", "amount")


def check_offers(
    offers: Collection[PaymentOffer], entry: Mapping[str, Any], url: str, signers: Collection[str] | None, now: int
) -> PaymentOffer | None:
    """Return the offer that fits what is about to be paid; None when the 402 has none for it.

    `entry` is the entry of `accepts`, `url` the 402's `resource.url` ("": not named), `signers` the addresses that may
    sign (None: any).

    Raises:
        OfferMismatch: when there are offers for the entry, and each contradicts it, has ended or is wrongly signed.
    """
    mismatch: OfferMismatch | None = None
    for offer in offers:
        mismatch = next(_mismatches(offer, entry, url, signers, now), None)
        if mismatch is None:
            return offer
    if mismatch is not None:
        raise mismatch
    return None


def receipt_faults(
    receipt: DeliveryReceipt, offer: PaymentOffer | None, network: str, payer: str, origin: str, now: int | None
) -> list[str]:
    """Return what is wrong with a receipt of a call to `origin`, each in a sentence.

    `now` is None for an answer that was given before.
    """
    found, payload = [], receipt.payload
    if (host := host_of(payload.resource_url)) != host_of(origin):
        found.append(
            f"the x402 receipt is for the host {host or 'of no URL'}, and {host_of(origin)} was called; call the "
            "gateway at its public address, or report it to the operator"
        )
    url = offer.payload.resource_url if offer else payload.resource_url
    for name, stands, expected in (
        ("network", payload.network, network),
        ("payer", payload.payer.lower(), payer),
        ("resourceUrl", payload.resource_url, url),
    ):
        if stands != expected:
            found.append(f"the x402 receipt's {name} is {stands}, not {expected}")
    if now is not None and abs(now - payload.issued_at) > RECENT_SECONDS:
        found.append(f"the x402 receipt's issuedAt is {payload.issued_at}, and it is {now} now")
    return found


def _mismatches(
    offer: PaymentOffer, entry: Mapping[str, Any], url: str, signers: Collection[str] | None, now: int
) -> Iterator[OfferMismatch]:
    payload = offer.payload.as_json()
    asked = {name: entry.get(name) for name in _TERMS} | ({"resourceUrl": url} if url else {})
    for name, expected in asked.items():
        if payload[name] != expected:
            yield OfferMismatch(
                f"the signed offer's {name} is {payload[name]!r}, and the 402 asks for {expected!r}: nothing was "
                "signed or paid; ask again, or report it to the operator",
                field=name,
            )
    if 0 < offer.payload.valid_until < now:
        yield OfferMismatch(
            f"the signed offer ended at {offer.payload.valid_until}, and it is {now} now (seconds since 1970): is this "
            "computer's clock right?",
            field="validUntil",
        )
    signer = offer.signed_by()
    if signer is None or (signers is not None and signer not in {each.lower() for each in signers}):
        yield OfferMismatch(
            f"the offer is signed by {signer or 'no key'}, which is not in receipt_signers: nothing was signed or "
            "paid; the operator's keys are in /v1/terms",
            field="signature",
        )
