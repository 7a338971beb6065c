"""Share offers: signed listings of revenue shares, their states, and the exchange's rules of price and fee. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from usufruct.chain.contracts.exchange import Item, ItemKind, Listing
from usufruct.core import Address, AssetId, Hash32, divide_up
from usufruct_client.share_trade import OfferedTerms, price_up

LEAST_SECONDS = 60
LONGEST_SECONDS = 90 * 86_400
MOST_OPEN = 20
"""Open offers of one maker for one asset."""

_RATE = 1 << 64


class OfferState(StrEnum):
    """Whether an offer can be filled, and why not.

    UNCOVERED: the maker holds or has approved none of what is left. FEE_RAISED: the protocol fee is above what the
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
class ShareOffer:
    """A maker's signed listing of `amount` atomic shares for `price` in all; parts are sold.

    `sold`: under this nonce so far. `used`: whether the nonce was cancelled, or used up by another sale.
    """

    hash: Hash32
    asset: AssetId
    shares: Address
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
        return listing_of(self, self.shares, self.currency)

    @property
    def rate(self) -> int:
        """The price of 2**64 atomic shares, rounded up: what offers are sorted by."""
        return divide_up(self.price * _RATE, self.amount)

    def price_up(self, part: int) -> int:
        """Return what `part` of the shares costs, rounded up for the maker, as the exchange does."""
        return price_up(self.price, self.amount, part)

    def state(self, now: int, fee_bps: int | None, covered: int | None) -> OfferState:
        """Return the state at a time, under a fee, and with so much that the maker holds and has approved.

        None for what the chain's node did not say.
        """
        if not self.left:
            return OfferState.SOLD
        if self.used:
            return OfferState.CANCELLED
        if now >= self.expiry:
            return OfferState.EXPIRED
        if fee_bps is None or covered is None:
            return OfferState.UNKNOWN
        if fee_bps > self.max_deduction_bps:
            return OfferState.FEE_RAISED
        return OfferState.OPEN if covered else OfferState.UNCOVERED


def listing_of(offer: OfferedTerms, shares: Address, currency: Address) -> Listing:
    """Return an offer as the exchange takes it: a listing that is sold in parts."""
    item = Item(ItemKind.ERC20, shares, 0, offer.amount, offer.price)
    return Listing(offer.maker, currency, offer.expiry, offer.max_deduction_bps, True, offer.nonce, item, ())
