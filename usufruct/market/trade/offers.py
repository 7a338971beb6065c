"""Selling shares: what a maker signs, the signed offer that is published, and its cancellation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from secrets import randbits

from usufruct.accounts.passkeys import PasskeySite, Relay
from usufruct.assets import Listing as Service
from usufruct.chain import Call, keccak
from usufruct.chain.contracts.exchange import ItemNotApproved
from usufruct.chain.contracts.shares import Shares
from usufruct.core import Address, AssetId, Clock, Conflict, Hash32, hash32_from_bytes
from usufruct.market.passkey_buyer import PasskeyBuyer
from usufruct.market.signing_requests import Request
from usufruct.market.trade.errors import (
    FeeAboveAllowed,
    InvalidShareOffer,
    NotRelayed,
    NotTheMaker,
    TooManyShareOffers,
)
from usufruct.market.trade.model import (
    LEAST_SECONDS,
    LONGEST_SECONDS,
    MOST_OPEN,
    ShareOffer,
)
from usufruct.market.trade.service import ShareMarket
from usufruct.market.trade.store import find_offer, live_offers_of, put_offer
from usufruct.store import ConstraintViolated, Database
from usufruct_client.eip712_messages import EXCHANGE, PERMIT, SIGNED_LISTING, Domain
from usufruct_client.identifiers import checksum
from usufruct_client.share_trade import TradingVenue, fee_down
from usufruct_client.trade_documents import ShareOfferTerms, SharesPermit, SignedShareOffer
from usufruct_client.typed_data import domain_separator

OFFERS = "/v1/share-offers"

_DAY = 86_400
_PERMIT_SECONDS = 3_600
_PERMIT_GAS = 150_000
_EMPTY = bytes(65)


@dataclass(frozen=True, slots=True)
class SaleTerms:
    """What a maker signs to sell: the permit if one is needed, and the offer; `approval` does what the permit does."""

    offer: Request
    permit: Request | None
    approval: Call | None
    fee: int
    proceeds: int


class ShareOffers:
    """The verbs of a maker. `relay` sends permits, where the installation has a relayer; `passkeys` sign otherwise."""

    def __init__(
        self,
        market: ShareMarket,
        database: Database,
        clock: Clock,
        relay: Relay | None = None,
        passkeys: PasskeyBuyer | None = None,
    ) -> None:
        self._market = market
        self._database = database
        self._clock = clock
        self._relay = relay
        self._passkeys = passkeys

    async def terms(self, maker: Address, wish: ShareOfferTerms) -> SaleTerms:
        """Return what the maker signs to sell shares of a service.

        Raises:
            SharesNotFound: when the service has none.
            InvalidShareOffer: when the maker holds fewer, or for a price or amount of 0.
            TooManyShareOffers: when the maker has to cancel one first.
        """
        service = await self._market.by_id(AssetId(wish.asset))
        _check_amounts(wish.amount, wish.price)
        await self._market.poll()
        now = self._clock.now()
        async with self._database.snapshot() as unit:
            live = await live_offers_of(unit, service.id, maker, now)
        _check_count(live, maker)
        shares = Shares(service.pay_to, self._market.client)
        held = await shares.balance_of(maker)
        if held < wish.amount:
            message = f"{maker} holds {held} atomic shares and would offer {wish.amount}; offer at most what is held"
            raise InvalidShareOffer(message, code="not_enough_shares", field="amount")
        fee_bps = await self._market.fee_bps()
        expiry, nonce = now + wish.days * _DAY, randbits(256)
        offer = SignedShareOffer(maker, service.id, wish.amount, wish.price, expiry, fee_bps, nonce, _EMPTY)
        # All that is on offer, so that no offer uses up the approval of another.
        needed = sum(each.left for each in live) + wish.amount
        permit, approval = None, None
        if await shares.allowance(maker, self._market.exchange.address) < needed:
            if not await self._is_passkey(maker):  # a permit takes no contract's signature; relay the approval
                permit = await self._permit(shares, maker, needed, now + _PERMIT_SECONDS)
            approval = shares.approve(self._market.exchange.address, needed)
        fee = fee_down(wish.price, fee_bps)
        return SaleTerms(self._request(offer, shares.address), permit, approval, fee, wish.price - fee)

    async def publish(self, signed: SignedShareOffer, site: PasskeySite | None = None) -> ShareOffer:
        """Store a signed offer that can be filled; the same again is found. Sends its permit first, if it needs it.

        Raises:
            InvalidShareOffer: for terms that no offer can have.
            FeeAboveAllowed, TooManyShareOffers: when it could not be sold, or the maker has to cancel one first.
            Revert: the exchange's reason why it cannot be sold: another chain's signature, a used nonce, shares that
                the maker does not hold or has not approved.
            NotRelayed, RelayLimited: when the permit is not sent here; the maker sends an approval instead.
        """
        service = await self._market.by_id(AssetId(signed.asset))
        offer = await self._read(service, signed, site)
        await self._market.poll()
        now = self._clock.now()
        async with self._database.snapshot() as unit:
            known = await find_offer(unit, offer.hash)
            live = await live_offers_of(unit, offer.asset, offer.maker, now)
        if known is not None:
            return known
        _check_count(live, offer.maker)
        await self._check(offer, live, signed.permit)
        try:
            async with self._database.transaction() as unit:
                await put_offer(unit, replace(offer, created_at=now))
        except ConstraintViolated:  # the same offer, handed in twice at the same time
            pass
        return await self._market.offer(offer.hash)

    async def cancellation(self, maker: Address, hash_: Hash32) -> Call:
        """Return the call by which the maker ends an offer for good: it uses up the offer's nonce.

        Raises:
            ShareOfferNotFound, NotTheMaker: when there is no such offer of the maker's.
        """
        offer = await self._market.offer(hash_)
        if offer.maker != maker:
            raise NotTheMaker(f"{maker} is signed in, and the offer is {offer.maker}'s", field="offer")
        return self._market.exchange.cancel(offer.nonce // 256, 1 << offer.nonce % 256)

    async def _is_passkey(self, maker: Address) -> bool:
        return self._passkeys is not None and await self._passkeys.holds(maker)

    async def _read(self, service: Service, signed: SignedShareOffer, site: PasskeySite | None) -> ShareOffer:
        """Return an offer as it was signed, after all checks that need no node."""
        _check_amounts(signed.amount, signed.price)
        now = self._clock.now()
        if not now + LEAST_SECONDS <= signed.expiry <= now + LONGEST_SECONDS:
            message = (
                f"expiry is {signed.expiry}; it must be in 1 minute to {LONGEST_SECONDS // _DAY} days, it is {now}"
            )
            raise InvalidShareOffer(message, field="expiry")
        venue = self._venue(service.pay_to)
        signature = signed.signature
        if signed.assertion is not None:
            if self._passkeys is None or site is None:
                raise InvalidShareOffer("there are no passkey accounts here; sign with a wallet", field="assertion")
            separator = domain_separator(EXCHANGE, venue.chain_id, venue.exchange)
            typed = SIGNED_LISTING, separator, venue.struct_hash(signed)
            signature = await self._passkeys.signature(signed.maker, typed, signed.assertion, site)
        return ShareOffer(
            venue.offer_hash(signed),
            service.id,
            service.pay_to,
            signed.maker,
            venue.currency,
            signed.amount,
            signed.price,
            signed.expiry,
            signed.max_deduction_bps,
            signed.nonce,
            signature,
        )

    async def _check(self, offer: ShareOffer, live: Sequence[ShareOffer], permit: SharesPermit | None) -> None:
        """Have the chain check the offer; its permit is sent if only the approval of it and of `live` ones is missing.

        The exchange looks at the approval last: one permit is paid for an offer that can be sold then.
        """
        fee_bps = await self._market.fee_bps()
        if fee_bps > offer.max_deduction_bps:
            message = f"the exchange's fee is {fee_bps} hundredths of a per cent, and the offer allows "
            raise FeeAboveAllowed(f"{message}{offer.max_deduction_bps}; sign a new one", field="maxDeductionBps")
        call = self._market.exchange.check(offer.listing, offer.signature)
        try:
            await self._market.client.call(call)
        except ItemNotApproved:
            if permit is None:
                raise
        else:
            allowed = await Shares(offer.shares, self._market.client).allowance(offer.maker, call.to)
            if permit is None or allowed >= offer.amount + sum(each.left for each in live):
                return
        await self._send_permit(offer, permit)
        await self._market.client.call(call)

    async def _send_permit(self, offer: ShareOffer, permit: SharesPermit) -> None:
        if self._relay is None:
            raise NotRelayed("permits are not sent here; approve the shares by a transaction of yours", field="permit")
        r, s, v = permit.signature[:32], permit.signature[32:64], permit.signature[64]
        exchange = self._market.exchange.address
        call = Shares(offer.shares).permit(offer.maker, exchange, permit.value, permit.deadline, v, r, s)
        ended = await self._relay.send_call(hash32_from_bytes(keccak(call.data)), offer.maker, call, _PERMIT_GAS)
        if ended.reason:
            raise Conflict(f"the permit was refused: {ended.reason}", code="permit_refused", field="permit")

    def _request(self, offer: SignedShareOffer, shares: Address) -> Request:
        venue = self._venue(shares)
        message, body = venue.listing(offer), offer.as_json()
        return Request(SIGNED_LISTING, venue.exchange, venue.chain_id, message, OFFERS, body, ["signature"])

    def _venue(self, shares: Address) -> TradingVenue:
        terms = self._market.terms
        return TradingVenue(terms.chain_id, self._market.exchange.address, shares, terms.token.address)

    async def _permit(self, shares: Shares, maker: Address, value: int, deadline: int) -> Request:
        domain = await shares.eip712_domain()
        kind = replace(PERMIT, domain=Domain(domain.name, domain.version))
        message = {
            "owner": checksum(maker),
            "spender": checksum(self._market.exchange.address),
            "value": value,
            "nonce": await shares.nonces(maker),
            "deadline": deadline,
        }
        body = SharesPermit(value, deadline, _EMPTY).as_json()
        return Request(kind, shares.address, self._market.terms.chain_id, message, "", body, ["signature"])


def _check_amounts(amount: int, price: int) -> None:
    for name, value in (("amount", amount), ("price", price)):
        if value <= 0:
            raise InvalidShareOffer(f"{name} is {value}; it must be above 0", field=name)


def _check_count(live: Sequence[ShareOffer], maker: Address) -> None:
    if len(live) >= MOST_OPEN:
        message = f"{maker} has {len(live)} open offers of these shares; cancel one first, or let one expire"
        raise TooManyShareOffers(message, maker=maker)
