"""Share offers: signed listings of revenue shares, their states, and the exchange's rules of price and fee. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from usufruct.chain import keccak, word
from usufruct.chain.contracts.exchange import Item, ItemKind, Listing
from usufruct.core import Address, AssetId, Hash32, divide_up, hash32_from_bytes, id_to_bytes
from usufruct_client.eip712_messages import SIGNED_LISTING
from usufruct_client.typed_data import MessageHasher

WHOLE_BPS = 10_000
LEAST_SECONDS = 60
LONGEST_SECONDS = 90 * 86_400
MOST_OPEN = 20
"""Open offers of one maker for one asset."""

_RATE = 1 << 64
_HASHER = MessageHasher(SIGNED_LISTING)


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
        return listing_of(
            self.maker,
            self.currency,
            self.expiry,
            self.max_deduction_bps,
            self.nonce,
            self.shares,
            self.amount,
            self.price,
        )

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


def listing_of(
    maker: Address,
    currency: Address,
    expiry: int,
    max_deduction_bps: int,
    nonce: int,
    shares: Address,
    amount: int,
    price: int,
) -> Listing:
    """Return a listing of shares that are sold in parts."""
    item = Item(ItemKind.ERC20, shares, 0, amount, price)
    return Listing(maker, currency, expiry, max_deduction_bps, True, nonce, item, ())


def listing_hash(listing: Listing, chain_id: int, exchange: Address) -> Hash32:
    """Return the EIP-712 hash that the maker signs, as `Exchange.hashOf` does."""
    return hash32_from_bytes(_HASHER.digest(chain_id, exchange, *_values(listing)))


def listing_struct_hash(listing: Listing) -> bytes:
    """Return the EIP-712 struct hash of a listing, without a domain."""
    return _HASHER.struct_hash(*_values(listing))


def _values(listing: Listing) -> tuple[Any, ...]:
    item = listing.item
    return (
        listing.maker,
        listing.currency,
        listing.expiry,
        listing.max_deduction_bps,
        listing.divisible,
        listing.nonce,
        (int(item.kind), item.token, item.id, item.amount, item.price),
        (),
    )


def price_up(price: int, amount: int, part: int) -> int:
    """Return what `part` of `amount` costs at `price` for all, rounded up: no way of slicing is cheaper."""
    return divide_up(part * price, amount)


def fee_down(price: int, bps: int) -> int:
    """Return the protocol fee in a price, rounded down, as the exchange keeps it."""
    return price * bps // WHOLE_BPS


def authorization_nonce(offer: Hash32, amount: int, to: Address, salt: Hash32) -> bytes:
    """Return the ERC-3009 nonce that binds a payment to an offer, an amount and a recipient: 32 bytes."""
    return keccak(id_to_bytes(offer) + word(amount) + bytes(12) + id_to_bytes(to) + id_to_bytes(salt))


def purchase_salt(offer: Hash32, buyer: Address, amount: int, bought: int) -> Hash32:
    """Return the salt of a buyer's purchase after `bought` of the offer.

    It is the same in every tab: the payment token takes an authorization once, so the purchase is made once.
    """
    return hash32_from_bytes(keccak(id_to_bytes(offer) + id_to_bytes(buyer) + word(amount) + word(bought)))
