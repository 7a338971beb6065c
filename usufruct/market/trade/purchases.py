"""Buying goods: the buyer signs one payment of exactly the price, bound to the offer; anyone may send it, once.

The payment is an ERC-3009 authorization. Its nonce is made of offer, amount, buyer and a salt; the salt is made of what
the buyer bought of the offer before. So two tabs, a second tap and a request that is repeated after the network was
lost ask for the same payment, which the token makes once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from usufruct.accounts.passkeys import PasskeySite, Relay, RelayState
from usufruct.chain import Call, Revert, keccak
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.exchange import Authorization, NotEnoughLeft, SelfTrade
from usufruct.chain.p256 import GAS_WITHOUT_P256, has_p256
from usufruct.core import Address, Clock, Hash32, hash32_from_bytes
from usufruct.market.passkey_buyer import PasskeyBuyer
from usufruct.market.signing_requests import Request
from usufruct.market.trade.errors import (
    FeeAboveAllowed,
    InvalidPurchase,
    NotRelayed,
    PriceAboveAllowed,
    PurchaseFailed,
    PurchaseOutdated,
    PurchaseUnfunded,
)
from usufruct.market.trade.model import GoodsOffer, OfferState
from usufruct.market.trade.offer_book import OfferBook
from usufruct_client.eip712_messages import DEPOSIT, Domain, MessageType
from usufruct_client.trade import OfferedItem, authorization_nonce, purchase_message, purchase_salt
from usufruct_client.trade_documents import PurchaseWish, SignedPurchase
from usufruct_client.typed_data import MessageHasher, domain_separator, message_values

PURCHASES = "/v1/purchases"

_SIGNED_SECONDS = 1_800
"""How long a signed purchase can be made: long enough to resume it after a break."""

_GAS = 600_000
"""The most that a purchase may take: signatures of two passkey accounts included, with the chain's precompile."""

_GAS_OF_SHARES, _GAS_OF_CREDITS = 140_000, 70_000
"""The most that each item takes that is sold with a title, where a passkey account gets goods that it never held."""

_PASSKEYS = 2

_EMPTY = bytes(65)


