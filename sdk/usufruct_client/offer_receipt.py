"""x402's extension `offer-receipt`: the signed offer of a 402 and the signed receipt of an answer, as they are read.

Only the format `eip712`, version 1, is read; other formats are ignored.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import StrictStr

from usufruct_client.eip712_messages import DELIVERY_RECEIPT, EXTENSION_CHAIN, PAYMENT_OFFER
from usufruct_client.errors import BadAnswer
from usufruct_client.identifiers import Address
from usufruct_client.signing import signer_of
from usufruct_client.typed_data import MessageHasher
from usufruct_client.wire_types import Count, Document, Signature, read_answer

EXTENSION = "offer-receipt"
_OFFER = MessageHasher(PAYMENT_OFFER)
_RECEIPT = MessageHasher(DELIVERY_RECEIPT)

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


def _info(extensions: object) -> Mapping[str, Any]:
    extension = extensions.get(EXTENSION) if isinstance(extensions, dict) else None
    info = extension.get("info") if isinstance(extension, dict) else None
    return info if isinstance(info, dict) else {}


def _read(kind: type[Kind], document: object) -> Kind | None:
    try:
        return read_answer(kind, document)
    except BadAnswer:
        return None
