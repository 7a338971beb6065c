"""Trade in revenue shares, pass credits and titles: what maker and buyer sign, the exchange's rules of price. Pure.

Goods and money are in atomic units.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_UP, Context, Decimal
from enum import IntEnum
from typing import Any, Protocol

from usufruct_client.eip712_messages import DEPOSIT, PERMIT, SIGNED_LISTING, Domain, MessageType
from usufruct_client.identifiers import Address, Hash32, checksum, id_to_bytes, keccak
from usufruct_client.signing import Signer
from usufruct_client.trade_documents import SharesPermit, SignedPurchase
from usufruct_client.typed_data import MessageHasher, message_values, word

WHOLE_BPS = 10_000

_PLACES, _DIGITS = 6, 4
"""Of a price for people: so many decimals, or as many as so many digits take."""

_EXACT = Context(prec=200, rounding=ROUND_UP)
_HASHER = MessageHasher(SIGNED_LISTING)


class OfferedTerms(Protocol):
    """The signed terms of an offer; `SignedOffer` and `OfferFacts` have them."""

    @property
    def maker(self) -> Address:
        """The account that sells."""

    @property
    def amount(self) -> int:
        """Atomic units on offer; 1 of a title."""

    @property
    def price(self) -> int:
        """The price of all of them, and of what is sold with them."""

    @property
    def expiry(self) -> int:
        """Unix seconds; nothing is sold from then on."""

    @property
    def max_deduction_bps(self) -> int:
        """The most that fee and royalties may take."""

    @property
    def nonce(self) -> int:
        """The number that a cancellation uses up."""


class GoodsKind(IntEnum):
    """What goods are, with the value of the exchange's `ItemKind`: an ERC-20, an ERC-721, an ERC-1155."""

    SHARES = 0
    TITLE = 1
    CREDITS = 2


@dataclass(frozen=True, slots=True)
class Goods:
    """What an offer sells: an asset's revenue shares, of a `plan` credits that circulate, or the asset's `title`.

    `token` is their contract: the asset's Shares, the AccessPass, or the AssetRegistry.
    """

    asset: int
    token: Address
    plan: int | None = None
    title: bool = False

    @property
    def kind(self) -> GoodsKind:
        """What they are."""
        if self.title:
            return GoodsKind.TITLE
        return GoodsKind.SHARES if self.plan is None else GoodsKind.CREDITS

    @property
    def id(self) -> int:
        """The id in an exchange's item: the plan's, the title's, 0 for shares."""
        return self.asset if self.title else self.plan or 0


@dataclass(frozen=True, slots=True)
class OfferedItem:
    """Goods in an offer: how much of them, and which part of the offer's price is theirs."""

    goods: Goods
    amount: int
    price: int


def items_of(goods: Goods, amount: int, price: int, more: Sequence[OfferedItem]) -> list[OfferedItem]:
    """Return all that an offer of goods sells for `price`, with `more`, in the order that the exchange asks for."""
    first = OfferedItem(goods, amount, price - sum(each.price for each in more))
    return sorted((first, *more), key=lambda each: (int(each.goods.token, 16), each.goods.id))


