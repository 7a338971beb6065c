"""Selling goods: what a maker signs, the signed offer that is published, and its cancellation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from secrets import randbits

from usufruct.accounts.passkeys import PasskeySite, Relay
from usufruct.chain import Call, keccak
from usufruct.chain.contracts.exchange import ItemNotApproved
from usufruct.chain.contracts.shares import Shares
from usufruct.core import Address, AssetId, Clock, Conflict, Hash32, hash32_from_bytes
from usufruct.market.passkey_buyer import PasskeyBuyer
from usufruct.market.signing_requests import Request
from usufruct.market.trade.errors import (
    FeeAboveAllowed,
    InvalidOffer,
    NotRelayed,
    NotTheMaker,
    TooManyOffers,
)
from usufruct.market.trade.model import (
    LEAST_SECONDS,
    LONGEST_SECONDS,
    MOST_OPEN,
    GoodsGroup,
    GoodsOffer,
    last_expiry,
)
from usufruct.market.trade.offer_book import OfferBook
from usufruct.market.trade.store import find_offer, live_offers_of, put_offer
from usufruct.store import ConstraintViolated, Database
from usufruct_client.eip712_messages import EXCHANGE, PERMIT, SIGNED_LISTING, Domain
from usufruct_client.identifiers import checksum
from usufruct_client.trade import Goods, TradingVenue
from usufruct_client.trade_documents import OfferWish, SharesPermit, SignedOffer
from usufruct_client.typed_data import domain_separator

OFFERS = "/v1/offers"

_DAY = 86_400
_PERMIT_SECONDS = 3_600
_PERMIT_GAS = 150_000
_EMPTY = bytes(65)


@dataclass(frozen=True, slots=True)
class SaleTerms:
    """What a maker signs to sell: the permit if one is needed, and the offer; `approval` does what the permit does.

    Credits have no permit: their `approval` comes before the offer.
    """

    offer: Request
    permit: Request | None
    approval: Call | None
    fee: int
    royalty: int
    proceeds: int


class Offers:
    """The verbs of a maker. `relay` sends permits, where the installation has a relayer; `passkeys` sign otherwise."""

    def __init__(
        self,
        book: OfferBook,
        database: Database,
        clock: Clock,
        relay: Relay | None = None,
        passkeys: PasskeyBuyer | None = None,
    ) -> None:
        self._book = book
        self._database = database
        self._clock = clock
        self._relay = relay
        self._passkeys = passkeys

    async def terms(self, maker: Address, wish: OfferWish) -> SaleTerms:
        """Return what the maker signs to sell shares of a service, or credits of a plan; those end with the plan.

        Raises:
            NotTraded: when the service has none.
            CreditsVoid: when the plan has expired.
            InvalidOffer: when the maker holds fewer, or for a price or amount of 0.
            TooManyOffers: when the maker has to cancel one first.
        """
        _check_amounts(wish.amount, wish.price)
        goods, void_at = await self._goods(wish.asset, wish.plan)
        await self._book.poll()
        now = self._clock.now()
        async with self._database.snapshot() as unit:
            live = await live_offers_of(unit, GoodsGroup.of(goods), maker, now)
        _check_count(live, maker)
        await self._check_held(goods, maker, wish.amount)
        deductions = await self._book.goods.deductions(goods)
        expiry, nonce = last_expiry(now + wish.days * _DAY, void_at), randbits(256)
        terms = (wish.amount, wish.price, expiry, deductions.bps, nonce, _EMPTY)
        offer = SignedOffer(maker, wish.asset, *terms, plan=goods.plan)
        # All that is on offer, so that no offer uses up the approval of another.
        needed = sum(each.left for each in live if each.goods == goods) + wish.amount
        permit, approval = None, None
        if await self._book.goods.approved(goods, maker) < needed:
            # A permit takes no contract's signature, and credits have none: then the approval is a transaction.
            if goods.plan is None and not await self._is_passkey(maker):
                permit = await self._permit(
                    Shares(goods.token, self._book.client), maker, needed, now + _PERMIT_SECONDS
                )
            approval = self._book.goods.approval(goods, needed)
        fee, royalty = deductions.of(wish.price)
        return SaleTerms(self._request(offer, goods), permit, approval, fee, royalty, wish.price - fee - royalty)

    async def publish(self, signed: SignedOffer, site: PasskeySite | None = None) -> GoodsOffer:
        """Store a signed offer that can be filled; the same again is found. Sends its permit first, if it needs it.

        Raises:
            InvalidOffer: for terms that no offer can have.
            FeeAboveAllowed, TooManyOffers: when it could not be sold, or the maker has to cancel one first.
            CreditsVoid: when the plan has expired.
            Revert: the exchange's reason why it cannot be sold: another chain's signature, a used nonce, goods that
                the maker does not hold or has not approved.
            NotRelayed, RelayLimited: when the permit is not sent here; the maker sends an approval instead.
        """
        goods, void_at = await self._goods(signed.asset, signed.plan)
        offer = await self._read(goods, void_at, signed, site)
        await self._book.poll()
        now = self._clock.now()
        async with self._database.snapshot() as unit:
            known = await find_offer(unit, offer.hash)
            live = await live_offers_of(unit, GoodsGroup.of(goods), offer.maker, now)
        if known is not None:
            return known
        _check_count(live, offer.maker)
        await self._check(offer, [each for each in live if each.goods == goods], signed.permit)
        try:
            async with self._database.transaction() as unit:
                await put_offer(unit, replace(offer, created_at=now))
        except ConstraintViolated:  # the same offer, handed in twice at the same time
            pass
        return await self._book.offer(offer.hash)

    async def cancellation(self, maker: Address, hash_: Hash32) -> Call:
        """Return the call by which the maker ends an offer for good: it uses up the offer's nonce.

        Raises:
            OfferNotFound, NotTheMaker: when there is no such offer of the maker's.
        """
        offer = await self._book.offer(hash_)
        if offer.maker != maker:
            raise NotTheMaker(f"{maker} is signed in, and the offer is {offer.maker}'s", field="offer")
        return self._book.exchange.cancel(offer.nonce // 256, 1 << offer.nonce % 256)

    async def _is_passkey(self, maker: Address) -> bool:
        return self._passkeys is not None and await self._passkeys.holds(maker)

    async def _goods(self, asset: int, plan: int | None) -> tuple[Goods, int]:
        """Return goods of a service that is sold here, and from when on they are void; raises when they are."""
        service = await self._book.by_id(AssetId(asset))
        goods = await self._book.goods.find(service.id, plan)
        void_at = await self._book.goods.void_at(goods)
        await self._book.goods.check_not_void(goods, void_at)
        return goods, void_at

    async def _check_held(self, goods: Goods, maker: Address, amount: int) -> None:
        held = await self._book.goods.held(goods, maker)
        if held >= amount:
            return
        message = f"{maker} holds {held} atomic units and would offer {amount}; offer at most what is held"
        if goods.plan is None:
            raise InvalidOffer(message, code="not_enough_shares", field="amount")
        raise InvalidOffer(f"{message} and not activated", code="not_enough_credits", field="amount")

    async def _read(self, goods: Goods, void_at: int, signed: SignedOffer, site: PasskeySite | None) -> GoodsOffer:
        """Return an offer as it was signed, after all checks that need no node."""
        _check_amounts(signed.amount, signed.price)
        now = self._clock.now()
        last = last_expiry(now + LONGEST_SECONDS, void_at)
        if not now + LEAST_SECONDS <= signed.expiry <= last:
            message = f"expiry is {signed.expiry}; it must be from {now + LEAST_SECONDS} to {last}"
            raise InvalidOffer(f"{message}: credits are sold until they are void, 90 days at most", field="expiry")
        venue = self._venue(goods)
        signature = signed.signature
        if signed.assertion is not None:
            if self._passkeys is None or site is None:
                raise InvalidOffer("there are no passkey accounts here; sign with a wallet", field="assertion")
            separator = domain_separator(EXCHANGE, venue.chain_id, venue.exchange)
            typed = SIGNED_LISTING, separator, venue.struct_hash(signed)
            signature = await self._passkeys.signature(signed.maker, typed, signed.assertion, site)
        return GoodsOffer(
            venue.offer_hash(signed),
            goods,
            signed.maker,
            venue.currency,
            signed.amount,
            signed.price,
            signed.expiry,
            signed.max_deduction_bps,
            signed.nonce,
            signature,
        )

    async def _check(self, offer: GoodsOffer, live: Sequence[GoodsOffer], permit: SharesPermit | None) -> None:
        """Have the chain check the offer; its permit is sent if only the approval of it and of `live` ones is missing.

        The exchange looks at the approval last: one permit is paid for an offer that can be sold then.
        """
        deducted = (await self._book.goods.deductions(offer.goods)).bps
        if deducted > offer.max_deduction_bps:
            message = f"fee and royalty are {deducted} hundredths of a per cent, and the offer allows "
            raise FeeAboveAllowed(f"{message}{offer.max_deduction_bps}; sign a new one", field="maxDeductionBps")
        call = self._book.exchange.check(offer.listing, offer.signature)
        try:
            await self._book.client.call(call)
        except ItemNotApproved:
            if permit is None:
                raise
        else:
            approved = await self._book.goods.approved(offer.goods, offer.maker)
            if permit is None or approved >= offer.amount + sum(each.left for each in live):
                return
        await self._send_permit(offer, permit)
        await self._book.client.call(call)

    async def _send_permit(self, offer: GoodsOffer, permit: SharesPermit) -> None:
        if offer.goods.plan is not None:
            raise InvalidOffer("credits take no permit; approve the exchange by a transaction", field="permit")
        if self._relay is None:
            raise NotRelayed("permits are not sent here; approve the shares by a transaction of yours", field="permit")
        r, s, v = permit.signature[:32], permit.signature[32:64], permit.signature[64]
        exchange = self._book.exchange.address
        call = Shares(offer.goods.token).permit(offer.maker, exchange, permit.value, permit.deadline, v, r, s)
        ended = await self._relay.send_call(hash32_from_bytes(keccak(call.data)), offer.maker, call, _PERMIT_GAS)
        if ended.reason:
            raise Conflict(f"the permit was refused: {ended.reason}", code="permit_refused", field="permit")

    def _request(self, offer: SignedOffer, goods: Goods) -> Request:
        venue = self._venue(goods)
        message, body = venue.listing(offer), offer.as_json()
        return Request(SIGNED_LISTING, venue.exchange, venue.chain_id, message, OFFERS, body, ["signature"])

    def _venue(self, goods: Goods) -> TradingVenue:
        terms = self._book.terms
        return TradingVenue(terms.chain_id, self._book.exchange.address, goods, terms.token.address)

    async def _permit(self, shares: Shares, maker: Address, value: int, deadline: int) -> Request:
        domain = await shares.eip712_domain()
        kind = replace(PERMIT, domain=Domain(domain.name, domain.version))
        message = {
            "owner": checksum(maker),
            "spender": checksum(self._book.exchange.address),
            "value": value,
            "nonce": await shares.nonces(maker),
            "deadline": deadline,
        }
        body = SharesPermit(value, deadline, _EMPTY).as_json()
        return Request(kind, shares.address, self._book.terms.chain_id, message, "", body, ["signature"])


def _check_amounts(amount: int, price: int) -> None:
    for name, value in (("amount", amount), ("price", price)):
        if value <= 0:
            raise InvalidOffer(f"{name} is {value}; it must be above 0", field=name)


def _check_count(live: Sequence[GoodsOffer], maker: Address) -> None:
    if len(live) >= MOST_OPEN:
        message = f"{maker} has {len(live)} open offers of such goods; cancel one first, or let one expire"
        raise TooManyOffers(message, maker=maker)
