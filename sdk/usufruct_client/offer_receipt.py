"""x402's extension `offer-receipt`: the signed offer of a 402 and the signed receipt of an answer, read and checked.

Only the format `eip712`, version 1, is read; other formats are ignored.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, TypeVar

from pydantic import StrictStr

from usufruct_client.eip712_messages import DELIVERY_RECEIPT, EXTENSION_CHAIN, PAYMENT_OFFER
from usufruct_client.errors import BadAnswer, OfferMismatch
from usufruct_client.identifiers import Address
from usufruct_client.signing import signer_of
from usufruct_client.typed_data import MessageHasher
from usufruct_client.urls import host_of
from usufruct_client.wire_types import Count, Document, Signature, read_answer

EXTENSION = "offer-receipt"
RECENT_SECONDS = 3_600
"""How far a receipt's date may be from our clock."""

_OFFER = MessageHasher(PAYMENT_OFFER)
_RECEIPT = MessageHasher(DELIVERY_RECEIPT)
_TERMS = ("scheme", "network", "asset", "payTo", "amount")

Kind = TypeVar("Kind", bound=Document)


class OfferPayload(Document):
    """What an offer promises; `valid_until` is in seconds since 1970, 0 for no end."""

    version: Literal[1]
    resource_url: StrictStr
    scheme: StrictStr
    network: StrictStr
    asset: StrictStr
    pay_to: StrictStr
    amount: StrictStr
    valid_until: Count = 0


class PaymentOffer(Document):
    """The terms of a 402 under the server's signature."""

    format: Literal["eip712"]
    payload: OfferPayload
    signature: Signature

    def signed_by(self) -> Address | None:
        """Return the key that signed exactly this; None for an invalid signature."""
        return _signer(_OFFER, self)


class ReceiptPayload(Document):
    """That `payer` paid for a resource and was served, at `issued_at` (seconds since 1970)."""

    version: Literal[1]
    network: StrictStr
    resource_url: StrictStr
    payer: StrictStr
    issued_at: Count
    transaction: StrictStr = ""


class DeliveryReceipt(Document):
    """A delivery under the server's signature; the bill is in the gateway's own receipt."""

    format: Literal["eip712"]
    payload: ReceiptPayload
    signature: Signature

    def signed_by(self) -> Address | None:
        """Return the key that signed exactly this; None for an invalid signature."""
        return _signer(_RECEIPT, self)


class Evidence(Document):
    """What a server signed for one call, to be shown to others; `call` is "" where its receipt was not seen."""

    call: StrictStr
    offer: PaymentOffer | None = None
    receipt: DeliveryReceipt | None = None


def _signer(kind: MessageHasher, signed: PaymentOffer | DeliveryReceipt) -> Address | None:
    try:
        digest = kind.digest(EXTENSION_CHAIN, None, *vars(signed.payload).values())
    except UnicodeEncodeError:  # half a surrogate pair, which no one can have signed
        return None
    return signer_of(digest, signed.signature)


def read_offers(extensions: object, position: int, entry: Mapping[str, Any]) -> tuple[PaymentOffer, ...]:
    """Return the offers in a 402's `extensions` that are for the entry of `accepts` at `position`.

    An offer is for the entry if it names the position, or the entry's scheme and network.
    """
    found = []
    listed = _info(extensions).get("offers")
    for document in listed if isinstance(listed, list) else []:
        offer = _read(PaymentOffer, document)
        if offer is None:
            continue
        named = document.get("acceptIndex") == position
        if named or (offer.payload.scheme, offer.payload.network) == (entry.get("scheme"), entry.get("network")):
            found.append(offer)
    return tuple(found)


def read_delivery_receipt(extensions: object) -> DeliveryReceipt | None:
    """Return the receipt in an answer's `extensions`, if there is one."""
    return _read(DeliveryReceipt, _info(extensions).get("receipt"))


def read_signed(document: object) -> PaymentOffer | DeliveryReceipt | None:
    """Return the offer or receipt that a document is; None when it is neither."""
    return _read(PaymentOffer, document) or _read(DeliveryReceipt, document)


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


def _info(extensions: object) -> Mapping[str, Any]:
    extension = extensions.get(EXTENSION) if isinstance(extensions, dict) else None
    info = extension.get("info") if isinstance(extension, dict) else None
    return info if isinstance(info, dict) else {}


def _read(kind: type[Kind], document: object) -> Kind | None:
    try:
        return read_answer(kind, document)
    except BadAnswer:
        return None
