"""What assets, listings, shares and passes are: frozen values and their rules. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from usufruct.assets.errors import InvalidListing, PausedListing, RetiredListing, demand
from usufruct.assets.price_cards import PricePeriod, card_in_force, check_card, typical_charge_up
from usufruct.chain.contracts import asset_registry
from usufruct.chain.contracts.asset_registry import Kind, Parent
from usufruct.core import UINT128_MAX, Address, AssetId, Hash32, divide_up, format_units, moment, parse_units
from usufruct.core.price_cards import MOST_LEVEL_DISCOUNT_BPS, PriceCard

SHARE_DECIMALS = 6
SUPPLY = 100_000_000 * 10**6
"""All shares of an asset, atomic."""

USUAL_WINDOW = 8_192
"""The context window of a listing when it is not known how large it is, in text tokens."""

NO_DIGEST = Hash32("0x" + "0" * 64)
"""Of a listing whose model is not pinned to bytes."""

_LONGEST_NAME = 200

MOST_OF_VISITOR = 1_000
MOST_OF_DAY = 1_000_000
LEAST_OUTPUT = 16
MOST_OUTPUT = 65_536
"""Bounds of a free sample. The least output leaves one unit for each choice, up to the most that a call can ask for."""


@dataclass(frozen=True, slots=True)
class RevenueToken:
    """An ERC-20 that money is in."""

    address: Address
    symbol: str
    decimals: int

    def show(self, amount: int) -> str:
        """Write atomic units as whole ones: "12.5"."""
        return format_units(amount, self.decimals)


@dataclass(frozen=True, slots=True)
class Holding:
    """So many atomic shares of one holder."""

    holder: Address
    amount: int

    @property
    def percent(self) -> str:
        """Return the part of all shares, exactly, in per cent."""
        return format_units(self.amount, 12)  # all of them are 10**14


@dataclass(frozen=True, slots=True)
class Income:
    """An asset's revenue in one token, atomic units: `gross` was noticed so far, `unaccrued` arrived since."""

    token: RevenueToken
    gross: int
    unaccrued: int


@dataclass(frozen=True, slots=True)
class Pending:
    """What a holder's shares have earned in one token, atomic units.

    `accrued` can be collected as it is; `total` is what it will be once `unaccrued`, money that reached
    the asset without a call, is accrued.
    """

    token: RevenueToken
    accrued: int
    total: int
    unaccrued: int


@dataclass(frozen=True, slots=True)
class OwnerIncome:
    """What one owner of `shares` collected of a token, and can collect now, atomic units."""

    owner: Address
    shares: int
    collected: int
    collectable: int


@dataclass(frozen=True, slots=True)
class SharesIncome:
    """What reached an asset's shares in one token, and whose it is; atomic units, as of one block.

    `received` = `unaccrued` + `protocol_fee` + `royalties` + `collected` + `collectable`, the last two of all owners
    together, with the fractions of a unit that wait for the next payment. `owners`: those with most shares; what they
    can collect counts their part of `unaccrued`, which arrived without a call that books it.
    """

    received: int
    unaccrued: int
    protocol_fee: int
    royalties: int
    collected: int
    collectable: int
    owners: tuple[OwnerIncome, ...]


@dataclass(frozen=True, slots=True)
class AssetDetails:
    """Everything the chain says about one asset, as of one block: what the registry knows, and the rest."""

    id: AssetId
    known: asset_registry.Asset
    name: str
    symbol: str
    holder: Address
    currency: RevenueToken
    card: PriceCard
    pending_card: PricePeriod | None
    retired: bool
    transfer_policy: Address
    parents: tuple[Parent, ...]
    uri: str
    endpoint: str
    income: tuple[Income, ...]


@dataclass(frozen=True, slots=True)
class Asset:
    """What the logs say about one asset; `retires_at` is 0 while no retirement is announced."""

    id: AssetId
    name: str
    symbol: str
    kind: Kind
    holder: Address
    shares: Address
    currency: Address
    notice_period: int
    cards: tuple[PricePeriod, ...]
    retires_at: int
    block: int

    def card(self, now: int) -> PricePeriod:
        """Return the price card that is in force at `now`."""
        return card_in_force(self.cards, self.notice_period, now)

    def retired(self, now: int) -> bool:
        """Tell whether the retirement is in effect at `now`."""
        return 0 < self.retires_at <= now


