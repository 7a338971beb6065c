"""The JSON documents that a gateway and its clients exchange, each defined once.

Those of x402's headers are in `x402`, those of receipts in `receipt`.
"""

from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field, StrictStr

from usufruct_client.configuration_wire import VotedConfiguration
from usufruct_client.price_card import PriceCard
from usufruct_client.sample_wire import SampleCost, SampleTerms
from usufruct_client.wire_types import (
    AddressText,
    AssetHex,
    Count,
    Decimals,
    Document,
    HashText,
    Mark,
    Names,
    Plain,
    Seconds,
    ShortBytes,
    Signature,
    Uint64,
    Uint128,
    Uint256,
    WalletSignature,
    Wish,
    decimal_text,
    whole,
)


class ChannelConfig(Document):
    """What a channel is, for its whole life; `withdraw_delay` in seconds."""

    payer: AddressText
    payer_authorizer: AddressText
    receiver: AddressText
    receiver_authorizer: AddressText
    token: AddressText
    withdraw_delay: Seconds
    salt: HashText


class TransferAuthorization(Document):
    """EIP-3009's authorization of a deposit; times in seconds since 1970."""

    valid_after: Uint256
    valid_before: Uint256
    salt: HashText
    signature: WalletSignature


class DepositAuthorizations(Document):
    """The ways to authorize a deposit that are taken."""

    erc3009_authorization: Annotated[TransferAuthorization, Field(alias="erc3009Authorization")]


class SignedDeposit(Document):
    """An amount in atomic units, and its payer's authorization."""

    amount: Uint128
    authorization: DepositAuthorizations


class DepositWish(Wish):
    """`POST /v1/deposits`. `seen`: how many deposits the payer knows of, made or under way; None: not compared."""

    channel_config: ChannelConfig
    deposit: SignedDeposit
    seen: Count | None = None


class KeyWish(Wish):
    """`POST /v1/keys`: what a payer grants, and their signature over it and a nonce not used before."""

    payer: AddressText
    spending_limit: Uint128
    expires_at: Seconds
    assets: Names
    label: StrictStr
    nonce: Uint256
    signature: WalletSignature
    day_limit: Uint128 | None = None


class SignedWish(Wish):
    """`POST /v1/keys/list` and `/v1/keys/{key}/revoke`: a payer's signature that holds until `expires_at`."""

    payer: AddressText
    expires_at: Seconds
    signature: WalletSignature


class RenameWish(Wish):
    """`POST /v1/keys/{key}/rename`: another name, and a payer's signature that holds until `expires_at`."""

    payer: AddressText
    label: StrictStr
    expires_at: Seconds
    signature: WalletSignature


class SignInWish(Wish):
    """`POST /v1/sessions/challenge`: who wants to sign in."""

    address: AddressText


class SignInChallenge(Document):
    """What a wallet signs (`text`, by `personal_sign`) to sign in until `expires_at`; the rest goes back with it."""

    address: AddressText
    nonce: StrictStr
    issued_at: Seconds
    expires_at: Seconds
    mark: Mark
    text: StrictStr


class SignIn(Wish):
    """`POST /v1/sessions`: a challenge and the wallet's signature over its text."""

    address: AddressText
    nonce: StrictStr
    issued_at: Seconds
    expires_at: Seconds
    mark: Mark
    signature: WalletSignature


class SessionFacts(Document):
    """The signed-in address, and when its session ends."""

    address: AddressText
    expires_at: Seconds


class KeyTermsWish(Wish):
    """`POST /v1/account/key-requests`: a key for the signed-in account; without `assets`, for all services."""

    spending_limit: Uint128
    days: Annotated[int, Field(strict=True, ge=1, le=3_650)]
    assets: Names
    label: StrictStr
    day_limit: Uint128 | None = None


class KeyNameWish(Wish):
    """`POST /v1/account/keys/{key}/rename`: another name for a key."""

    label: StrictStr


class DepositTermsWish(Wish):
    """`POST /v1/account/deposit-requests`: an amount for one of their channels; `seen`: as in `DepositWish`."""

    channel: HashText
    amount: Uint128
    seen: Count | None = None


class PasskeyRequest(Document):
    """Who signs a document by a passkey: the account, and the credential ids of its passkeys.

    An operation's hash is the challenge itself; other documents are wrapped by ERC-7739 for the account.
    """

    account: AddressText
    credentials: list[ShortBytes]


