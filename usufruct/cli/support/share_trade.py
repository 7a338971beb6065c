"""A wallet's trade in revenue shares at a gateway: what the gateway shows is checked with the chain, then signed."""

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
from usufruct.market.trade import ExchangeIndexer, listing_of
from usufruct_client import BadAnswer, Gateway, GatewayRefused
from usufruct_client.eip712_messages import Domain
from usufruct_client.share_trade import TradingVenue, price_up
from usufruct_client.trade_documents import ShareOfferFacts, SharesPermit, SignedPurchase, SignedShareOffer
from usufruct_client.wire import Token

_NOT_PAID = frozenset({"not_relayed", "relay_limited", "relay_failures", "relay_spent"})
"""Codes by which a gateway refuses to pay the gas of a permit or a purchase."""

_OVER = frozenset({"sold", "cancelled", "expired"})
_PERMIT_SECONDS = 3_600
_UNSIGNED = bytes(65)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sale:
    """A published offer, and the transaction by which the wallet approved the shares itself, if it did."""

    offer: ShareOfferFacts
    approval: Hash32 | None


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase that was made: of which offer, for how much."""

    offer: ShareOfferFacts
    price: int
    transaction: Hash32 | None


class ShareTrader:
    """A wallet that sells and buys shares of services at a gateway."""

    def __init__(self, session: RegistrySession, payer: Payer) -> None:
        self._session = session
        self._client = session.chain.client
        self._sender = session.chain.sender(payer.key)
        self._payer = payer
        self._gateway = payer.gateway
        self._exchange = Exchange(session.chain.deployments.address(Exchange), session.chain.client)

    async def offer(self, asset: AssetId, amount: int, price: int, token: Token, expiry: int) -> Sale:
        """Sign and publish an offer of atomic shares for `price` in `token`; approve them first if needed.

        Raises:
            Conflict: when the wallet holds fewer.
            GatewayRefused, TradePending: when it is not published, or the outcome is not known.
        """
        venue = await self._venue(asset, token.address)
        shares, me = Shares(venue.shares, self._client), self._payer.address
        held = await shares.balance_of(me)
        if held < amount:
            message = f"{checksum(me)} holds {_shares(held)} shares of {format_asset(asset)}, not {_shares(amount)}"
            raise Conflict(f"{message}; offer at most what it holds", code="not_enough_shares", field="amount")
        fee_bps = (await self._exchange.protocol_fee()).bps
        terms = SignedShareOffer(me, asset, amount, price, expiry, fee_bps, randbits(256), _UNSIGNED)
        signed = replace(terms, signature=venue.sign_offer(self._payer, terms))
        # All that is on offer, so that no offer uses up the approval of another.
        needed = amount + sum(each.left for each in self._gateway.share_offers(format_asset(asset)) if each.maker == me)
        if await shares.allowance(me, venue.exchange) >= needed:
            return Sale(self._publish(venue, signed), None)
        try:
            permit = await self._permit(venue, shares, needed)
            return Sale(self._publish(venue, replace(signed, permit=permit)), None)
        except GatewayRefused as refused:
            _check_not_paid(refused)
        approval = await self._send(shares.approve(venue.exchange, needed), f"shares/approve/{asset:#x}")
        return Sale(self._publish(venue, signed), approval)

    async def buy(self, hash_: Hash32, amount: int, most: int, token: Token) -> Bought:
        """Buy atomic shares of an offer for at most `most` of `token`, by one signature.

        Raises:
            Conflict: when the offer cannot be filled like that, or costs more.
            PaymentRequired: when the wallet holds less than the price.
            GatewayRefused, TradePending: when it is not made, or the outcome is not known.
        """
        offer, venue = await self._offer(hash_)
        if offer.currency != token.address:
            message = f"the offer is sold for {checksum(offer.currency)}, and {checksum(token.address)} was agreed"
            raise Conflict(f"{message}; nothing was signed", code="other_token", field="offer")
        _check_open(offer, amount, self._payer.address)
        price = price_up(offer.price, offer.amount, amount)
        if price > most:
            message = f"{_shares(amount)} shares cost {shown(token, price)}, and --max-price is {shown(token, most)}"
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
            return Bought(offer, price, self._gateway.submit_share_purchase(signed, say).transaction)
        except GatewayRefused as refused:
            _check_not_paid(refused)
        transaction = await self._send(self._purchase(venue, offer, signed), f"shares/buy/{hash_}")
        return Bought(offer, price, transaction)

    async def cancel(self, hash_: Hash32) -> tuple[ShareOfferFacts, Hash32]:
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
        return offer, await self._send(call, f"shares/cancel/{hash_}")

    async def _venue(self, asset: AssetId, currency: Address) -> TradingVenue:
        shares = await self._session.registry.shares(asset)
        return TradingVenue(self._session.chain.chain_id, self._exchange.address, shares.address, currency)

    async def _offer(self, hash_: Hash32) -> tuple[ShareOfferFacts, TradingVenue]:
        """Return an offer as the gateway shows it; raises `BadAnswer` unless its hash on our exchange is this id."""
        offer = self._gateway.share_offer(hash_)
        venue = await self._venue(AssetId(offer.asset), offer.currency)
        if venue.offer_hash(offer) != hash_:
            message = f"what {self._gateway.url} shows is not offer {hash_} on exchange {checksum(venue.exchange)}"
            raise BadAnswer(f"{message}; nothing was signed", member="offer")
        return offer, venue

    async def _permit(self, venue: TradingVenue, shares: Shares, value: int) -> SharesPermit:
        domain = await shares.eip712_domain()
        nonce, deadline = await shares.nonces(self._payer.address), (await self._client.head()).timestamp
        named = Domain(domain.name, domain.version)
        return venue.sign_permit(self._payer, named, value, nonce, deadline + _PERMIT_SECONDS)

    def _publish(self, venue: TradingVenue, signed: SignedShareOffer) -> ShareOfferFacts:
        say("Signed the offer; handing it in.")
        return self._gateway.publish_share_offer(signed, venue.offer_hash(signed), say)

    def _purchase(self, venue: TradingVenue, offer: ShareOfferFacts, signed: SignedPurchase) -> Call:
        salt = bytes.fromhex(signed.salt[2:])
        payment = Authorization(signed.buyer, 0, signed.valid_before, salt, signed.signature)
        listing = listing_of(offer, venue.shares, venue.currency)
        return self._exchange.buy_with_authorization(listing, offer.signature, signed.amount, signed.buyer, payment)

    async def _send(self, call: Call, intent: str) -> Hash32:
        say("Sending a transaction of the wallet's; it pays the gas.")
        return (await execute_once(self._sender, call, intent)).hash


def trade_shares(config: Config, payer: Payer, work: Callable[[ShareTrader, RegistrySession], Awaitable[T]]) -> T:
    """Open the chain, and have a wallet trade at its gateway."""

    async def opened() -> T:
        async with open_registry(config) as session:
            return await work(ShareTrader(session, payer), session)

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


def _check_open(offer: ShareOfferFacts, amount: int, buyer: Address) -> None:
    if amount <= 0:
        raise Invalid(f"amount is {_shares(amount)}; it must be above 0", code="invalid_share_purchase", field="amount")
    if offer.maker == buyer:
        raise Conflict("the wallet made this offer; take another's", code="self_trade", field="offer")
    if offer.state != "open":
        raise Conflict(f"the offer is {offer.state}; take another", code="offer_not_open", field="offer")
    if offer.available is not None and amount > offer.available:
        message = f"{_shares(offer.available)} shares of the offer can be bought, not {_shares(amount)}; buy less"
        raise Conflict(message, code="not_enough_left", field="amount")


def _check_not_paid(refused: GatewayRefused) -> None:
    """Raise the refusal, unless it only means that the gateway does not pay the gas."""
    if refused.reason not in _NOT_PAID:
        raise refused
    say(f"{refused.message}. The wallet sends it itself.")


def _shares(amount: int) -> str:
    return format_units(amount, SHARE_DECIMALS)
