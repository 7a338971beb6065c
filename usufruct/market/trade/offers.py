"""Selling goods: what a maker signs, the signed offer that is published, and its cancellation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from secrets import randbits

from usufruct.accounts.passkeys import PasskeySite, Relay
from usufruct.chain import Call, keccak
from usufruct.chain.contracts.exchange import ItemNotApproved
from usufruct.chain.contracts.shares import Shares
from usufruct.core import Address, AssetId, Clock, Conflict, Hash32, format_asset, hash32_from_bytes
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
    GoodsOffer,
    last_expiry,
)
from usufruct.market.trade.offer_book import OfferBook
from usufruct.market.trade.store import find_offer, live_offers_of, put_offer
from usufruct.store import ConstraintViolated, Database
from usufruct_client.eip712_messages import EXCHANGE, PERMIT, SIGNED_LISTING, Domain
from usufruct_client.identifiers import checksum
from usufruct_client.trade import Goods, GoodsKind, OfferedItem, TradingVenue, items_of
from usufruct_client.trade_documents import OfferWish, SharesPermit, SignedOffer
from usufruct_client.typed_data import domain_separator

OFFERS = "/v1/offers"

_DAY = 86_400
_PERMIT_SECONDS = 3_600
_PERMIT_GAS = 150_000
_EMPTY = bytes(65)


@dataclass(frozen=True, slots=True)
class SaleTerms:
    """What a maker signs to sell: the permit if one is needed, and the offer; `approvals` do what the permit does.

    Credits and titles have no permit: their `approvals` come before the offer.
    """

    offer: Request
    permit: Request | None
    approvals: Sequence[Call]
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
        """Return what the maker signs to sell shares, credits or the title of a service; credits end with their plan.

        Raises:
            NotTraded: when the service has none.
            CreditsVoid: when the plan has expired.
            InvalidOffer: when the maker holds fewer, or for terms that no offer can have.
            TooManyOffers: when the maker has to cancel one first.
        """
        _check_terms(wish)
        goods, more, void_at = await self._goods(wish)
        await self._book.poll()
        now = self._clock.now()
        live = await self._live(goods, maker, now)
        _check_count(live, goods, maker)
        items = items_of(goods, wish.amount, wish.price, more)
        for each in items:
            await self._check_held(each.goods, maker, each.amount)
        deductions = await self._book.goods.deductions(goods)
        expiry, nonce = last_expiry(now + wish.days * _DAY, void_at), randbits(256)
        terms = (wish.amount, wish.price, expiry, deductions.bps_up(items), nonce, _EMPTY)
        offer = SignedOffer(maker, wish.asset, *terms, wish.plan, wish.title, wish.more)
        lacking = await self._lacking(items, maker, live)
        # A permit takes no contract's signature, and only shares have one: else the approval is a transaction.
        permit = None
        if lacking and goods.kind is GoodsKind.SHARES and not await self._is_passkey(maker):
            shares = Shares(goods.token, self._book.client)
            permit = await self._permit(shares, maker, lacking[goods], now + _PERMIT_SECONDS)
        approvals = [self._book.goods.approval(each, needed) for each, needed in lacking.items()]
        fee, royalty = deductions.of(items)
        request = self._request(offer, self._venue(goods, more))
        return SaleTerms(request, permit, approvals, fee, royalty, wish.price - fee - royalty)

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
        _check_terms(signed)
        goods, more, void_at = await self._goods(signed)
        offer = await self._read(signed, self._venue(goods, more), void_at, site)
        await self._book.poll()
        now = self._clock.now()
        async with self._database.snapshot() as unit:
            known = await find_offer(unit, offer.hash)
        if known is not None:
            return known
        live = await self._live(goods, offer.maker, now)
        _check_count(live, goods, offer.maker)
        await self._check(offer, live, signed.permit)
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

    async def _goods(self, wish: OfferWish | SignedOffer) -> tuple[Goods, tuple[OfferedItem, ...], int]:
        """Return goods of a service that is sold here, what is sold with them, and from when on any are void.

        Raises:
            CreditsVoid: when some are.
        """
        chain, service = self._book.goods, await self._book.by_id(AssetId(wish.asset))
        goods = await chain.find(service.id, wish.plan, title=wish.title)
        more = await chain.bundled(service.id, wish.more)
        ends = []
        for each in (goods, *(item.goods for item in more)):
            ends.append(await chain.void_at(each))
            await chain.check_not_void(each, ends[-1])
        return goods, more, min(filter(None, ends), default=0)

    async def _live(self, goods: Goods, maker: Address, now: int) -> list[GoodsOffer]:
        """Return a maker's offers of all goods of an asset that are neither over nor expired."""
        async with self._database.snapshot() as unit:
            return await live_offers_of(unit, AssetId(goods.asset), maker, now)

    async def _lacking(
        self, items: Sequence[OfferedItem], maker: Address, live: Sequence[GoodsOffer]
    ) -> dict[Goods, int]:
        """Return the goods of which the maker has approved too little, and how much they have to approve.

        It is all that is on offer, so that no offer uses up the approval of another.
        """
        lacking = {}
        for each in items:
            needed = 1 if each.goods.title else each.amount + sum(known.left_of(each.goods) for known in live)
            if await self._book.goods.approved(each.goods, maker) < needed:
                lacking[each.goods] = needed
        return lacking

    async def _check_held(self, goods: Goods, maker: Address, amount: int) -> None:
        held = await self._book.goods.held(goods, maker)
        if held >= amount:
            return
        if goods.title:
            message = f"{maker} does not own the title of {format_asset(AssetId(goods.asset))}; sign in with its owner"
            raise InvalidOffer(message, code="not_title_owner", field="title")
        message = f"{maker} holds {held} atomic units and would offer {amount}; offer at most what is held"
        if goods.plan is None:
            raise InvalidOffer(message, code="not_enough_shares", field="amount")
        raise InvalidOffer(f"{message} and not activated", code="not_enough_credits", field="amount")

    async def _read(
        self, signed: SignedOffer, venue: TradingVenue, void_at: int, site: PasskeySite | None
    ) -> GoodsOffer:
        """Return an offer as it was signed, after all checks that need no node."""
        now = self._clock.now()
        last = last_expiry(now + LONGEST_SECONDS, void_at)
        if not now + LEAST_SECONDS <= signed.expiry <= last:
            message = f"expiry is {signed.expiry}; it must be from {now + LEAST_SECONDS} to {last}"
            raise InvalidOffer(f"{message}: credits are sold until they are void, 90 days at most", field="expiry")
        signature = signed.signature
        if signed.assertion is not None:
            if self._passkeys is None or site is None:
                raise InvalidOffer("there are no passkey accounts here; sign with a wallet", field="assertion")
            separator = domain_separator(EXCHANGE, venue.chain_id, venue.exchange)
            typed = SIGNED_LISTING, separator, venue.struct_hash(signed)
            signature = await self._passkeys.signature(signed.maker, typed, signed.assertion, site)
        return GoodsOffer(
            venue.offer_hash(signed),
            venue.goods,
            signed.maker,
            venue.currency,
            signed.amount,
            signed.price,
            signed.expiry,
            signed.max_deduction_bps,
            signed.nonce,
            signature,
            tuple(venue.more),
        )

    async def _check(self, offer: GoodsOffer, live: Sequence[GoodsOffer], permit: SharesPermit | None) -> None:
        """Have the chain check the offer; its permit is sent if only the approval of it and of `live` ones is missing.

        The exchange looks at the approval last: one permit is paid for an offer that can be sold then.
        """
        deducted = (await self._book.goods.deductions(offer.goods)).bps_up(offer.items)
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
            if permit is None or approved >= offer.amount + sum(each.left_of(offer.goods) for each in live):
                return
        await self._send_permit(offer, permit)
        await self._book.client.call(call)

    async def _send_permit(self, offer: GoodsOffer, permit: SharesPermit) -> None:
        if offer.goods.kind is not GoodsKind.SHARES:
            message = "credits and titles take no permit; approve the exchange by a transaction"
            raise InvalidOffer(message, field="permit")
        if self._relay is None:
            raise NotRelayed("permits are not sent here; approve the shares by a transaction of yours", field="permit")
        r, s, v = permit.signature[:32], permit.signature[32:64], permit.signature[64]
        exchange = self._book.exchange.address
        call = Shares(offer.goods.token).permit(offer.maker, exchange, permit.value, permit.deadline, v, r, s)
        ended = await self._relay.send_call(hash32_from_bytes(keccak(call.data)), offer.maker, call, _PERMIT_GAS)
        if ended.reason:
            raise Conflict(f"the permit was refused: {ended.reason}", code="permit_refused", field="permit")

    def _request(self, offer: SignedOffer, venue: TradingVenue) -> Request:
        message, body = venue.listing(offer), offer.as_json()
        return Request(SIGNED_LISTING, venue.exchange, venue.chain_id, message, OFFERS, body, ["signature"])

    def _venue(self, goods: Goods, more: Sequence[OfferedItem]) -> TradingVenue:
        terms = self._book.terms
        return TradingVenue(terms.chain_id, self._book.exchange.address, goods, terms.token.address, more)

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