@dataclass(frozen=True, slots=True)
class PassPlan:
    """A plan on the chain: packages of `credits` for `price` atomic units of `token`. `expiry` 0: never.

    A credit pays one atomic unit of `currency`, which the asset's price card is in. `open`: packages can be bought now.
    """

    id: int
    asset: AssetId
    currency: RevenueToken
    token: RevenueToken
    price: int
    credits: int
    expiry: int
    open: bool

    def call_prices_up(self, card: PriceCard) -> tuple[int, int] | None:
        """Return what a typical call costs through the plan, in `token`, and without it, in `currency`.

        None where calls are free, or not counted in text tokens.
        """
        charge = typical_charge_up(card)
        return (divide_up(charge * self.price, self.credits), charge) if charge else None

    def refund_down(self, amount: int) -> int:
        """Return what `amount` credits are given back for, as the contract rounds it."""
        return amount * self.price // self.credits


@dataclass(frozen=True, slots=True)
class Credits:
    """A holder's credits of one plan for one meter.

    `circulating` ones are bound to no meter and count with the asset's present one. Unused, they can be given back from
    `circulating_refundable_at` on (0: now), `activated` ones from `activated_refundable_at` on; chain seconds.
    `calls`: about how many calls they pay; None where calls are free.
    """

    plan: PassPlan
    meter: Address
    circulating: int
    activated: int
    circulating_refundable_at: int
    activated_refundable_at: int
    calls: int | None


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits of a listing's calls: output when the caller names none, output at most, and what one call may cost.

    `reasoning_output`: how many text tokens of hidden reasoning one call may be charged for, of those its output may
    have: reasoning that no delivered text stands for. 0: none.
    """

    usual_output: int = 4_096
    largest_output: int = 65_536
    largest_ceiling: int = UINT128_MAX
    reasoning_output: int = 0


@dataclass(frozen=True, slots=True)
class FreeSample:
    """What visitors may try of a listing without payment, at its seller's cost.

    `calls_per_visitor`, `calls_per_day`: calls of one visitor and of all visitors in a day (UTC). `output_per_call`:
    the most output of one call, in the unit of the listing's price card.
    """

    calls_per_visitor: int
    calls_per_day: int
    output_per_call: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What is sold under `name`: an operation, such as "chat", for a registered asset or a plain payee.

    `pay_to` receives the income: the asset's Shares, or any address. `id` is the registry's if it is `registered`, else
    `plain_listing_id`. `model_digest` goes into receipts. `prices` are in order of their versions. `retired_at`,
    `paused_at`: seconds since 1970; a paused listing is on sale and takes no new calls. `sample`: None if all is paid.
    `level_discount_bps`: the most that a payer's staking level takes off the prices; the seller bears it. 0: nothing.
    """

    name: str
    operation: str
    pay_to: Address
    id: AssetId
    prices: tuple[PricePeriod, ...]
    registered: bool = False
    caps: Caps = Caps()
    model_digest: Hash32 = NO_DIGEST
    created_at: int = 0
    retired_at: int | None = None
    paused_at: int | None = None
    sample: FreeSample | None = None
    level_discount_bps: int = 0

    def card(self, now: int) -> PriceCard:
        """Return the price card that holds at `now`: the newest that has started."""
        return next((p.card for p in reversed(self.prices) if p.starts_at <= now), self.prices[0].card)

    def card_of(self, version: int) -> PriceCard | None:
        """Return the price card with a number; None where there is none."""
        return next((period.card for period in self.prices if period.card.version == version), None)

    def check_active(self) -> None:
        """Refuse a call of a listing that is off sale."""
        if self.retired_at is not None:
            raise RetiredListing(
                f"{self.name} was retired; GET /v1/models lists what is served",
                field="model",
                retired_at=self.retired_at,
            )

    def check_open(self) -> None:
        """Refuse a new call of a listing that is off sale or paused."""
        self.check_active()
        if self.paused_at is not None:
            raise PausedListing(
                f"{self.name} was paused by its seller at {moment(self.paused_at)}; nothing was charged; ask again "
                "when GET /v1/models has no paused_at for it",
                field="model",
                paused_at=self.paused_at,
            )


