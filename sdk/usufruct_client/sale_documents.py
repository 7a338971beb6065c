"""The JSON documents of a sale in the browser: what is sold, what its server was seen to do, its price and its owners.

A draft is a sale that is not confirmed yet. Prices and per cent travel as decimal text in whole units, as people write
them; the server's key goes in and never comes out.
"""

from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictStr

from usufruct_client.wire_types import AddressText, Codec, Count, Document, Seconds, Text, Uint64, Uint256, Wish

_LONGEST_KEY = 4_096


def _secret(value: Any) -> str:
    if not isinstance(value, str) or not (value.isascii() and value.isprintable()) or len(value) > _LONGEST_KEY:
        raise ValueError(f"at most {_LONGEST_KEY} printable ASCII characters")
    return value.strip()


Decimal = Annotated[StrictStr, Field(max_length=80)]
SecretText = Annotated[str, Codec(_secret, {"type": "string", "maxLength": _LONGEST_KEY, "writeOnly": True})]
Kind = Literal["chat", "embeddings"]
Percent = Annotated[int, Field(strict=True, ge=1, le=100)]


class FoundServer(Document):
    """A model server on this machine: its usual name, its address, and its models."""

    name: StrictStr
    url: StrictStr
    models: list[StrictStr]


class FoundServers(Document):
    """`GET /v1/sales/servers`."""

    servers: list[FoundServer]


class ServerWish(Wish):
    """Which server answers: its address, its name for the model (empty: its only one), and its key (empty: none)."""

    url: Annotated[StrictStr, Field(max_length=2_000)]
    model: Annotated[StrictStr, Field(max_length=200)] = ""
    kind: Kind = "chat"
    key: SecretText = ""


class ModelWish(Wish):
    """One of the models that the server has."""

    model: Annotated[StrictStr, Field(min_length=1, max_length=200)]
    kind: Kind = "chat"


class ServerFacts(Document):
    """The chosen server, without its key."""

    url: StrictStr
    model: StrictStr
    kind: Kind
    has_key: StrictBool


class SpeedFacts(Document):
    """One call alone: text tokens, and the milliseconds that they and the first of them took."""

    tokens: Count
    duration: Count
    first_token: Count


class ProbeFacts(Document):
    """What a server was asked, how far that is, and what was found.

    `state`: `running`; `choose` (several models, see `models`); `done`; `failed` (see `error`, and its `code`).
    `stage`: the question that it is at, or was when it failed. `context_window` 0: not known.
    """

    run: StrictStr
    state: Literal["running", "choose", "done", "failed"]
    stage: Literal["models", "answer", "stream", "length", "speed"] = "models"
    changed_at: Seconds = 0
    models: list[StrictStr] = field(default_factory=list)
    error: StrictStr = ""
    code: StrictStr = ""
    context_window: Count = 0
    output_limit: StrictStr = ""
    bytes_per_token_ppm: Count = 0
    reports_usage: StrictBool = False
    own_vocabulary: StrictBool = False
    speed: SpeedFacts | None = None


class CostWish(Wish):
    """What a suggestion is made from: cost of the machine per hour, calls at once, busy per cent of the time.

    `faster_input`: how many times faster than it writes the server reads. `margin`: per cent of the price.
    """

    per_hour: Decimal
    parallel: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 1
    busy: Percent = 50
    faster_input: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 4
    margin: Annotated[int, Field(strict=True, ge=0, le=99)] = 30


class Suggestion(Document):
    """Cost and suggested price of a million text tokens in atomic units, and what they were made from, and when."""

    input_cost: Uint256
    output_cost: Uint256
    input_price: Uint256
    output_price: Uint256
    tokens_per_hour: Count
    measured_at: Seconds
    costed_at: Seconds


class NewSample(Wish):
    """A free sample: calls of one visitor and of all visitors a day, and the most output of one call."""

    calls_per_visitor: Count
    calls_per_day: Count
    output_per_call: Count


class PriceWish(Wish):
    """The service's name and its price; `costs` are kept beside it. `sample`: what is free to try; None: nothing."""

    name: Annotated[StrictStr, Field(max_length=200)]
    input: Decimal
    output: Decimal
    per_call: Decimal = "0"
    cached_input: Decimal = "100"
    costs: CostWish | None = None
    sample: NewSample | None = None


class PriceFacts(Document):
    """A price that was chosen, the costs that it was compared with at `costed_at`, and what is free to try."""

    name: StrictStr
    input: StrictStr
    output: StrictStr
    per_call: StrictStr
    cached_input: StrictStr
    costs: CostWish | None = None
    costed_at: Seconds = 0
    sample: NewSample | None = None


class Part(Document):
    """So many per cent for an address or an asset."""

    of: Text
    percent: Decimal


class OwnershipWish(Wish):
    """Who receives the income.

    `plain`: the address `pay_to` (empty: the seller's). `shares`: the holders of revenue shares: `owners` get theirs,
    the seller the rest; `parents` get royalties. `transfer_policy`: `open`, or the address of a contract.
    """

    mode: Literal["plain", "shares"]
    pay_to: StrictStr = ""
    owners: Annotated[list[Part], Field(max_length=20)] = field(default_factory=list)
    parents: Annotated[list[Part], Field(max_length=4)] = field(default_factory=list)
    transfer_policy: StrictStr = ""
    resale_royalty: Decimal = "0"
    notice_hours: Annotated[int, Field(strict=True, ge=1, le=720)] = 24


class SaleDraft(Document):
    """A sale: what was decided so far. `service`: its name once it is on sale.

    `waits_for`: the payee that the till did not list when the sale was confirmed.
    """

    id: StrictStr
    created_at: Seconds
    changed_at: Seconds
    server: ServerFacts | None = None
    probe: ProbeFacts | None = None
    price: PriceFacts | None = None
    ownership: OwnershipWish | None = None
    service: StrictStr = ""
    waits_for: AddressText | None = None


class SaleDrafts(Document):
    """`GET /v1/sales`: the drafts of the signed-in seller, the newest first."""

    drafts: list[SaleDraft]


class WalletTransaction(Document):
    """A transaction that only the signed-in wallet may send: for a sale, a service that is on sale, or the till."""

    what: Literal["register", "share", "payee", "price", "retire", "collect", "cap", "owner"]
    chain_id: Uint64
    to: AddressText
    data: StrictStr
    value: Uint256


class Confirmation(Document):
    """What a confirmation came to: on sale, or what the wallet has to send; then confirm again."""

    draft: SaleDraft
    transactions: list[WalletTransaction]
