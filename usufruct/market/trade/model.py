"""Offers of goods: signed listings, their states, and the exchange's rules of price, fee and royalty. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from usufruct.chain.contracts.exchange import Item, ItemKind, Listing
from usufruct.core import Address, AssetId, Hash32, divide_up
from usufruct_client.trade import WHOLE_BPS, Goods, GoodsKind, OfferedItem, OfferedTerms, fee_down, items_of, price_up

LEAST_SECONDS = 60
LONGEST_SECONDS = 90 * 86_400
MOST_OPEN = 20
"""Open offers of one maker for one asset's shares, for its credits, or for its title."""

_RATE = 1 << 64


class OfferState(StrEnum):
    """Whether an offer can be filled, and why not.

    UNCOVERED: the maker holds or has approved none of what is left; of what is sold as a whole, not all.
    FEE_RAISED: fee and royalty are above what the maker allowed. UNKNOWN: the chain's node does not answer.
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
    """Goods that are listed together: an asset's shares, the credits of all its plans, or its title in all bundles."""

    asset: AssetId
    kind: GoodsKind = GoodsKind.SHARES

    @classmethod
    def of(cls, goods: Goods) -> "GoodsGroup":
        """Return the group that goods are in."""
        return cls(AssetId(goods.asset), goods.kind)


@dataclass(frozen=True, slots=True)
class OfferFilter:
    """Which offers are asked for: of a kind of goods, of an asset's, of a maker's; None: of all."""

    kind: GoodsKind | None = None
    asset: AssetId | None = None
    maker: Address | None = None


@dataclass(frozen=True, slots=True)
class Deductions:
    """What the exchange and the holders of the asset's shares take of a price, hundredths of a per cent."""

    fee_bps: int
    royalty_bps: int = 0

    @property
    def bps(self) -> int:
        """Both together."""
        return self.fee_bps + self.royalty_bps

    def of(self, items: Sequence[OfferedItem]) -> tuple[int, int]:
        """Return fee and royalties in the price of all items; the royalty of each is rounded down, shares have none."""
        price = sum(each.price for each in items)
        royal = [each.price for each in items if each.goods.kind is not GoodsKind.SHARES]
        return fee_down(price, self.fee_bps), sum(fee_down(each, self.royalty_bps) for each in royal)

    def bps_up(self, items: Sequence[OfferedItem]) -> int:
        """Return the least that a maker has to allow, so that all items are sold; or any part of a single one."""
        if not any(each.goods.title for each in items):
            return self.bps
        return divide_up(sum(self.of(items)) * WHOLE_BPS, sum(each.price for each in items))


@dataclass(frozen=True, slots=True)
class GoodsOffer:
    """A maker's signed listing of `amount` atomic units of goods for `price` in all; parts are sold.

    A title is sold as a whole, together with `more`, whose prices are in `price`. `sold`: under this nonce so far.
    `used`: whether the nonce was cancelled, or used up by another sale.
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
    more: tuple[OfferedItem, ...] = ()
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
        return listing_of(self, self.goods, self.currency, self.more)

    @property
    def items(self) -> Sequence[OfferedItem]:
        """All that is sold, each with its price."""
        return items_of(self.goods, self.amount, self.price, self.more)

    @property
    def rate(self) -> int:
        """The price of 2**64 atomic units, rounded up: what offers are sorted by."""
        return divide_up(self.price * _RATE, self.amount)

    def price_up(self, part: int) -> int:
        """Return what `part` of the goods costs, rounded up for the maker, as the exchange does; 0: the whole offer."""
        return price_up(self.price, self.amount, part) if part else self.price

    def sells(self, part: int) -> bool:
        """Tell whether so much can be asked for: a part of what is sold in parts; 0 of what is not."""
        return part == 0 if self.goods.title else 0 < part <= self.amount

    def items_of_part(self, part: int) -> Sequence[OfferedItem]:
        """Return what a purchase of `part` brings, each with its price; 0: the whole offer."""
        return [OfferedItem(self.goods, part, self.price_up(part))] if part else self.items

    def left_of(self, goods: Goods) -> int:
        """Return how much of some goods this offer can still sell."""
        if not self.goods.title:
            return self.left if goods == self.goods else 0
        return sum(each.amount for each in self.items if each.goods == goods) if self.left else 0

    def covered(self, held: Mapping[Goods, int]) -> int:
        """Return how much can be sold by what the maker holds and has approved; of a title's offer, 1 if all of it."""
        if not self.goods.title:
            return held[self.goods]
        return int(all(held[each.goods] >= each.amount for each in self.items))

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


def listing_of(offer: OfferedTerms, goods: Goods, currency: Address, more: Sequence[OfferedItem] = ()) -> Listing:
    """Return an offer as the exchange takes it: a listing that is sold in parts, or as a whole with a title in it."""
    item, *others = (
        Item(ItemKind(each.goods.kind), each.goods.token, each.goods.id, each.amount, each.price)
        for each in items_of(goods, offer.amount, offer.price, more)
    )
    terms = offer.expiry, offer.max_deduction_bps, not goods.title, offer.nonce
    return Listing(offer.maker, currency, *terms, item, tuple(others))


def last_expiry(until: int, void_at: int) -> int:
    """Return when an offer that shall end at `until` ends: not after its credits are void; `void_at` 0: never."""
    return min(until, void_at) if void_at else until
