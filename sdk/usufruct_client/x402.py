"""x402's three headers: `PAYMENT-REQUIRED`, `PAYMENT-SIGNATURE`, `PAYMENT-RESPONSE`, each base64 of JSON."""

import base64
import json
from dataclasses import dataclass, field
from re import fullmatch
from typing import Annotated, Any, Literal

from pydantic import AliasPath, BeforeValidator, Field, StrictBool, StrictStr

from usufruct_client.errors import BadAnswer
from usufruct_client.identifiers import checksum
from usufruct_client.offer_receipt import PaymentOffer, read_offers
from usufruct_client.price_card import PriceCard
from usufruct_client.wire import ChannelConfig, SignedDeposit
from usufruct_client.wire_types import (
    AddressText,
    Codec,
    Document,
    HashText,
    Signature,
    Text,
    Uint128,
    WalletSignature,
    read_answer,
    whole,
)

REQUIRED_HEADER = "PAYMENT-REQUIRED"
SIGNATURE_HEADER = "PAYMENT-SIGNATURE"
RESPONSE_HEADER = "PAYMENT-RESPONSE"

VERSION = 2
SCHEME = "batch-settlement"
ERROR_PREFIX = "invalid_batch_settlement_evm_"

_IDENTIFIER = "[A-Za-z0-9_-]{16,128}"
_LONGEST_CHAIN_ID = (1 << 53) - 1


def _chain_id(network: Any) -> int:
    found = fullmatch("eip155:([1-9][0-9]{0,15})", network) if isinstance(network, str) else None
    if not found or int(found[1]) > _LONGEST_CHAIN_ID:
        raise ValueError("eip155:<chain id>")
    return int(found[1])


def _identifier(value: Any) -> str:
    if not isinstance(value, str) or (value and not fullmatch(_IDENTIFIER, value)):
        raise ValueError("16 to 128 letters, digits, - or _")
    return value


_Least = Annotated[Uint128, BeforeValidator(lambda amount: "0" if amount is None else amount)]


class ChannelState(Document):
    """What the gateway says of a channel; `charged` includes what it has reserved."""

    channel: Annotated[HashText, Field(alias="channelId")]
    balance: Uint128
    charged: Annotated[Uint128, Field(alias="chargedCumulativeAmount")]


class VoucherState(Document):
    """The best voucher the gateway says it holds."""

    signed: Annotated[Uint128, Field(alias="signedMaxClaimable")]
    signature: Signature


class Requirements(Document):
    """The entry of `accepts` that we can pay; `raw` is the entry as it was, to be sent back.

    Money is locked for 30 days at most (`withdraw_delay`), and a deposit's signature holds for a day at most
    (`timeout_seconds`). `price_card` is what the charge is to be made by, where the gateway says it.
    """

    chain_id: Annotated[int, Codec(_chain_id, {"type": "string"}), Field(alias="network")]
    amount: Uint128
    token: Annotated[AddressText, Field(alias="asset")]
    operator: Annotated[AddressText, Field(alias="payTo")]
    timeout_seconds: Annotated[int, whole(86_400), Field(alias="maxTimeoutSeconds")]
    receiver_authorizer: Annotated[AddressText, Field(validation_alias=AliasPath("extra", "receiverAuthorizer"))]
    withdraw_delay: Annotated[int, whole(30 * 86_400), Field(validation_alias=AliasPath("extra", "withdrawDelay"))]
    token_name: Annotated[Text, Field(validation_alias=AliasPath("extra", "name"))]
    token_version: Annotated[Text, Field(validation_alias=AliasPath("extra", "version"))]
    min_deposit: Annotated[_Least, Field(validation_alias=AliasPath("extra", "minDeposit"))] = 0
    channel_state: Annotated[ChannelState | None, Field(validation_alias=AliasPath("extra", "channelState"))] = None
    voucher_state: Annotated[VoucherState | None, Field(validation_alias=AliasPath("extra", "voucherState"))] = None
    raw: dict[str, Any] = field(default_factory=dict)
    price_card: Annotated[PriceCard | None, Field(validation_alias=AliasPath("extra", "priceCard"))] = None
    transfer_method: Annotated[
        Literal["eip3009"], Field(validation_alias=AliasPath("extra", "assetTransferMethod"))
    ] = "eip3009"

    @property
    def network(self) -> str:
        """The chain in CAIP-2 form: `eip155:<chain id>`."""
        return f"eip155:{self.chain_id}"


class _Required(Document):
    x402_version: Annotated[Literal[2], Field(alias="x402Version")]
    accepts: list[dict[str, Any]]
    error: StrictStr | None = None
    resource: Any = None
    extensions: Any = None

    @property
    def url(self) -> str:
        """The address of what is sold; "" where it is not named."""
        url = self.resource.get("url") if isinstance(self.resource, dict) else None
        return url if isinstance(url, str) else ""


