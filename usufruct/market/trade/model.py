"""Offers of goods: signed listings, their states, and the exchange's rules of price, fee and royalty. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from usufruct.chain.contracts.exchange import Item, ItemKind, Listing
from usufruct.core import Address, AssetId, Hash32, divide_up
from usufruct_client.trade import Goods, OfferedTerms, fee_down, price_up

LEAST_SECONDS = 60
LONGEST_SECONDS = 90 * 86_400
MOST_OPEN = 20
"""Open offers of one maker for one asset's shares, or for its credits."""

_RATE = 1 << 64


class OfferState(StrEnum):
    """Whether an offer can be filled, and why not.

    UNCOVERED: the maker holds or has approved none of what is left. FEE_RAISED: fee and royalty are above what the
    maker allowed. UNKNOWN: the chain's node does not answer.
    """

    OPEN = "open"
    SOLD = "sold"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNCOVERED = "uncovered"
    FEE_RAISED = "fee_raised"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class GoodsGroup:
    """Goods that are listed together: an asset's shares, or the `credits` of all its plans."""

    asset: AssetId
    credits: bool = False

    @classmethod
    def of(cls, goods: Goods) -> "GoodsGroup":
        """Return the group that goods are in."""
        return cls(AssetId(goods.asset), goods.plan is not None)


@dataclass(frozen=True, slots=True)
class Deductions:
    """What the exchange and the holders of the asset's shares take of a price, hundredths of a per cent."""

    fee_bps: int
    royalty_bps: int = 0

    @property
    def bps(self) -> int:
        """Both together."""
        return self.fee_bps + self.royalty_bps

    def of(self, price: int) -> tuple[int, int]:
        """Return fee and royalty in a price, each rounded down."""
        return fee_down(price, self.fee_bps), fee_down(price, self.royalty_bps)


@dataclass(frozen=True, slots=True)
class GoodsOffer:
    """A maker's signed listing of `amount` atomic units of goods for `price` in all; parts are sold.

    `sold`: under this nonce so far. `used`: whether the nonce was cancelled, or used up by another sale.
    """

    hash: Hash32
    goods: Goods
    maker: Address
    currency: Address
    amount: int
    price: int
    expiry: int
    max_deduction_bps: int
    nonce: int
    signature: bytes
    created_at: int = 0
    sold: int = 0
    used: bool = False

    @property
    def left(self) -> int:
        """How much is not sold yet."""
        return max(0, self.amount - self.sold)

    @property
    def listing(self) -> Listing:
        """The listing as the exchange takes it."""
        return listing_of(self, self.goods, self.currency)

    @property
    def rate(self) -> int:
        """The price of 2**64 atomic units, rounded up: what offers are sorted by."""
        return divide_up(self.price * _RATE, self.amount)

    def price_up(self, part: int) -> int:
        """Return what `part` of the goods costs, rounded up for the maker, as the exchange does."""
        return price_up(self.price, self.amount, part)

    def state(self, now: int, deducted_bps: int | None, covered: int | None) -> OfferState:
        """Return the state at a time, under fee and royalty, and with so much that the maker holds and has approved.

        None for what the chain's node did not say.
        """
        if not self.left:
            return OfferState.SOLD
        if self.used:
            return OfferState.CANCELLED
        if now >= self.expiry:
            return OfferState.EXPIRED
        if deducted_bps is None or covered is None:
            return OfferState.UNKNOWN
        if deducted_bps > self.max_deduction_bps:
            return OfferState.FEE_RAISED
        return OfferState.OPEN if covered else OfferState.UNCOVERED


def listing_of(offer: OfferedTerms, goods: Goods, currency: Address) -> Listing:
    """Return an offer as the exchange takes it: a listing that is sold in parts."""
    item = Item(ItemKind(goods.kind), goods.token, goods.id, offer.amount, offer.price)
    return Listing(offer.maker, currency, offer.expiry, offer.max_deduction_bps, True, offer.nonce, item, ())


def last_expiry(until: int, void_at: int) -> int:
    """Return when an offer that shall end at `until` ends: not after its credits are void; `void_at` 0: never."""
    return min(until, void_at) if void_at else until