@dataclass(frozen=True, slots=True)
class PurchaseTerms:
    """What a buyer signs, and what it costs: `fee` of it goes to the exchange, `royalty` to the shareholders."""

    request: Request
    price: int
    fee: int
    royalty: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase that was made."""

    signed: SignedPurchase
    transaction: Hash32 | None


class Purchases:
    """The verbs of a buyer. `relay` sends what they sign, where the installation has a relayer."""

    def __init__(
        self, book: OfferBook, clock: Clock, relay: Relay | None = None, passkeys: PasskeyBuyer | None = None
    ) -> None:
        self._book = book
        self._clock = clock
        self._relay = relay
        self._passkeys = passkeys

    async def terms(self, buyer: Address, wish: PurchaseWish) -> PurchaseTerms:
        """Return what the buyer signs to buy of an offer, a part or the whole; all that can be checked before is.

        Raises:
            OfferNotFound: when there is no such offer.
            PurchaseOutdated: when the buyer has bought of it since they saw it.
            PriceAboveAllowed: when it costs more than the buyer allows.
            PurchaseUnfunded: when the buyer's wallet holds less than the price.
            Revert: the exchange's reason why the offer cannot be filled.
        """
        offer = await self._book.offer(wish.offer)
        _check_amount(offer, wish.amount)
        if buyer == offer.maker:
            raise SelfTrade(buyer)
        bought = sum(each.amount or offer.amount for each in await self._book.purchases(offer.hash, buyer))
        if bought != wish.bought:
            message = f"{buyer} has bought {bought} atomic units of this offer, not {wish.bought}: look at it again"
            raise PurchaseOutdated(message, field="bought", bought=bought)
        await self._check(offer, wish.amount)
        price = offer.price_up(wish.amount)
        if price > wish.max_price:
            message = f"the price is {price} atomic units, and you allow {wish.max_price}; allow more or buy less"
            raise PriceAboveAllowed(message, field="maxPrice", price=price)
        token = self._book.terms.token
        held = await Erc20(token.address, self._book.client).balance_of(buyer)
        if held < price:
            message = f"{buyer} holds {held} atomic units of {token.symbol}, and the price is {price}; buy less"
            raise PurchaseUnfunded(message, field="amount", held=held, price=price)
        salt = purchase_salt(offer.hash, buyer, wish.amount, bought)
        until = self._clock.now() + _SIGNED_SECONDS
        signed = SignedPurchase(offer.hash, buyer, wish.amount, price, until, salt, _EMPTY)
        deductions = await self._book.goods.deductions(offer.goods)
        return PurchaseTerms(self._request(signed), price, *deductions.of(offer.items_of_part(wish.amount)))

    async def submit(self, signed: SignedPurchase, site: PasskeySite | None = None) -> Purchase:
        """Make a purchase that its buyer signed, and wait for its end; the same again is only looked up.

        Raises:
            OfferNotFound: when there is no such offer.
            Revert: the reason of exchange or token why it cannot be made; nothing was sent.
            PurchaseFailed: when the chain refused it after it was sent; nothing was paid.
            NotRelayed, RelayLimited: when it is not sent here; the buyer's wallet sends it.
            Unavailable: when it is on its way; hand in the same again.
        """
        call = await self.call(signed, site)
        if self._relay is None:
            raise NotRelayed("purchases are not sent here; send it from your wallet", field="offer")
        if self._passkeys and signed.assertion is not None:
            await self._passkeys.ensure_exists(signed.buyer)
        offer = await self._book.offer(signed.offer)
        gas = most_gas(offer.more, p256=await has_p256(self._book.client))
        try:
            ended = await self._relay.send_call(await self._key(self._relay, signed, call), signed.buyer, call, gas)
        except Revert:
            if made := await self._made(signed):
                return made
            raise
        if ended.reason:
            raise PurchaseFailed(f"the chain refused the purchase: {ended.reason}; nothing was paid", field="offer")
        await self._book.poll()
        return Purchase(signed, ended.transaction)

    async def call(self, signed: SignedPurchase, site: PasskeySite | None = None) -> Call:
        """Return the call that makes a signed purchase; anyone may send it."""
        offer = await self._book.offer(signed.offer)
        price = offer.price_up(signed.amount) if offer.sells(signed.amount) else 0
        if price != signed.price or not price:
            message = (
                f"{signed.amount or 'all'} atomic units of this offer cost {price}, not {signed.price}; sign it again"
            )
            raise InvalidPurchase(message, field="price")
        authorization = Authorization(
            signed.buyer,
            0,
            signed.valid_before,
            bytes.fromhex(signed.salt[2:]),
            await self._signature(signed, site),
        )
        return self._book.exchange.buy_with_authorization(
            offer.listing, offer.signature, signed.amount, signed.buyer, authorization
        )

    async def _signature(self, signed: SignedPurchase, site: PasskeySite | None) -> bytes:
        if signed.assertion is None:
            return signed.signature
        if self._passkeys is None or site is None:
            raise InvalidPurchase("there are no passkey accounts here; sign with a wallet", field="assertion")
        request = self._request(signed)
        assert request.kind.domain is not None
        separator = domain_separator(request.kind.domain, request.chain_id, request.contract)
        contents = MessageHasher(DEPOSIT).struct_hash(*message_values(DEPOSIT, request.message))
        return await self._passkeys.signature(signed.buyer, (DEPOSIT, separator, contents), signed.assertion, site)

    async def _key(self, relay: Relay, signed: SignedPurchase, call: Call) -> Hash32:
        """Return what the relayer knows a purchase by: the payment's nonce; after a failure, this very call."""
        nonce = hash32_from_bytes(_nonce(signed))
        known = await relay.store.find(nonce)
        failed = known is not None and known.state is RelayState.FAILED
        return hash32_from_bytes(keccak(call.data)) if failed else nonce

    async def _made(self, signed: SignedPurchase) -> Purchase | None:
        """Return this purchase if it was made already, by another request or from the buyer's wallet."""
        await self._book.poll()
        before = 0
        for trade in await self._book.purchases(signed.offer, signed.buyer):
            if signed.salt == purchase_salt(signed.offer, signed.buyer, trade.amount, before):
                return Purchase(signed, trade.transaction)
            before += trade.amount
        return None

    async def _check(self, offer: GoodsOffer, amount: int) -> None:
        """Have the chain check the offer: it says why it cannot be filled."""
        (standing,) = await self._book.standing([offer])
        if standing.state is OfferState.FEE_RAISED:
            message = (
                f"fee and royalty were raised above the {offer.max_deduction_bps} hundredths of a per cent of the offer"
            )
            raise FeeAboveAllowed(f"{message}; take another", field="offer")
        if not standing.available:
            await self._book.client.call(self._book.exchange.check(offer.listing, offer.signature))
        if (amount or offer.amount) > (standing.available or 0):
            raise NotEnoughLeft(amount, standing.available or 0)

    def _request(self, signed: SignedPurchase) -> Request:
        terms = self._book.terms
        exchange = self._book.exchange.address
        message = purchase_message(signed.buyer, exchange, signed.price, signed.valid_before, _nonce(signed))
        return Request(
            self._kind, terms.token.address, terms.chain_id, message, PURCHASES, signed.as_json(), ["signature"]
        )

    @property
    def _kind(self) -> MessageType:
        token = self._book.terms.token
        return replace(DEPOSIT, domain=Domain(token.name, token.version))


def most_gas(more: Sequence[OfferedItem], *, p256: bool) -> int:
    """Return the most that a purchase may take, with what is sold with a title; `p256`: as `has_p256`."""
    items = sum(_GAS_OF_SHARES if each.goods.plan is None else _GAS_OF_CREDITS for each in more)
    return _GAS + items + (0 if p256 else _PASSKEYS * GAS_WITHOUT_P256)


def _check_amount(offer: GoodsOffer, amount: int) -> None:
    if offer.goods.title and amount:
        message = f"amount is {amount}; a title is sold as a whole, with all that the offer names: ask for 0"
        raise InvalidPurchase(message, field="amount")
    if not offer.goods.title and amount <= 0:
        raise InvalidPurchase(f"amount is {amount}; it must be above 0", field="amount")


def _nonce(signed: SignedPurchase) -> bytes:
    return authorization_nonce(signed.offer, signed.amount, signed.buyer, signed.salt)