@dataclass(frozen=True, slots=True)
class PaymentRequired:
    """What a 402 asks for; `error` is without x402's prefix, empty when there is none.

    `offers`: the signed offers for the requirements. `url`: the address of what is sold, or "".
    """

    error: str
    requirements: Requirements
    offers: tuple[PaymentOffer, ...] = ()
    url: str = ""


class PaymentResponse(Document):
    """What was taken: `charged` of a stream is its ceiling; `transaction` is empty when nothing went to the chain."""

    success: StrictBool
    transaction: StrictStr
    amount: Annotated[Uint128, BeforeValidator(lambda amount: amount or "0")] = 0
    charged: Annotated[Uint128 | None, Field(validation_alias=AliasPath("extra", "chargedAmount"))] = None
    extensions: Any = None


class PaidScheme(Document):
    """By which scheme and on which chain (CAIP-2) a payment is made: they decide how the rest is read."""

    scheme: StrictStr
    network: StrictStr


class PaymentHead(Document):
    """The part of a payment that all schemes share."""

    x402_version: Annotated[int, whole(99), Field(alias="x402Version")]
    accepted: PaidScheme


class AcceptedExtra(Document):
    """What of our offer a payer repeats: the quote."""

    quote: StrictStr = ""


class Accepted(Document):
    """The offer that a payer accepts: at most `amount` atomic units for the call."""

    amount: Uint128
    extra: AcceptedExtra | None = None


class SignedVoucher(Document):
    """A voucher: of the channel, at most `max_claimable_amount` in all may be claimed."""

    channel_id: HashText
    max_claimable_amount: Uint128
    signature: WalletSignature


class PaymentPayload(Document):
    """What x402's `batch-settlement` carries; `amount` is what a refund asks for, None for all that is free."""

    type: Literal["voucher", "deposit", "refund"]
    channel_config: ChannelConfig
    voucher: SignedVoucher
    deposit: SignedDeposit | None = None
    amount: Uint128 | None = None

    def header(self, accepted: Requirements) -> str:
        """Write the `PAYMENT-SIGNATURE` that pays as `accepted`."""
        members = {name: value for name, value in self.as_json().items() if value is not None}
        channel = members["channelConfig"]
        for party in ("payer", "payerAuthorizer", "receiver", "receiverAuthorizer", "token"):
            channel[party] = checksum(channel[party])  # other gateways compare the letters' case too
        document = {"x402Version": VERSION, "accepted": accepted.raw, "payload": members}
        return base64.b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()


class IdentifierInfo(Document):
    """A payer's own identifier of a call."""

    id: Annotated[str, Codec(_identifier, {"type": "string", "pattern": f"^({_IDENTIFIER})?$"})] = ""


class PaymentIdentifier(Document):
    """x402's extension `payment-identifier`."""

    info: IdentifierInfo | None = None


class PaymentExtensions(Document):
    """The extensions of x402 that are known here."""

    payment_identifier: Annotated[PaymentIdentifier | None, Field(alias="payment-identifier")] = None


class Payment(Document):
    """A `PAYMENT-SIGNATURE` header, base64 of this."""

    accepted: Accepted
    payload: PaymentPayload
    extensions: PaymentExtensions | None = None

    @property
    def identifier(self) -> str:
        """The payer's own identifier of the call, or ""."""
        extension = self.extensions.payment_identifier if self.extensions else None
        return extension.info.id if extension and extension.info else ""


def read_required(header: str) -> PaymentRequired:
    """Read `PAYMENT-REQUIRED`.

    Raises:
        BadAnswer: when a member is missing or malformed, or nothing in it is `batch-settlement` by EIP-3009.
    """
    required = read_answer(_Required, _decoded(header, REQUIRED_HEADER), REQUIRED_HEADER)
    for position, offer in enumerate(required.accepts):
        if offer.get("scheme") == SCHEME:
            requirements = read_answer(Requirements, offer | {"raw": offer}, f"accepts[{position}]")
            error = (required.error or "").removeprefix(ERROR_PREFIX)
            offers = read_offers(required.extensions, position, offer)
            return PaymentRequired(error, requirements, offers, required.url)
    raise BadAnswer(
        f"{REQUIRED_HEADER}.accepts offers no {SCHEME}: this gateway wants another scheme", member="accepts"
    )


def read_response(header: str) -> PaymentResponse:
    """Read `PAYMENT-RESPONSE`.

    Raises:
        BadAnswer: when a member is missing or malformed.
    """
    return read_answer(PaymentResponse, _decoded(header, RESPONSE_HEADER), RESPONSE_HEADER)


def _decoded(header: str, name: str) -> object:
    try:
        return json.loads(base64.b64decode(header, validate=True))
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"{name} must be base64 of JSON", member=name) from error
