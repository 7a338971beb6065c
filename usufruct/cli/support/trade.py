"""A wallet's trade in shares and pass credits at a gateway: what it shows is checked with the chain, then signed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from secrets import randbits
from typing import TypeVar

from usufruct.assets import SHARE_DECIMALS, execute_once
from usufruct.chain import Call
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.exchange import Authorization, Exchange
from usufruct.chain.contracts.shares import Shares
from usufruct.cli.support.deposits import Payer, shown, valid_before
from usufruct.cli.support.output import say
from usufruct.cli.support.registry_session import RegistrySession, open_registry
from usufruct.cli.support.runner import run
from usufruct.config import Config
from usufruct.core import (
    Address,
    AssetId,
    Conflict,
    Denied,
    Hash32,
    Invalid,
    NotFound,
    PaymentRequired,
    asset_id,
    checksum,
    format_asset,
    format_units,
)
from usufruct.market.trade import Deductions, ExchangeIndexer, GoodsOnChain, last_expiry, listing_of
from usufruct_client import BadAnswer, Gateway, GatewayRefused
from usufruct_client.eip712_messages import Domain
from usufruct_client.trade import Goods, TradingVenue, price_up
from usufruct_client.trade_documents import OfferFacts, SharesPermit, SignedOffer, SignedPurchase
from usufruct_client.wire import Token

_NOT_PAID = frozenset({"not_relayed", "relay_limited", "relay_failures", "relay_spent"})
"""Codes by which a gateway refuses to pay the gas of a permit or a purchase."""

_OVER = frozenset({"sold", "cancelled", "expired"})
_PERMIT_SECONDS = 3_600
_UNSIGNED = bytes(65)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unit:
    """How amounts of goods are shown: as "12.5 shares"."""

    decimals: int
    name: str

    def show(self, amount: int) -> str:
        """Write atomic units as whole ones, with their name."""
        return f"{format_units(amount, self.decimals)} {self.name}"


SHARES = Unit(SHARE_DECIMALS, "shares")


@dataclass(frozen=True, slots=True)
class Sale:
    """A published offer, what a sale deducts, and the transaction by which the wallet approved the goods, if it did."""

    offer: OfferFacts
    deductions: Deductions
    approval: Hash32 | None


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase that was made: of which offer, for how much."""

    offer: OfferFacts
    price: int
    transaction: Hash32 | None