@dataclass(frozen=True, slots=True)
class TradingVenue:
    """Where goods trade: the chain, its exchange, the goods, and the token that they are paid in.

    `more`: what is sold together with a title. Such an offer, and one of a title alone, is not sold in parts.
    """

    chain_id: int
    exchange: Address
    goods: Goods
    currency: Address
    more: Sequence[OfferedItem] = ()

    def listing(self, offer: OfferedTerms) -> dict[str, Any]:
        """Return the listing that the maker of an offer signs."""
        item, *more = (
            {
                "kind": int(each.goods.kind),
                "token": checksum(each.goods.token),
                "id": each.goods.id,
                "amount": each.amount,
                "price": each.price,
            }
            for each in items_of(self.goods, offer.amount, offer.price, self.more)
        )
        return {
            "maker": checksum(offer.maker),
            "currency": checksum(self.currency),
            "expiry": offer.expiry,
            "maxDeductionBps": offer.max_deduction_bps,
            "divisible": not self.goods.title,
            "nonce": offer.nonce,
            "item": item,
            "more": more,
        }

    def offer_hash(self, offer: OfferedTerms) -> Hash32:
        """Return the id of an offer: the EIP-712 hash of its listing, as `Exchange.hashOf` does."""
        values = message_values(SIGNED_LISTING, self.listing(offer))
        return Hash32("0x" + _HASHER.digest(self.chain_id, self.exchange, *values).hex())

    def struct_hash(self, offer: OfferedTerms) -> bytes:
        """Return the EIP-712 struct hash of an offer's listing, without a domain."""
        return _HASHER.struct_hash(*message_values(SIGNED_LISTING, self.listing(offer)))

    def sign_offer(self, maker: Signer, offer: OfferedTerms) -> bytes:
        """Sign an offer; 65 bytes."""
        return _sign(maker, SIGNED_LISTING, self.chain_id, self.exchange, self.listing(offer))

    def sign_permit(self, maker: Signer, domain: Domain, value: int, nonce: int, deadline: int) -> SharesPermit:
        """Let the exchange take up to `value` of the maker's shares; `domain` and `nonce` are those of the shares."""
        message = {
            "owner": checksum(maker.address),
            "spender": checksum(self.exchange),
            "value": value,
            "nonce": nonce,
            "deadline": deadline,
        }
        kind = replace(PERMIT, domain=domain)
        return SharesPermit(value, deadline, _sign(maker, kind, self.chain_id, self.goods.token, message))

    def sign_purchase(
        self, buyer: Signer, domain: Domain, offer: Hash32, terms: OfferedTerms, amount: int, bought: int, until: int
    ) -> SignedPurchase:
        """Sign a payment of exactly the price of `amount`, 0 for a title's offer; it can be made until `until`.

        `domain` is the currency's, `bought` what the buyer has bought of the offer before.
        """
        me = Address(buyer.address.lower())
        salt = purchase_salt(offer, me, amount, bought)
        price = terms.price if self.goods.title else price_up(terms.price, terms.amount, amount)
        message = purchase_message(me, self.exchange, price, until, authorization_nonce(offer, amount, me, salt))
        signature = _sign(buyer, replace(DEPOSIT, domain=domain), self.chain_id, self.currency, message)
        return SignedPurchase(offer, me, amount, price, until, salt, signature)


def price_up(price: int, amount: int, part: int) -> int:
    """Return what `part` of `amount` costs at `price` for all, rounded up: no way of slicing is cheaper."""
    return -(-part * price // amount)


def price_of_one(price: int, amount: int, unit_decimals: int, decimals: int) -> Decimal:
    """Return the price of one whole unit of goods in whole coins, for people: rounded up, 6 decimals or 4 digits."""
    exact = _EXACT.divide(_EXACT.scaleb(Decimal(price), unit_decimals - decimals), Decimal(amount))
    last = min(-_PLACES, exact.adjusted() + 1 - _DIGITS)
    return exact.quantize(Decimal(1).scaleb(last), context=_EXACT).normalize(_EXACT)


def fee_down(price: int, bps: int) -> int:
    """Return the protocol fee or a royalty in a price, rounded down, as the exchange takes it."""
    return price * bps // WHOLE_BPS


def authorization_nonce(offer: Hash32, amount: int, to: Address, salt: Hash32) -> bytes:
    """Return the ERC-3009 nonce that binds a payment to an offer, an amount and a recipient: 32 bytes."""
    return keccak(id_to_bytes(offer) + word(amount) + bytes(12) + id_to_bytes(to) + id_to_bytes(salt))


def purchase_salt(offer: Hash32, buyer: Address, amount: int, bought: int) -> Hash32:
    """Return the salt of a buyer's purchase after `bought` of the offer.

    It is the same in every tab: the payment token takes an authorization once, so the purchase is made once.
    """
    return Hash32("0x" + keccak(id_to_bytes(offer) + id_to_bytes(buyer) + word(amount) + word(bought)).hex())


def purchase_message(buyer: Address, exchange: Address, price: int, until: int, nonce: bytes) -> dict[str, Any]:
    """Return what a buyer signs: ERC-3009's authorization of exactly the price, to the exchange."""
    return {
        "from": checksum(buyer),
        "to": checksum(exchange),
        "value": price,
        "validAfter": 0,
        "validBefore": until,
        "nonce": "0x" + nonce.hex(),
    }


def _sign(signer: Signer, kind: MessageType, chain_id: int, contract: str, message: Mapping[str, Any]) -> bytes:
    assert kind.domain is not None
    return bytes(signer.sign_typed_data(kind.domain.data(chain_id, contract), kind.types, dict(message)).signature)
