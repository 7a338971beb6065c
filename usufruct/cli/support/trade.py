"""A wallet's trade in shares, credits and titles at a gateway: what it shows is checked with the chain, then signed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
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
from usufruct.market.trade import ExchangeIndexer, GoodsOnChain, last_expiry, listing_of
from usufruct_client import BadAnswer, Gateway, GatewayRefused
from usufruct_client.eip712_messages import Domain
from usufruct_client.trade import Goods, GoodsKind, OfferedItem, TradingVenue, items_of, price_up
from usufruct_client.trade_documents import BundledGoods, OfferFacts, SharesPermit, SignedOffer, SignedPurchase
from usufruct_client.wire import Token

_NOT_PAID = frozenset({"not_relayed", "relay_limited", "relay_failures", "relay_spent"})
"""Codes by which a gateway refuses to pay the gas of a permit or a purchase."""

_SOLD_BY = {
    GoodsKind.SHARES: "shares; use `usufruct shares buy` or `usufruct shares cancel`",
    GoodsKind.CREDITS: "pass credits; use `usufruct pass buy-offered` or `usufruct pass cancel`",
    GoodsKind.TITLE: "a title; use `usufruct title buy` or `usufruct title cancel`",
}
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
TITLE = Unit(0, "title")


@dataclass(frozen=True, slots=True)
class Bundled:
    """Goods that are sold together with a title, and how amounts of them are shown."""

    item: OfferedItem
    unit: Unit


@dataclass(frozen=True, slots=True)
class Sale:
    """A published offer, fee and royalty in its price, and the transactions by which the wallet approved goods."""

    offer: OfferFacts
    fee: int
    royalty: int
    approvals: Sequence[Hash32]

    @property
    def approval(self) -> Hash32 | None:
        """The transaction by which the wallet approved goods of one kind, if it did."""
        return next(iter(self.approvals), None)

    def proceeds(self, token: Token) -> dict[str, object]:
        """Return what a sale of everything brings, as it is printed."""
        amounts = {"fee": self.fee, "royalty": self.royalty, "you_get": self.offer.price - self.fee - self.royalty}
        return {name: format_units(each, token.decimals) for name, each in amounts.items()}


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase that was made: of which offer, for how much."""

    offer: OfferFacts
    price: int
    transaction: Hash32 | None


