"""The JSON documents that a gateway and its clients exchange, each defined once, here."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictStr

from usufruct_client.wire_types import (
    AddressText,
    AssetHex,
    Count,
    DecimalText,
    Document,
    HashText,
    Names,
    Plain,
    Seconds,
    Signature,
    Uint64,
    Uint128,
    Uint256,
    WalletSignature,
    Whole,
    Wish,
)

_IDENTIFIER = re.compile("[A-Za-z0-9_-]{16,128}")


@dataclass(frozen=True, slots=True)
class ChannelConfig(Document):
    """What a channel is, for its whole life; `withdraw_delay` in seconds."""

    payer: AddressText
    payer_authorizer: AddressText
    receiver: AddressText
    receiver_authorizer: AddressText
    token: AddressText
    withdraw_delay: Seconds
    salt: HashText


@dataclass(frozen=True, slots=True)
class TransferAuthorization(Document):
    """EIP-3009's authorization of a deposit; times in seconds since 1970."""

    valid_after: Uint256
    valid_before: Uint256
    salt: HashText
    signature: WalletSignature


@dataclass(frozen=True, slots=True)
class DepositAuthorizations(Document):
    """The ways to authorize a deposit that are taken."""

    erc3009_authorization: Annotated[TransferAuthorization, Field(alias="erc3009Authorization")]


@dataclass(frozen=True, slots=True)
class SignedDeposit(Document):
    """An amount in atomic units, and its payer's authorization."""

    amount: Uint128
    authorization: DepositAuthorizations


@dataclass(frozen=True, slots=True)
class DepositWish(Wish):
    """`POST /v1/deposits`."""

    channel_config: ChannelConfig
    deposit: SignedDeposit


@dataclass(frozen=True, slots=True)
class KeyWish(Wish):
    """`POST /v1/keys`: what a payer grants, and their signature over it and a nonce not used before."""

    payer: AddressText
    spending_limit: Uint128
    expires_at: Seconds
    assets: Annotated[frozenset[str], Names()]
    label: StrictStr
    nonce: Uint256
    signature: Signature


@dataclass(frozen=True, slots=True)
class SignedWish(Wish):
    """`POST /v1/keys/list` and `/v1/keys/{key}/revoke`: a payer's signature that holds until `expires_at`."""

    payer: AddressText
    expires_at: Seconds
    signature: Signature


@dataclass(frozen=True, slots=True)
class KeyFacts(Document):
    """A bearer key without its secret, as its payer sees it.

    `payer` owns the money and the key. `channel` is the escrow it pays from, `session` the address that authorizes
    payments out of it. `spending_limit`: atomic units, over the key's whole life. `assets`: the names of the assets it
    may call; empty means all.
    """

    id: StrictStr
    payer: AddressText
    channel: HashText
    session: AddressText
    spending_limit: Uint128
    expires_at: Seconds
    assets: Annotated[frozenset[str], Names()]
    label: StrictStr
    created_at: Seconds
    revoked_at: Seconds | None = None


@dataclass(frozen=True, slots=True)
class ChannelProof(Document):
    """The header `x-usufruct-proof`, whose parts are joined by a dot: a signature that holds until `expires_at`."""

    expires_at: Annotated[int, DecimalText(40)]
    signature: Signature


@dataclass(frozen=True, slots=True)
class SigningDomain(Document):
    """An EIP-712 domain."""

    name: StrictStr
    version: StrictStr
    chain_id: Uint64
    verifying_contract: AddressText


@dataclass(frozen=True, slots=True)
class Token(Document):
    """A payment token; `version` is its EIP-712 domain's, empty where it has none."""

    address: AddressText
    name: StrictStr
    symbol: StrictStr
    decimals: Annotated[int, Whole(77)]
    version: StrictStr


@dataclass(frozen=True, slots=True)
class Terms(Document):
    """`GET /v1/terms`: what a payer must know to open a channel and to check receipts."""

    chain_id: Uint64
    settlement: AddressText
    collector: AddressText
    till: AddressText
    token: Token
    withdraw_delay: Seconds
    least_deposit: Uint128
    receipt_signer: AddressText
    earlier_receipt_signers: list[AddressText]
    key_domain: SigningDomain


