"""What is on offer: assets, where they are answered, and how their text tokens are counted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from urllib.parse import urlsplit

from usufruct.core import UINT128_MAX, WHOLE_BPS, Address, AssetId, Hash32, PriceCard, PriceUnit
from usufruct.gateway.errors import InvalidListing, RetiredListing, UnmeasuredUnit, WrongEndpoint
from usufruct.gateway.members import FORWARDABLE

NO_DIGEST = Hash32("0x" + "0" * 64)
"""Of an asset whose model is not pinned to bytes."""

_LONGEST_NAME = 200


class Endpoint(StrEnum):
    """At which endpoint an asset answers."""

    CHAT = "chat"
    EMBEDDINGS = "embeddings"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A server that answers for an asset: its address, its own name for the model, and our key for it.

    `output_limit`: by which name it takes the limit of output, where it does not know both. It names no other server.
    """

    url: str
    model: str
    api_key: str = ""
    output_limit: str = field(default="", compare=False)

    def __repr__(self) -> str:
        return f"Upstream({self.url}, {self.model})"


@dataclass(frozen=True, slots=True)
class CountingRule:
    """How input is counted before the call, and output when the upstream's own count is missing or not believed.

    `vocabulary`: SHA-256 of a `tokenizers` JSON file kept by the catalogue; empty: every UTF-8 byte counts as one text
    token. `per_message`, `per_request`: text tokens the chat template adds. `tolerance_ppm`: how far the upstream's
    count may pass ours, in millionths; `spare_tokens`: and this many more, for end marks that are never sent.
    `bytes_per_token_ppm`: the UTF-8 bytes that a text token of the upstream had when the asset was offered, in
    millionths; 0: not known. `forward`: members of a request that are forwarded and counted where they would be dropped
    otherwise.
    """

    vocabulary: str = ""
    per_message: int = 8
    per_request: int = 16
    tolerance_ppm: int = 100_000
    spare_tokens: int = 8
    forward: frozenset[str] = frozenset()
    bytes_per_token_ppm: int = 0


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits of the operator: output when the caller names none, output at most, and what one call may cost.

    `reasoning_output`: how many text tokens of hidden reasoning one call may be charged for, of those its output may
    have: reasoning that no delivered text stands for. 0: none.
    """

    usual_output: int = 4_096
    largest_output: int = 65_536
    largest_ceiling: int = UINT128_MAX
    reasoning_output: int = 0


@dataclass(frozen=True, slots=True)
class PricePeriod:
    """A price card and the second since 1970 from which it holds."""

    card: PriceCard
    starts_at: int


@dataclass(frozen=True, slots=True)
class ServedListing:
    """One AI service, as this installation offers it under `name`.

    `pay_to` receives its income. `id` is the registry's, or `plain_asset_id` for one that is not registered.
    `model_digest` goes into receipts. `prices` are in order of their versions. `retired_at`: seconds since 1970.
    """

    name: str
    endpoint: Endpoint
    pay_to: Address
    id: AssetId
    upstreams: tuple[Upstream, ...]
    prices: tuple[PricePeriod, ...]
    counting: CountingRule = CountingRule()
    caps: Caps = Caps()
    model_digest: Hash32 = NO_DIGEST
    created_at: int = 0
    retired_at: int | None = None

    @property
    def registered(self) -> bool:
        """Whether the id is the registry's."""
        return self.id != plain_asset_id(self.name, self.pay_to)

    def card(self, now: int) -> PriceCard:
        """Return the price card that holds at `now`: the newest that has started."""
        return next((p.card for p in reversed(self.prices) if p.starts_at <= now), self.prices[0].card)

    def check_open(self, endpoint: Endpoint) -> None:
        """Refuse a call this asset does not take.

        Raises:
            RetiredListing: when it was retired.
            WrongEndpoint: when it answers elsewhere.
        """
        if self.retired_at is not None:
            raise RetiredListing(
                f"{self.name} was retired; GET /v1/models lists what is served",
                field="model",
                retired_at=self.retired_at,
            )
        if self.endpoint is not endpoint:
            raise WrongEndpoint(f"{self.name} is for {self.endpoint}, not for {endpoint}", field="model")

    def check_unit(self, card: PriceCard) -> None:
        """Refuse a call that would be charged by another unit than the one it is measured in, the text token.

        Raises:
            UnmeasuredUnit: names the unit of the price card.
        """
        if card.unit is not PriceUnit.TEXT_TOKEN:
            raise UnmeasuredUnit(
                f"{self.name} is priced by the {card.unit.value}, and {self.endpoint} is measured in text tokens; its "
                "seller must announce a price card for text tokens",
                field="model",
                unit=card.unit.value,
            )


def plain_asset_id(name: str, pay_to: Address) -> AssetId:
    """Return the id of an asset that is sold without being registered: 128 bits of a hash over payee and name."""
    return AssetId(int.from_bytes(sha256(f"usufruct plain asset\n{pay_to}\n{name}".encode()).digest()[:16], "big"))


def check_asset(asset: ServedListing) -> None:
    """Refuse an asset that could not be served or priced.

    Raises:
        InvalidListing: names the field.
    """
    _demand(_plain(asset.name) and len(asset.name) <= _LONGEST_NAME, "name", "1 to 200 printable characters")
    _demand(bool(asset.upstreams), "upstreams", "at least one upstream")
    for replica in asset.upstreams:
        parts = urlsplit(replica.url)
        _demand(parts.scheme in {"http", "https"} and bool(parts.hostname), "url", "an http or https address")
        _demand(not parts.username and not parts.password, "url", "an address without user and password")
        _demand(_plain(replica.model), "model", "the upstream's name for the model")
    rule = asset.counting
    numbers = (rule.per_message, rule.per_request, rule.tolerance_ppm, rule.spare_tokens, rule.bytes_per_token_ppm)
    _demand(all(0 <= number < 1 << 31 for number in numbers), "counting", "made of numbers from 0 to 2**31 - 1")
    _demand(rule.forward <= FORWARDABLE, "forward", f"made of {', '.join(sorted(FORWARDABLE))}")
    caps = asset.caps
    _demand(1 <= caps.usual_output <= caps.largest_output < 1 << 31, "caps", "usual_output <= largest_output, from 1")
    _demand(0 <= caps.reasoning_output <= caps.largest_output, "reasoning_output", "from 0 to largest_output")
    _demand(1 <= caps.largest_ceiling <= UINT128_MAX, "largest_ceiling", "from 1 to 2**128 - 1")
    check_prices(asset.prices)


def check_prices(prices: Sequence[PricePeriod]) -> None:
    """Refuse price cards no call could be charged by.

    Raises:
        InvalidListing: names the field.
    """
    _demand(bool(prices), "prices", "at least one price card")
    for card in (period.card for period in prices):
        money = (card.input_per_million, card.output_per_million, card.per_call)
        _demand(all(0 <= amount <= UINT128_MAX for amount in money), "price", "made of amounts from 0 to 2**128 - 1")
        _demand(0 <= card.cached_input_bps <= WHOLE_BPS, "cached_input", "from 0 to 100 per cent of the input price")
        _demand(2 <= card.context_window < 1 << 31, "context_window", f"from 2 to 2**31 - 1 {card.unit.plural}")
        _demand(1 <= card.version < 1 << 63, "version", "from 1")


def _plain(text: str) -> bool:
    return bool(text) and text.isprintable() and text == text.strip()


def _demand(holds: bool, field: str, rule: str) -> None:
    if not holds:
        raise InvalidListing(f"{field} must be {rule}", field=field)