def plain_listing_id(name: str, pay_to: Address) -> AssetId:
    """Return the id of a listing that is sold for a plain payee: 128 bits of a hash over payee and name."""
    return AssetId(int.from_bytes(sha256(f"usufruct plain asset\n{pay_to}\n{name}".encode()).digest()[:16], "big"))


def check_listing(listing: Listing) -> None:
    """Refuse a listing whose calls could not be priced."""
    name = listing.name
    rule = f"1 to {_LONGEST_NAME} printable characters, without . or .. between slashes"
    demand(is_name(name) and len(name) <= _LONGEST_NAME, "name", name, rule, InvalidListing)
    check_caps(listing.caps)
    check_prices(listing.prices)
    if listing.sample is not None:
        check_sample(listing.sample)
    check_level_discount(listing.level_discount_bps)


def check_caps(caps: Caps) -> None:
    """Refuse limits no listing can have."""
    usual, largest, ceiling = caps.usual_output, caps.largest_output, caps.largest_ceiling
    rule = "usual_output <= largest_output, from 1 to 2**31 - 1"
    demand(1 <= usual <= largest < 1 << 31, "caps", f"{usual} and {largest}", rule, InvalidListing)
    reasoning = caps.reasoning_output
    demand(0 <= reasoning <= largest, "reasoning_output", reasoning, "from 0 to largest_output", InvalidListing)
    demand(1 <= ceiling <= UINT128_MAX, "largest_ceiling", ceiling, "from 1 to 2**128 - 1", InvalidListing)


def check_sample(sample: FreeSample) -> None:
    """Refuse a free sample that no listing can have."""
    each, together, output = sample.calls_per_visitor, sample.calls_per_day, sample.output_per_call
    rule = f"from 1 to {MOST_OF_VISITOR}"
    demand(1 <= each <= MOST_OF_VISITOR, "calls_per_visitor", each, rule, InvalidListing)
    rule = f"from calls_per_visitor, {each}, to {MOST_OF_DAY}"
    demand(each <= together <= MOST_OF_DAY, "calls_per_day", together, rule, InvalidListing)
    rule = f"from {LEAST_OUTPUT} to {MOST_OUTPUT}"
    demand(LEAST_OUTPUT <= output <= MOST_OUTPUT, "output_per_call", output, rule, InvalidListing)


def check_level_discount(most_bps: int) -> None:
    """Refuse a discount by staking level that no listing can give."""
    shown, rule = f"{format_units(most_bps, 2)} %", f"from 0 to {format_units(MOST_LEVEL_DISCOUNT_BPS, 2)} per cent"
    demand(0 <= most_bps <= MOST_LEVEL_DISCOUNT_BPS, "level_discount", shown, rule, InvalidListing)


def check_prices(prices: Sequence[PricePeriod]) -> None:
    """Refuse price cards no call could be charged by; each has a context window."""
    demand(bool(prices), "prices", 0, "at least one price card", InvalidListing)
    for card in (period.card for period in prices):
        check_card(card, InvalidListing)
        rule = f"from 2 to 2**31 - 1 {card.unit.plural}"
        demand(card.context_window >= 2, "context_window", card.context_window, rule, InvalidListing)


def shares_of_percent(text: str, field: str) -> int:
    """Return how many atomic shares so many per cent ("12.5") are; exact to six decimals."""
    return parse_units(text, 6, field) * (SUPPLY // 10**8)


def bps_of_percent(text: str, field: str) -> int:
    """Return per cent ("2.5" or "2.5%") in hundredths of a per cent."""
    return parse_units(text.removesuffix("%"), 2, field)


def number_in(text: str) -> int | None:
    """Return the number that decimal or 0x-hexadecimal text is; None for other text."""
    try:
        return int(text, 0)
    except ValueError:
        return None


def is_name(text: str) -> bool:
    """Tell whether a text is printable, not empty, without space at its ends, and a path of its own in an address.

    Browsers take `.` and `..` between slashes out of addresses: a link to such a name would lead elsewhere.
    """
    is_path = not any(part in (".", "..") for part in text.split("/"))
    return bool(text) and text.isprintable() and text == text.strip() and is_path
