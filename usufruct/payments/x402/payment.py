"""A payment as it comes: the `PAYMENT-SIGNATURE` header, read strictly into values of our own."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from usufruct.core import UINT128_MAX, ChainId
from usufruct.payments.pricing import ChannelConfig, Voucher
from usufruct.payments.settlement import LONGEST_SIGNATURE, DepositAuthorization, read_channel_json, read_deposit_json
from usufruct.payments.x402.errors import MalformedPayment, WrongNetwork, WrongScheme
from usufruct.web import Members

VERSION = 2
SCHEME = "batch-settlement"
IDENTIFIER = "payment-identifier"

_LONGEST = 16_384
_IDENTIFIER = re.compile("[A-Za-z0-9_-]{16,128}")


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


def network_of(chain_id: ChainId) -> str:
    """Return a chain's CAIP-2 name, as x402 writes networks."""
    return f"eip155:{chain_id}"


def read_payment(header: str, chain_id: ChainId) -> Payment:
    """Read a `PAYMENT-SIGNATURE` header.

    Raises:
        MalformedPayment: when it is no payment; names the member.
        WrongScheme, WrongNetwork: when it is one, but not for here.
    """
    content = Members(_decoded(header), MalformedPayment)
    if content.integer("x402Version", 99) != VERSION:
        raise MalformedPayment(f"x402Version must be {VERSION}", field="x402Version")
    accepted, payload = content.inner("accepted"), content.inner("payload")
    if accepted.text("scheme") != SCHEME:
        raise WrongScheme(f"only the scheme {SCHEME} is taken here", field="accepted.scheme")
    if accepted.text("network") != network_of(chain_id):
        raise WrongNetwork(f"the network must be {network_of(chain_id)}", field="accepted.network")
    kind = _kind(payload.text("type"))
    voucher = payload.inner("voucher")
    return Payment(
        kind=kind,
        amount=accepted.amount("amount", UINT128_MAX),
        quote=_quote(accepted),
        config=read_channel_json(payload.inner("channelConfig")),
        voucher=Voucher(
            voucher.hash32("channelId"),
            voucher.amount("maxClaimableAmount", UINT128_MAX),
            voucher.data("signature", LONGEST_SIGNATURE),
        ),
        deposit=read_deposit_json(payload, chain_id) if kind is PaymentKind.DEPOSIT else None,
        refund=payload.amount("amount", UINT128_MAX) if kind is PaymentKind.REFUND and "amount" in payload else None,
        identifier=_identifier(content),
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


def _kind(text: str) -> PaymentKind:
    try:
        return PaymentKind(text)
    except ValueError:
        raise MalformedPayment(f"payload.type must be one of {', '.join(PaymentKind)}", field="payload.type") from None


def _quote(accepted: Members) -> str:
    extra = accepted.inner("extra") if "extra" in accepted else accepted
    return extra.text("quote") if "quote" in extra else ""


def _identifier(content: Members) -> str:
    for name in ("extensions", IDENTIFIER, "info"):
        if name not in content:
            return ""
        content = content.inner(name)
    given = content.text("id") if "id" in content else ""
    if given and not _IDENTIFIER.fullmatch(given):
        field = f"extensions.{IDENTIFIER}.info.id"
        raise MalformedPayment(f"{field} must be 16 to 128 letters, digits, - or _", field=field)
    return given