@dataclass(frozen=True, slots=True)
class ReceiptProof(Document):
    """`GET /v1/proofs/{call}`: the siblings from a receipt's digest up to an anchored root of `count` receipts."""

    call: HashText
    digest: HashText
    proof: list[HashText]
    root: HashText
    count: Count
    transaction: HashText
    block: Count


@dataclass(frozen=True, slots=True)
class PaidScheme(Document):
    """By which scheme and on which chain (CAIP-2) a payment is made: they decide how the rest is read."""

    scheme: StrictStr
    network: StrictStr


@dataclass(frozen=True, slots=True)
class PaymentHead(Document):
    """The part of a payment that all schemes share."""

    x402_version: Annotated[int, Whole(99), Field(alias="x402Version")]
    accepted: PaidScheme


@dataclass(frozen=True, slots=True)
class AcceptedExtra(Document):
    """What of our offer a payer repeats: the quote."""

    quote: StrictStr = ""


@dataclass(frozen=True, slots=True)
class Accepted(Document):
    """The offer that a payer accepts: at most `amount` atomic units for the call."""

    amount: Uint128
    extra: AcceptedExtra | None = None


@dataclass(frozen=True, slots=True)
class SignedVoucher(Document):
    """A voucher: of the channel, at most `max_claimable_amount` in all may be claimed."""

    channel_id: HashText
    max_claimable_amount: Uint128
    signature: WalletSignature


@dataclass(frozen=True, slots=True)
class PaymentPayload(Document):
    """What x402's `batch-settlement` carries; `amount` is what a refund asks for, None for all that is free."""

    type: Literal["voucher", "deposit", "refund"]
    channel_config: ChannelConfig
    voucher: SignedVoucher
    deposit: SignedDeposit | None = None
    amount: Uint128 | None = None


def _identifier(value: Any) -> str:
    if not isinstance(value, str) or (value and not _IDENTIFIER.fullmatch(value)):
        raise ValueError("16 to 128 letters, digits, - or _")
    return value


@dataclass(frozen=True, slots=True)
class IdentifierInfo(Document):
    """A payer's own identifier of a call."""

    id: Annotated[
        str, BeforeValidator(_identifier), Field(json_schema_extra={"pattern": f"^({_IDENTIFIER.pattern})?$"})
    ] = ""


@dataclass(frozen=True, slots=True)
class PaymentIdentifier(Document):
    """x402's extension `payment-identifier`."""

    info: IdentifierInfo | None = None


@dataclass(frozen=True, slots=True)
class PaymentExtensions(Document):
    """The extensions of x402 that are known here."""

    payment_identifier: Annotated[PaymentIdentifier | None, Field(alias="payment-identifier")] = None


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class ChannelOnChain(Document):
    """The chain's side of a channel: balance, claimed total, and when a withdrawal was begun, or 0."""

    channel: HashText
    channel_config: ChannelConfig
    balance: Uint128
    total_claimed: Uint128
    withdraw_at: Seconds


@dataclass(frozen=True, slots=True)
class ChannelUse(Document):
    """The gateway's side of a channel: charged in all, reserved by running calls, free for new ones."""

    charged: Uint128
    reserved: Uint128
    free: Uint128


@dataclass(frozen=True, slots=True)
class KeySecret(Document):
    """A new key's text, which is shown this once."""

    key: StrictStr


@dataclass(frozen=True, slots=True)
class KeyLeft(Document):
    """What a key may still spend of its limit."""

    left: Uint128


@dataclass(frozen=True, slots=True)
class KeyList(Document):
    """The keys of a payer."""

    keys: list[KeyFacts]


@dataclass(frozen=True, slots=True)
class RefundAnswer(Document):
    """`GET` on a paid endpoint with a refund's payload: what was given back, and by which transaction."""

    channel: HashText
    refunded: Uint128
    transaction: HashText


@dataclass(frozen=True, slots=True)
class OutputLimits(Plain):
    """Text tokens of output: when a call names no limit, at most, and of hidden reasoning."""

    default: Count
    most: Count
    reasoning: Count