class Trader:
    """A wallet that sells and buys goods of one kind at a gateway."""

    def __init__(self, session: RegistrySession, payer: Payer, kind: GoodsKind) -> None:
        self._kind = kind
        self._session = session
        self._client = session.chain.client
        self._sender = session.chain.sender(payer.key)
        self._payer = payer
        self._gateway = payer.gateway
        self._exchange = Exchange(session.chain.deployments.address(Exchange), session.chain.client)
        self._goods = GoodsOnChain(session.registry, self._exchange)

    async def offer(
        self, goods: Goods, unit: Unit, amount: int, price: int, token: Token, expiry: int, more: Sequence[Bundled] = ()
    ) -> Sale:
        """Sign and publish an offer of goods for `price` in `token`, a title's with `more`; approve them if needed.

        Credits are offered until they are void at the latest.

        Raises:
            Conflict: when the wallet holds fewer, or the credits are void.
            GatewayRefused, TradePending: when it is not published, or the outcome is not known.
        """
        with_it = [each.item for each in more]
        venue, items = self._venue(goods, token.address, with_it), items_of(goods, amount, price, with_it)
        units = {goods: unit} | {each.item.goods: each.unit for each in more}
        until = expiry
        for each in items:
            void_at = await self._goods.void_at(each.goods)
            await self._goods.check_not_void(each.goods, void_at)
            await self._check_held(each, units[each.goods])
            until = last_expiry(until, void_at)
        deductions = await self._goods.deductions(goods)
        signed = self._signed(venue, amount, price, until, deductions.bps_up(items))
        published = await self._publish_approved(venue, signed, await self._lacking(items))
        return Sale(published[0], *deductions.of(items), published[1])

    async def _check_held(self, item: OfferedItem, unit: Unit) -> None:
        me, asset = self._payer.address, format_asset(AssetId(item.goods.asset))
        held = await self._goods.held(item.goods, me)
        if held >= item.amount:
            return
        if item.goods.title:
            message = f"{checksum(me)} does not own the title of {asset}; sign with its owner's wallet"
            raise Conflict(message, code="not_title_owner", field="asset")
        message = f"{checksum(me)} holds {unit.show(held)} of {asset}, not {unit.show(item.amount)}"
        code = "not_enough_shares" if item.goods.plan is None else "not_enough_credits"
        raise Conflict(f"{message}; offer at most what it holds", code=code, field="amount")

    def _signed(self, venue: TradingVenue, amount: int, price: int, until: int, deducted_bps: int) -> SignedOffer:
        goods, more = venue.goods, [BundledGoods(each.amount, each.price, each.goods.plan) for each in venue.more]
        terms = (goods.asset, amount, price, until, deducted_bps, randbits(256), _UNSIGNED)
        unsigned = SignedOffer(self._payer.address, *terms, goods.plan, goods.title, more)
        return replace(unsigned, signature=venue.sign_offer(self._payer, unsigned))

    async def _lacking(self, items: Sequence[OfferedItem]) -> dict[Goods, int]:
        """Return the goods of which too little is approved, and how much has to be.

        It is all that is on offer, so that no offer uses up the approval of another.
        """
        me, lacking = self._payer.address, {}
        for each in items:
            goods, needed = each.goods, each.amount
            if goods.kind is GoodsKind.SHARES:
                needed += sum(_shares_left(known) for known in self._offers_of_shares(goods) if known.maker == me)
            if await self._goods.approved(goods, me) < needed:
                lacking[goods] = needed
        return lacking

    async def _publish_approved(
        self, venue: TradingVenue, signed: SignedOffer, lacking: Mapping[Goods, int]
    ) -> tuple[OfferFacts, Sequence[Hash32]]:
        """Publish an offer once the wallet has approved what it lacks; return it, and the transactions for that."""
        if venue.goods in lacking and venue.goods.kind is GoodsKind.SHARES:
            try:
                shares = Shares(venue.goods.token, self._client)
                permit = await self._permit(venue, shares, lacking[venue.goods])
                return self._publish(venue, replace(signed, permit=permit)), ()
            except GatewayRefused as refused:
                _check_not_paid(refused)
        approvals = [
            await self._send(self._goods.approval(goods, needed), f"offer/approve/{goods.token}/{goods.asset:#x}")
            for goods, needed in lacking.items()
        ]
        return self._publish(venue, signed), approvals

    async def find(self, hash_: Hash32) -> OfferFacts:
        """Return an offer as the gateway shows it, if the chain bears it out.

        Raises:
            BadAnswer: unless its hash on our exchange is this id, or when it would go on after its credits are void.
            Conflict: when it sells other goods than this wallet trades in.
        """
        offer, _ = await self._offer(hash_)
        return offer

    async def buy(self, hash_: Hash32, unit: Unit, amount: int, most: int, token: Token) -> Bought:
        """Buy a part of an offer, in atomic units, for at most `most` of `token`, by one signature; a title's with 0.

        Raises:
            Conflict: when the offer cannot be filled like that, or costs more.
            PaymentRequired: when the wallet holds less than the price.
            GatewayRefused, TradePending: when it is not made, or the outcome is not known.
        """
        offer, venue = await self._offer(hash_)
        if offer.currency != token.address:
            message = f"the offer is sold for {checksum(offer.currency)}, and {checksum(token.address)} was agreed"
            raise Conflict(f"{message}; nothing was signed", code="other_token", field="offer")
        _check_open(offer, self._payer.address)
        if not offer.title:
            _check_part(offer, unit, amount)
        price = price_up(offer.price, offer.amount, amount) if amount else offer.price
        if price > most:
            message = f"{unit.show(amount or 1)} cost {shown(token, price)}, and --max-price is {shown(token, most)}"
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

    def _venue(self, goods: Goods, currency: Address, more: Sequence[OfferedItem] = ()) -> TradingVenue:
        return TradingVenue(self._session.chain.chain_id, self._exchange.address, goods, currency, more)

    def _offers_of_shares(self, goods: Goods) -> list[OfferFacts]:
        """Return the offers that sell an asset's shares, alone or with its title."""
        asset = format_asset(AssetId(goods.asset))
        return self._gateway.share_offers(asset) + self._gateway.title_offers(asset)

    async def _offer(self, hash_: Hash32) -> tuple[OfferFacts, TradingVenue]:
        offer = self._gateway.offer(hash_)
        asset = AssetId(offer.asset)
        goods = await self._goods.find(asset, offer.plan, title=offer.title)
        if goods.kind is not self._kind:
            raise Conflict(f"offer {hash_} sells {_SOLD_BY[goods.kind]}", code="other_goods", field="offer")
        venue = self._venue(goods, offer.currency, await self._goods.bundled(asset, offer.more))
        if venue.offer_hash(offer) != hash_:
            message = f"what {self._gateway.url} shows is not offer {hash_} on exchange {checksum(venue.exchange)}"
            raise BadAnswer(f"{message}; nothing was signed", member="offer")
        for each in (goods, *(item.goods for item in venue.more)):
            if offer.expiry > last_expiry(offer.expiry, await self._goods.void_at(each)):
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
        listing = listing_of(offer, venue.goods, venue.currency, venue.more)
        return self._exchange.buy_with_authorization(listing, offer.signature, signed.amount, signed.buyer, payment)

    async def _send(self, call: Call, intent: str) -> Hash32:
        say("Sending a transaction of the wallet's; it pays the gas.")
        return (await execute_once(self._sender, call, intent)).hash


def trade_at(
    config: Config,
    payer: Payer,
    work: Callable[[Trader, RegistrySession], Awaitable[T]],
    kind: GoodsKind = GoodsKind.SHARES,
) -> T:
    """Open the chain, and have a wallet trade at its gateway in goods of one kind."""

    async def opened() -> T:
        async with open_registry(config) as session:
            return await work(Trader(session, payer, kind), session)

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


def _shares_left(offer: OfferFacts) -> int:
    """Return how many shares an offer still sells, alone or with a title."""
    return sum(each.amount for each in offer.more if each.plan is None) if offer.title else offer.left


def _check_open(offer: OfferFacts, buyer: Address) -> None:
    if offer.maker == buyer:
        raise Conflict("the wallet made this offer; take another's", code="self_trade", field="offer")
    if offer.state != "open":
        raise Conflict(f"the offer is {offer.state}; take another", code="offer_not_open", field="offer")


def _check_part(offer: OfferFacts, unit: Unit, amount: int) -> None:
    if amount <= 0:
        raise Invalid(f"amount is {unit.show(amount)}; it must be above 0", code="invalid_purchase", field="amount")
    if offer.available is not None and amount > offer.available:
        message = f"{unit.show(offer.available)} of the offer can be bought, not {unit.show(amount)}; buy less"
        raise Conflict(message, code="not_enough_left", field="amount")


def _check_not_paid(refused: GatewayRefused) -> None:
    """Raise the refusal, unless it only means that the gateway does not pay the gas."""
    if refused.reason not in _NOT_PAID:
        raise refused
    say(f"{refused.message}. The wallet sends it itself.")