class Trader:
    """A wallet that sells and buys shares of services at a gateway, or credits `of_plans`."""

    def __init__(self, session: RegistrySession, payer: Payer, *, of_plans: bool = False) -> None:
        self._of_plans = of_plans
        self._session = session
        self._client = session.chain.client
        self._sender = session.chain.sender(payer.key)
        self._payer = payer
        self._gateway = payer.gateway
        self._exchange = Exchange(session.chain.deployments.address(Exchange), session.chain.client)
        self._goods = GoodsOnChain(session.registry, self._exchange)

    async def offer(self, goods: Goods, unit: Unit, amount: int, price: int, token: Token, expiry: int) -> Sale:
        """Sign and publish an offer of goods for `price` in `token`; approve them first if needed.

        Credits are offered until they are void at the latest.

        Raises:
            Conflict: when the wallet holds fewer, or the credits are void.
            GatewayRefused, TradePending: when it is not published, or the outcome is not known.
        """
        venue, me = self._venue(goods, token.address), self._payer.address
        void_at = await self._goods.void_at(goods)
        await self._goods.check_not_void(goods, void_at)
        held = await self._goods.held(goods, me)
        if held < amount:
            asset = format_asset(AssetId(goods.asset))
            message = f"{checksum(me)} holds {unit.show(held)} of {asset}, not {unit.show(amount)}"
            code = "not_enough_shares" if goods.plan is None else "not_enough_credits"
            raise Conflict(f"{message}; offer at most what it holds", code=code, field="amount")
        deductions, until = await self._goods.deductions(goods), last_expiry(expiry, void_at)
        terms = (goods.asset, amount, price, until, deductions.bps, randbits(256), _UNSIGNED)
        unsigned = SignedOffer(me, *terms, plan=goods.plan)
        signed = replace(unsigned, signature=venue.sign_offer(self._payer, unsigned))
        # All that is on offer, so that no offer uses up the approval of another.
        needed = amount + sum(each.left for each in self._offers(goods) if each.maker == me)
        if await self._goods.approved(goods, me) >= needed:
            return Sale(self._publish(venue, signed), deductions, None)
        if goods.plan is None:
            try:
                permit = await self._permit(venue, Shares(goods.token, self._client), needed)
                return Sale(self._publish(venue, replace(signed, permit=permit)), deductions, None)
            except GatewayRefused as refused:
                _check_not_paid(refused)
        approval = await self._send(self._goods.approval(goods, needed), f"offer/approve/{goods.asset:#x}")
        return Sale(self._publish(venue, signed), deductions, approval)

    async def find(self, hash_: Hash32) -> OfferFacts:
        """Return an offer as the gateway shows it, if the chain bears it out.

        Raises:
            BadAnswer: unless its hash on our exchange is this id, or when it would go on after its credits are void.
            Conflict: when it sells other goods than this wallet trades in.
        """
        offer, _ = await self._offer(hash_)
        return offer

    async def buy(self, hash_: Hash32, unit: Unit, amount: int, most: int, token: Token) -> Bought:
        """Buy a part of an offer, in atomic units, for at most `most` of `token`, by one signature.

        Raises:
            Conflict: when the offer cannot be filled like that, or costs more.
            PaymentRequired: when the wallet holds less than the price.
            GatewayRefused, TradePending: when it is not made, or the outcome is not known.
        """
        offer, venue = await self._offer(hash_)
        if offer.currency != token.address:
            message = f"the offer is sold for {checksum(offer.currency)}, and {checksum(token.address)} was agreed"
            raise Conflict(f"{message}; nothing was signed", code="other_token", field="offer")
        _check_open(offer, unit, amount, self._payer.address)
        price = price_up(offer.price, offer.amount, amount)
        if price > most:
            message = f"{unit.show(amount)} cost {shown(token, price)}, and --max-price is {shown(token, most)}"
            raise Conflict(f"{message}; allow more, or buy less", code="price_above_max", field="max_price")
        me = self._payer.address
        held = await Erc20(token.address, self._client).balance_of(me)
        if held < price:
            message = f"{checksum(me)} holds {shown(token, held)}, and the price is {shown(token, price)}"
            raise PaymentRequired(f"{message}; buy less, or fill the wallet", code="cannot_pay")
        bought = await ExchangeIndexer(self._session.chain).bought(hash_, me)
        until, domain = await valid_before(self._client), Domain(token.name, token.version)
        signed = venue.sign_purchase(self._payer, domain, hash_, offer, amount, bought, until)
        say(f"Signed a payment of {shown(token, price)}; handing it in.")
        try:
            return Bought(offer, price, self._gateway.submit_purchase(signed, say).transaction)
        except GatewayRefused as refused:
            _check_not_paid(refused)
        transaction = await self._send(self._purchase(venue, offer, signed), f"offer/buy/{hash_}")
        return Bought(offer, price, transaction)

    async def cancel(self, hash_: Hash32) -> tuple[OfferFacts, Hash32]:
        """End an offer of the wallet's for good, by a transaction; return the offer as it was, and the transaction.

        Raises:
            Denied: when another account made it.
            Conflict: when it is over.
        """
        offer, _ = await self._offer(hash_)
        if offer.maker != self._payer.address:
            message = f"{checksum(offer.maker)} made the offer; sign with its wallet"
            raise Denied(message, code="not_the_maker", field="offer")
        if offer.state in _OVER:
            raise Conflict(f"the offer is {offer.state}; there is nothing to cancel", code="offer_over", field="offer")
        call = self._exchange.cancel(offer.nonce // 256, 1 << offer.nonce % 256)
        return offer, await self._send(call, f"offer/cancel/{hash_}")

    def _venue(self, goods: Goods, currency: Address) -> TradingVenue:
        return TradingVenue(self._session.chain.chain_id, self._exchange.address, goods, currency)

    def _offers(self, goods: Goods) -> list[OfferFacts]:
        asset = format_asset(AssetId(goods.asset))
        if goods.plan is None:
            return self._gateway.share_offers(asset)
        return [each for each in self._gateway.credit_offers(asset) if each.plan == goods.plan]

    async def _offer(self, hash_: Hash32) -> tuple[OfferFacts, TradingVenue]:
        offer = self._gateway.offer(hash_)
        if (offer.plan is not None) != self._of_plans:
            if offer.plan is None:
                sold = "shares; use `usufruct shares buy` or `usufruct shares cancel`"
            else:
                sold = "pass credits; use `usufruct pass buy-offered` or `usufruct pass cancel`"
            raise Conflict(f"offer {hash_} sells {sold}", code="other_goods", field="offer")
        goods = await self._goods.find(AssetId(offer.asset), offer.plan)
        venue = self._venue(goods, offer.currency)
        if venue.offer_hash(offer) != hash_:
            message = f"what {self._gateway.url} shows is not offer {hash_} on exchange {checksum(venue.exchange)}"
            raise BadAnswer(f"{message}; nothing was signed", member="offer")
        if offer.expiry > last_expiry(offer.expiry, await self._goods.void_at(goods)):
            message = f"{self._gateway.url} sells credits in offer {hash_} after they are void"
            raise BadAnswer(f"{message}; nothing was signed", member="expiry")
        return offer, venue

    async def _permit(self, venue: TradingVenue, shares: Shares, value: int) -> SharesPermit:
        domain = await shares.eip712_domain()
        nonce, deadline = await shares.nonces(self._payer.address), (await self._client.head()).timestamp
        named = Domain(domain.name, domain.version)
        return venue.sign_permit(self._payer, named, value, nonce, deadline + _PERMIT_SECONDS)

    def _publish(self, venue: TradingVenue, signed: SignedOffer) -> OfferFacts:
        say("Signed the offer; handing it in.")
        return self._gateway.publish_offer(signed, venue.offer_hash(signed), say)

    def _purchase(self, venue: TradingVenue, offer: OfferFacts, signed: SignedPurchase) -> Call:
        salt = bytes.fromhex(signed.salt[2:])
        payment = Authorization(signed.buyer, 0, signed.valid_before, salt, signed.signature)
        listing = listing_of(offer, venue.goods, venue.currency)
        return self._exchange.buy_with_authorization(listing, offer.signature, signed.amount, signed.buyer, payment)

    async def _send(self, call: Call, intent: str) -> Hash32:
        say("Sending a transaction of the wallet's; it pays the gas.")
        return (await execute_once(self._sender, call, intent)).hash


def trade_at(
    config: Config,
    payer: Payer,
    work: Callable[[Trader, RegistrySession], Awaitable[T]],
    *,
    of_plans: bool = False,
) -> T:
    """Open the chain, and have a wallet trade at its gateway, in shares or in credits `of_plans`."""

    async def opened() -> T:
        async with open_registry(config) as session:
            return await work(Trader(session, payer, of_plans=of_plans), session)

    return run(opened)


async def find_asset(session: RegistrySession, gateway: Gateway, text: str) -> AssetId:
    """Return the asset of an id, of a name here, or of a service's name at the gateway that is its name on the chain.

    Raises:
        UnknownAsset: when it is none of them.
        Conflict: when the gateway gives the name to an asset that has another: it could be one that the wallet holds.
    """
    try:
        return await session.registry.find(text)
    except NotFound:
        known = next((asset_id(each.asset) for each in gateway.services() if each.id == text), None)
        if known is None:
            raise
    name = await (await session.registry.shares(known)).name()
    if name != text:
        message = f"{gateway.url} sells {format_asset(known)} as {text!r}, and the chain calls it {name[:80]!r}"
        raise Conflict(f"{message}; give the id if you mean it", code="other_name", field="asset")
    return known


def _check_open(offer: OfferFacts, unit: Unit, amount: int, buyer: Address) -> None:
    if amount <= 0:
        raise Invalid(f"amount is {unit.show(amount)}; it must be above 0", code="invalid_purchase", field="amount")
    if offer.maker == buyer:
        raise Conflict("the wallet made this offer; take another's", code="self_trade", field="offer")
    if offer.state != "open":
        raise Conflict(f"the offer is {offer.state}; take another", code="offer_not_open", field="offer")
    if offer.available is not None and amount > offer.available:
        message = f"{unit.show(offer.available)} of the offer can be bought, not {unit.show(amount)}; buy less"
        raise Conflict(message, code="not_enough_left", field="amount")


def _check_not_paid(refused: GatewayRefused) -> None:
    """Raise the refusal, unless it only means that the gateway does not pay the gas."""
    if refused.reason not in _NOT_PAID:
        raise refused
    say(f"{refused.message}. The wallet sends it itself.")