@dataclass(frozen=True, slots=True)
class ModelPrice(Plain):
    """A price card; amounts in atomic units of `token`, which has `decimals`.

    `cached_input_bps`: what cached input costs, in hundredths of a per cent of the input price.
    """

    version: Count
    input_per_million: Uint128
    output_per_million: Uint128
    per_call: Uint128
    cached_input_bps: Count
    unit: StrictStr
    token: AddressText
    decimals: Annotated[int, Whole(77)]
    symbol: StrictStr


@dataclass(frozen=True, slots=True)
class ModelCard(Plain):
    """One service, as OpenAI lists models, with its price and limits."""

    id: StrictStr
    object: Literal["model"]
    created: Seconds
    owned_by: AddressText
    endpoint: StrictStr
    asset: Annotated[StrictStr, Field(pattern="^0x[0-9a-f]{32}$")]
    context_window: Count
    output: OutputLimits
    forward: list[StrictStr]
    price: ModelPrice
    counted_by: StrictStr


@dataclass(frozen=True, slots=True)
class ModelList(Plain):
    """`GET /v1/models`."""

    object: Literal["list"]
    data: list[ModelCard]


@dataclass(frozen=True, slots=True)
class ErrorFacts(Plain):
    """What went wrong: `code` is stable, `param` names the member that is wrong, `details` has the numbers as text."""

    message: StrictStr
    type: StrictStr
    code: StrictStr
    param: StrictStr | None
    details: dict[str, Any]
    call_id: HashText


@dataclass(frozen=True, slots=True)
class ErrorAnswer(Plain):
    """An error, in the shape that OpenAI's clients read."""

    error: ErrorFacts


@dataclass(frozen=True, slots=True)
class Alive(Plain):
    """`GET /healthz`."""

    status: StrictStr


@dataclass(frozen=True, slots=True)
class Readiness(Plain):
    """`GET /readyz`: each check that decides, and by its code what fails that calls can do without."""

    status: StrictStr
    checks: dict[str, str]
    degraded: dict[str, str]


@dataclass(frozen=True, slots=True)
class CostDetails(Plain):
    """What a call cost: `charge` in atomic units of `token`, `cost` the same in whole units, both exact."""

    charge: Uint128
    cost: StrictStr
    ceiling: Uint128
    token: AddressText
    decimals: Annotated[int, Whole(77)]
    flagged: bool
    counted_by: StrictStr
    reasoning_tokens: Count


@dataclass(frozen=True, slots=True)
class Usage(Plain):
    """Text tokens of a call and what they cost; `cost` is for reading."""

    prompt_tokens: Count
    prompt_tokens_details: dict[str, Any]
    completion_tokens: Count
    total_tokens: Count
    cost: float
    cost_details: CostDetails


@dataclass(frozen=True, slots=True)
class BilledUsage(Plain):
    """The part of a whole answer that carries the bill."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class ReceiptLine(Document):
    """One line of a receipt: `quantity` of a unit at `price` for `per` units; `amount` in atomic units."""

    unit: Annotated[StrictStr, Field(pattern="^[a-z][a-z0-9_]{0,63}$")]
    quantity: Uint64
    price: Uint256
    per: Uint64
    amount: Uint256


@dataclass(frozen=True, slots=True)
class Receipt(Document):
    """One call's bill under the operator's signature; members as its EIP-712 struct names them."""

    call: HashText
    account: HashText
    token: AddressText
    asset: Annotated[int, AssetHex()]
    price_card_version: Uint64
    model_digest: HashText
    request_hash: HashText
    response_hash: HashText
    lines: list[ReceiptLine]
    counted_by: Literal["upstream", "share", "vocabulary", "estimate"]
    ceiling: Uint128
    amount: Uint128
    cumulative: Uint128
    time: Uint64
    signature: Signature
    signer: AddressText
    till: AddressText
    chain_id: Uint64


@dataclass(frozen=True, slots=True)
class KeptReceipt(Plain):
    """`GET /v1/receipts/{call}`: a receipt, and what it does not hold."""

    receipt: Receipt
    flagged: bool
    reasoning_tokens: Count
