"""Reads a request into an order, and refuses what cannot be served or priced."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from usufruct.core import Address, Clock, Conflict, Hash32, Invalid, address
from usufruct.core.price_cards import PriceCard
from usufruct.gateway.call_limits import CallLimits
from usufruct.gateway.call_order import CallOrder
from usufruct.gateway.catalogue import Catalogue
from usufruct.gateway.disconnect_limit import DisconnectLimit
from usufruct.gateway.errors import InvalidRequest, UnpaidBodyTooLarge
from usufruct.gateway.level_prices import LevelPrices
from usufruct.gateway.model import ServedListing
from usufruct.gateway.operations.base import Budget, Operation, Request, Work
from usufruct.gateway.operations.request_reader import read_model
from usufruct.gateway.payers.base import Payer
from usufruct.gateway.samples.service import as_sample
from usufruct.payments.ledger import IdempotencyKey
from usufruct.payments.pricing import content_hash, discounted_card_up
from usufruct.web import BodyTooLarge, HttpExchange, json_object

_LONGEST_IDEMPOTENCY_KEY = 255
_MOST_SHOWN = 32


class CallOrderReader:
    """Reads requests for the listings of a catalogue."""

    def __init__(
        self,
        catalogue: Catalogue,
        prices: LevelPrices,
        disconnects: DisconnectLimit,
        limits: CallLimits,
        clock: Clock,
    ) -> None:
        """Price by `prices`, and refuse payers who passed the limit of `disconnects`."""
        self._catalogue = catalogue
        self._prices = prices
        self._disconnects = disconnects
        self._limits = limits
        self._clock = clock

    async def read(self, exchange: HttpExchange, operation: Operation, payer: Payer | None) -> CallOrder:
        """Read a request of a payer, or of one who only asks for the price.

        Raises:
            UsufructError: names what is wrong with the request, or why its listing does not serve it.
        """
        raw = await self._body(exchange, payer)
        content = json_object(raw)
        listing = await self._find(content, operation)
        if payer is not None:
            payer.check_scope(listing)
            stream = content.get("stream") is True
            self._disconnects.check(payer.identity.abuse_account, stream=stream, streams=operation.streams)

        async def work_by(card: PriceCard) -> Work:
            return await _work(exchange, operation, listing, card, Request(raw, content))

        return await self.order(exchange, payer, listing, content_hash(raw), work_by)

    async def order(
        self,
        exchange: HttpExchange,
        payer: Payer | None,
        listing: ServedListing,
        request_hash: Hash32,
        work_by: Callable[[PriceCard], Awaitable[Work]],
    ) -> CallOrder:
        """Return the order of a request that was read: its work by the price card of the payer's level."""
        staker = payer.identity.staker if payer is not None else _named_payer(exchange)
        discount = await self._prices.discount_bps(listing, staker, payer.has_funds if payer is not None else None)
        card = listing.card(self._clock.now())
        if discount:
            card = discounted_card_up(card, discount)
        work = await work_by(card)
        return CallOrder(
            listing=listing,
            work=work,
            card=card,
            budget=_budget(exchange),
            request_hash=request_hash,
            idempotency=_idempotency(exchange, payer, request_hash),
            staker=staker,
            discount_bps=discount,
        )

    async def read_sample(self, exchange: HttpExchange, operation: Operation) -> CallOrder:
        """Read the request of a free call, whose answer is not kept for a replay.

        Raises:
            SampleNotOffered: when every call of its listing is paid.
            UsufructError: as `read`, and when the listing is paused or off sale.
        """
        raw = await exchange.body(self._limits.sample_body_bytes)
        content = json_object(raw)
        listing = await self._find(content, operation)
        listing.check_open()
        listing, card = as_sample(listing), listing.card(self._clock.now())
        work = await _work(exchange, operation, listing, card, Request(raw, content))
        return CallOrder(listing, work, card, Budget(), content_hash(raw), idempotency=None)

    async def _find(self, content: Mapping[str, Any], operation: Operation) -> ServedListing:
        listing = await self._catalogue.find(read_model(content))
        _check_operation(listing, operation)
        return listing

    async def _body(self, exchange: HttpExchange, payer: Payer | None) -> bytes:
        """Read the body; a long one only of a payer who has money here, since pricing it takes work.

        Raises:
            UnpaidBodyTooLarge: when it is long, and no money is there for it.
            BodyTooLarge: when it is too long for any payer.
        """
        unpaid = self._limits.unpaid_body_bytes
        if payer is not None and exchange.is_longer(unpaid) and await payer.has_funds():
            return await exchange.body(self._limits.body_bytes)
        try:
            return await exchange.body(unpaid)
        except BodyTooLarge as error:
            raise UnpaidBodyTooLarge(
                f"a request may have {unpaid} bytes unless money is there for it: send a shorter one, or this one with "
                "a key (`Authorization: Bearer uf_...`) or on a channel that holds a deposit",
                field="body",
                limit=unpaid,
            ) from error


async def _work(
    exchange: HttpExchange, operation: Operation, listing: ServedListing, card: PriceCard, request: Request
) -> Work:
    """Read what is asked for; name the dropped members of the request in the answer's headers."""
    _check_unit(listing, operation, card)
    if listing.configuration is not None:
        request = Request(request.raw, listing.configuration.applied(request.content))
    work = await operation.read(request, listing, card)
    if work.dropped:
        more = ("...",) if len(work.dropped) > _MOST_SHOWN else ()
        shown = ",".join(work.dropped[:_MOST_SHOWN] + more)
        exchange.attach([(b"x-usufruct-dropped", shown.encode())])
    return work


def _check_operation(listing: ServedListing, operation: Operation) -> None:
    if listing.operation != operation.name:
        raise Invalid(
            f"{listing.name} is for {listing.operation}, not for {operation.name}", code="wrong_endpoint", field="model"
        )


def _check_unit(listing: ServedListing, operation: Operation, card: PriceCard) -> None:
    """Refuse a call that would be charged by another unit than the one it is measured in."""
    if card.unit is not operation.unit:
        raise Conflict(
            f"{listing.name} is priced by the {card.unit.value}, and {operation.name} is measured in "
            f"{operation.unit.plural}; its seller must announce a price card for {operation.unit.plural}",
            code="unmeasured_unit",
            field="model",
            unit=card.unit.value,
        )


def _named_payer(exchange: HttpExchange) -> Address | None:
    """Return who an unpaid request says will pay, by whose level it is quoted; the payment must be signed by them."""
    name = exchange.header(b"x-usufruct-payer")
    return address(name, "x-usufruct-payer") if name else None


def _budget(exchange: HttpExchange) -> Budget:
    limit = exchange.header(b"x-usufruct-limit")
    if not limit:
        return Budget()
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 39):
        raise InvalidRequest("x-usufruct-limit must be a whole number of atomic units", field="x-usufruct-limit")
    return Budget(int(limit), own_limit=True)


def _idempotency(exchange: HttpExchange, payer: Payer | None, request_hash: Hash32) -> IdempotencyKey | None:
    key = exchange.header(b"idempotency-key") or (payer.identity.idempotency_key if payer else "")
    if not key:
        return None
    if not (key.isascii() and key.isprintable() and len(key) <= _LONGEST_IDEMPOTENCY_KEY):
        raise InvalidRequest(
            f"idempotency-key must be at most {_LONGEST_IDEMPOTENCY_KEY} printable ASCII characters",
            field="idempotency-key",
        )
    scope = payer.identity.key_scope if payer else ""
    return IdempotencyKey(content_hash(f"{scope}/{key}".encode()) if scope else key, request_hash)