def _check_terms(wish: OfferWish | SignedOffer) -> None:
    """Check what needs no node: amounts, prices, and what is sold together."""
    for within, each in (("", wish), *((f"more.{at}.", part) for at, part in enumerate(wish.more))):
        for name, value in (("amount", each.amount), ("price", each.price)):
            if value <= 0:
                raise InvalidOffer(f"{within}{name} is {value}; it must be above 0", field=f"{within}{name}")
    if not wish.title:
        if wish.more:
            raise InvalidOffer("more is not empty; goods are sold together with a title only", field="more")
        return
    if wish.amount != 1 or wish.plan is not None:
        raise InvalidOffer(f"amount is {wish.amount}; of a title it is 1, without a plan", field="amount")
    if len({each.plan for each in wish.more}) < len(wish.more):
        raise InvalidOffer("more names the same goods twice; add them up", field="more")
    others = sum(each.price for each in wish.more)
    if others >= wish.price:
        message = (
            f"price is {wish.price}, and what is sold with the title takes {others} of it; leave some for the title"
        )
        raise InvalidOffer(message, field="price")


def _check_count(live: Sequence[GoodsOffer], goods: Goods, maker: Address) -> None:
    count = sum(each.goods.kind is goods.kind for each in live)
    if count >= MOST_OPEN:
        message = f"{maker} has {count} open offers of such goods; cancel one first, or let one expire"
        raise TooManyOffers(message, maker=maker)