class SigningRequest(Document):
    """What a wallet or passkey signs, and the request that carries its signature.

    `document` is for `eth_signTypedData_v4`; None where nothing is to be signed, as for a local chain's demo. With
    `passkey`, a passkey signs it. The signature, or the passkey's assertion, goes into `body` at the path `place`, and
    `body` to `post`.
    """

    document: dict[str, Any] | None
    post: StrictStr
    body: dict[str, Any]
    place: list[StrictStr]
    passkey: PasskeyRequest | None = None


class SpentCall(Document):
    """One call that an account paid for; amounts in atomic units."""

    call: HashText
    time: Seconds
    key: StrictStr
    service: StrictStr
    input_tokens: Count
    output_tokens: Count
    charge: Uint128


class SpendingLog(Document):
    """`GET /v1/account/spending`: calls of the signed-in account, the newest first.

    `next` is the `after` of the next page; None on the last.
    """

    symbol: StrictStr
    decimals: Decimals
    calls: list[SpentCall]
    next: StrictStr | None = None


class KeyFacts(Document):
    """A bearer key without its secret, as its payer sees it.

    `payer` owns the money and the key. `channel` is the escrow it pays from, `session` the address that authorizes
    payments out of it. `spending_limit`: atomic units, over the key's whole life; `day_limit`: in one day (UTC), None
    without such a limit. `assets`: the names of the assets it may call; empty means all.
    """

    id: StrictStr
    payer: AddressText
    channel: HashText
    session: AddressText
    spending_limit: Uint128
    expires_at: Seconds
    assets: Names
    label: StrictStr
    created_at: Seconds
    revoked_at: Seconds | None = None
    day_limit: Uint128 | None = None


PROOF_HEADER = "x-usufruct-proof"


class ChannelProof(Document):
    """The header `PROOF_HEADER`, whose parts are joined by a dot: a signature that holds until `expires_at`."""

    expires_at: Annotated[int, decimal_text(40)]
    signature: Signature


class SigningDomain(Document):
    """An EIP-712 domain."""

    name: StrictStr
    version: StrictStr
    chain_id: Uint64
    verifying_contract: AddressText


class Token(Document):
    """A payment token; `version` is its EIP-712 domain's, empty where it has none."""

    address: AddressText
    name: StrictStr
    symbol: StrictStr
    decimals: Decimals
    version: StrictStr


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


class ChannelOnChain(Document):
    """The chain's side of a channel: balance, claimed total, and when a withdrawal was begun, or 0."""

    channel: HashText
    channel_config: ChannelConfig
    balance: Uint128
    total_claimed: Uint128
    withdraw_at: Seconds


class ChannelUse(Document):
    """The gateway's side of a channel: charged in all, reserved by running calls, free for new ones.

    `charged_today`: by calls that ended today (UTC). `last_call_at`: when the newest call began, 0 before the first.
    """

    charged: Uint128
    reserved: Uint128
    free: Uint128
    charged_today: Uint128
    last_call_at: Seconds


class KeySecret(Document):
    """A new key's text, which is shown this once."""

    key: StrictStr


class KeyLeft(Document):
    """What a key may still spend of its limit, and of its limit of today if it has one."""

    left: Uint128
    left_today: Uint128 | None = None


class KeyList(Document):
    """The keys of a payer."""

    keys: list[KeyFacts]


class RefundAnswer(Document):
    """`GET` on a paid endpoint with a refund's payload: what was given back, and by which transaction."""

    channel: HashText
    refunded: Uint128
    transaction: HashText


class OutputLimits(Plain):
    """Text tokens of output: when a call names no limit, at most, and of hidden reasoning."""

    default: Count
    most: Count
    reasoning: Count


class ModelPrice(Plain, PriceCard):
    """A price card in a list of services; `token` has `decimals`."""

    version: Count
    token: AddressText
    decimals: Decimals
    symbol: StrictStr


class ModelCard(Plain):
    """One service, as OpenAI lists models, with its price and limits.

    `paused_at`: since when it takes no new calls. `sample`: what visitors may try without payment; None: nothing.
    `level_discounts`: what the staking levels 1 to 10 of a payer take off its prices, in hundredths of a per cent.
    `configuration`: what its shareholders voted for, if it follows that.
    """

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
    paused_at: Seconds | None = None
    sample: SampleTerms | None = None
    level_discounts: list[Count] = field(default_factory=list)
    configuration: VotedConfiguration | None = None


class ModelList(Plain):
    """`GET /v1/models`."""

    object: Literal["list"]
    data: list[ModelCard]


class MeasuredSpread(Plain):
    """A measured quantity: how many calls it is of, its median, and what 95 of 100 calls keep; null if too few."""

    sample: Count
    median: float | None
    p95: float | None


