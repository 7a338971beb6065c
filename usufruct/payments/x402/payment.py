"""A payment as it comes: the `PAYMENT-SIGNATURE` header, read strictly into values of our own."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from usufruct.core import PaymentRequired
from usufruct.payments.pricing import ChannelConfig, Voucher
from usufruct.payments.settlement import DepositAuthorization
from usufruct.payments.x402.errors import MalformedPayment
from usufruct.web import read_document
from usufruct_client.x402 import SCHEME, VERSION, PaymentHead
from usufruct_client.x402 import Payment as PaymentDocument

IDENTIFIER = "payment-identifier"

_LONGEST = 16_384


class PaymentKind(StrEnum):
    """What a payment brings: a voucher; a deposit and a voucher; the wish to have money back."""

    VOUCHER = "voucher"
    DEPOSIT = "deposit"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment. `amount` (atomic units) is the most its payer agreed to for this call; `quote` our promise, or "".

    `deposit` is there for deposits; `refund` for refunds that name an amount; `identifier` is the payer's, or "".
    """

    kind: PaymentKind
    amount: int
    quote: str
    config: ChannelConfig
    voucher: Voucher
    deposit: DepositAuthorization | None = None
    refund: int | None = None
    identifier: str = ""

    @property
    def counted(self) -> int:
        """What its payer counts as charged before this call: a stock client signs this plus the call's amount."""
        return max(0, self.voucher.max_claimable - self.amount)


def read_payment(header: str, network: str) -> Payment:
    """Read a `PAYMENT-SIGNATURE` header; `network` is the CAIP-2 name of the chain that is paid on.

    Raises:
        MalformedPayment: when it is not a payment; names the member.
        PaymentRequired: when it is one, but of another scheme or network.
    """
    content = _decoded(header)
    head = read_document(PaymentHead, content, MalformedPayment)
    if head.x402_version != VERSION:
        raise MalformedPayment(f"x402Version must be {VERSION}, not {head.x402_version}", field="x402Version")
    if head.accepted.scheme != SCHEME:
        raise PaymentRequired(f"only the scheme {SCHEME} is taken here", code="wrong_scheme", field="accepted.scheme")
    if head.accepted.network != network:
        message = f"the network must be {network}"
        raise PaymentRequired(message, code="wrong_network", field="accepted.network")
    document = read_document(PaymentDocument, content, MalformedPayment)
    accepted, payload, kind = document.accepted, document.payload, PaymentKind(document.payload.type)
    deposit = payload.deposit if kind is PaymentKind.DEPOSIT else None
    if kind is PaymentKind.DEPOSIT and deposit is None:
        raise MalformedPayment("payload.deposit is missing", field="payload.deposit")
    return Payment(
        kind=kind,
        amount=accepted.amount,
        quote=accepted.extra.quote if accepted.extra else "",
        config=payload.channel_config,
        voucher=Voucher(payload.voucher.channel_id, payload.voucher.max_claimable_amount, payload.voucher.signature),
        deposit=DepositAuthorization.of(payload.channel_config, deposit) if deposit else None,
        refund=payload.amount if kind is PaymentKind.REFUND else None,
        identifier=document.identifier,
    )


def _decoded(header: str) -> Mapping[str, Any]:
    try:
        content = orjson.loads(base64.b64decode(header if len(header) <= _LONGEST else "", validate=True))
    except (binascii.Error, orjson.JSONDecodeError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise MalformedPayment(
            f"payment-signature must be base64 of a JSON object, at most {_LONGEST} characters",
            field="payment-signature",
        )
    return content