class MeasuredWindow(Plain):
    """What was measured of a service in its last `days`.

    `calls` were let in. `tried` are those that the service was to answer: without those that callers left, or that the
    upstream refused as wrong. `success`: the part of them, 0 to 1, that came whole. Times are in milliseconds; `speed`
    is text tokens per second after the first text of a stream. `income`: atomic units.
    """

    days: Count
    calls: Count
    tried: Count
    success: float | None
    first_text_ms: MeasuredSpread
    speed: MeasuredSpread
    whole_answer_ms: MeasuredSpread
    input_tokens: Count
    output_tokens: Count
    income: Uint256


class MeasuredQuality(Plain):
    """`GET /v1/quality/{model}`: figures are null below `least_sample` calls."""

    id: StrictStr
    least_sample: Count
    windows: list[MeasuredWindow]


class FoundService(Plain):
    """A service that a search found, and what was measured of it in 30 days.

    `imitates`: the name of an older service, of another payee, that this one's name could be taken for.
    """

    service: ModelCard
    measured: MeasuredWindow
    imitates: StrictStr | None


class FoundServices(Plain):
    """`GET /v1/services`: one page of what was found, of `total` in all."""

    total: Count
    page: Count
    pages: Count
    services: list[FoundService]


class ErrorFacts(Plain):
    """What went wrong: `code` is stable, `param` names the member that is wrong, `details` has the numbers as text."""

    message: StrictStr
    type: StrictStr
    code: StrictStr
    param: StrictStr | None
    details: dict[str, Any]
    call_id: HashText


class ErrorAnswer(Plain):
    """An error, in the shape that OpenAI's clients read."""

    error: ErrorFacts


class Alive(Plain):
    """`GET /healthz`."""

    status: StrictStr


class Readiness(Plain):
    """`GET /readyz`: each check that decides, and by its code what fails that calls can do without."""

    status: StrictStr
    checks: dict[str, str]
    degraded: dict[str, str]


class CostDetails(Plain):
    """What a call cost: `charge` in atomic units of `token`, `cost` the same in whole units, both exact.

    `saved`: what the payer's staking level took off, atomic units; None: nothing.
    """

    charge: Uint128
    cost: StrictStr
    ceiling: Uint128
    token: AddressText
    decimals: Decimals
    flagged: bool
    counted_by: StrictStr
    reasoning_tokens: Count
    saved: Uint128 | None = None


class InputDetails(Plain):
    """Text tokens of input that the upstream had cached."""

    cached_tokens: Count = 0


class Usage(Plain):
    """Text tokens of a call and what they cost; `cost` is for reading. `sample`: only of a free call."""

    prompt_tokens: Count
    completion_tokens: Count
    total_tokens: Count
    cost: float
    cost_details: CostDetails
    prompt_tokens_details: InputDetails | None = None
    sample: SampleCost | None = None


class BilledUsage(Plain):
    """The part of a whole answer that carries the bill."""

    usage: Usage


Stars = Annotated[int, whole(5)]


class ReviewWish(Wish):
    """What a payer wants to say of a service; `call` is one of its calls that they paid for, by default their last."""

    asset: AssetHex
    rating: Stars
    text: StrictStr
    call: HashText | None = None


class SignedReview(Wish):
    """A review under its payer's signature (ERC-1271 where the payer is a contract); `time` in seconds since 1970."""

    payer: AddressText
    asset: AssetHex
    call: HashText
    rating: Stars
    text: StrictStr
    time: Seconds
    signature: WalletSignature


class ReviewAnswer(Wish):
    """What a seller answers to a review."""

    text: StrictStr


class ReviewFacts(Document):
    """A review as anyone may see it.

    `paid`: what the payer had paid for the service, atomic units. `weight` comes of it, and is 0 where there are
    `flags`. `revision` counts from 1.
    """

    payer: AddressText
    asset: AssetHex
    call: HashText
    rating: Stars
    text: StrictStr
    time: Seconds
    signature: WalletSignature
    revision: Count
    paid: Uint128
    weight: Count
    flags: list[StrictStr]
    answer: StrictStr | None
    answered_at: Seconds | None


class ReviewTotals(Document):
    """All reviews of a service: `stars` counts those of one to five; `mean` is by weight, "4.25", or None."""

    count: Count
    flagged: Count
    weight: Count
    mean: StrictStr | None
    stars: list[Count]


class ReviewPage(Document):
    """`GET /v1/reviews/{asset}`: the totals, and reviews, the newest first; `next` is the `after` of the next page."""

    totals: ReviewTotals
    reviews: list[ReviewFacts]
    next: StrictStr | None


class ReviewHistory(Document):
    """`GET /v1/reviews/{asset}/{payer}`: all that a payer said of a service, the newest first."""

    revisions: list[ReviewFacts]
