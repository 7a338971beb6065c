"""A paid call of an endpoint, from its request to its receipt: priced, funded, opened and metered as every paid call.

Only reading and answering differ from `gateway.pipeline`: the endpoint's product answers, in this process.
"""

import asyncio
from dataclasses import dataclass, field

from usufruct.core import Clock, Hash32, UsufructError
from usufruct.core.price_cards import PriceCard
from usufruct.gateway.call_order import CallOrder
from usufruct.gateway.call_order_reader import CallOrderReader
from usufruct.gateway.endpoints.listings import EndpointListings
from usufruct.gateway.endpoints.work import EndpointWork
from usufruct.gateway.open_call import KeptAnswer, OpenCall
from usufruct.gateway.operations.base import Work
from usufruct.gateway.payers.base import Payer
from usufruct.gateway.pipeline import Pipeline
from usufruct.gateway.quality.tally import Times
from usufruct.gateway.responses import Served
from usufruct.gateway.signed_receipt import kept_receipt, with_savings
from usufruct.payments.ledger import Replay
from usufruct.payments.pricing import Measured, Usage, content_hash
from usufruct.payments.x402 import Answer, EndpointAnswer, PaidEndpoint
from usufruct.web import JSON, ClientGone, HttpExchange

_BODY_BYTES = 65_536
_REPLAYED = ((b"cache-control", b"private, no-store"), (b"x-usufruct-replayed", b"true"))


@dataclass(frozen=True, slots=True)
class EndpointPipeline:
    """Charges calls of endpoints; `paid` has the stages that move money."""

    paid: Pipeline
    reader: CallOrderReader
    listings: EndpointListings
    clock: Clock
    endpoints: dict[str, PaidEndpoint] = field(default_factory=dict)

    def sell(self, endpoint: PaidEndpoint) -> None:
        """Put an endpoint on sale: `/.well-known/x402` lists it."""
        self.endpoints[endpoint.path] = endpoint

    async def update_listings(self) -> None:
        """Put the listings of all endpoints on sale at their prices, so that no call has to; retire all others."""
        for endpoint in self.endpoints.values():
            await self.listings.of(endpoint)
        await self.listings.retire_others(self.endpoints)

    async def serve(self, exchange: HttpExchange, endpoint: PaidEndpoint, answer: Answer, other_way: str) -> None:
        """Answer a request that is paid for; ask for the payment where there is none. A GET can ask for a refund.

        The answer is made before any money moves, so a wrong request costs nothing. It leaves after the call is open,
        so what it contains is paid for. An answer without rows is not charged.

        Raises:
            UsufructError: every refusal and fault; nothing was charged.
        """
        paid, x402 = self.paid, self.paid.payments.x402
        if x402 is not None and exchange.method == "GET" and x402.asks_refund(exchange):
            await x402.refund(exchange)
            return
        try:
            payer = await paid.payments.identify(exchange)
            body = b"" if exchange.method == "GET" else await exchange.body(_BODY_BYTES)
            work = EndpointWork(endpoint, body, answer, other_way)
            order = await self._order(exchange, payer, endpoint, work, body)
            if payer is None:
                order.listing.check_open()
                raise await paid.payments.refuse_unpaid(exchange, order)
            gone = asyncio.Event()
            stay = exchange.when_disconnected(gone.set)
            try:
                call = await paid.admit(exchange, payer, order)
            finally:
                stay()
        except UsufructError as refusal:
            paid.counters.refused(refusal.code)
            raise
        if isinstance(call, Replay):
            await self._repeat(exchange, payer, order, call)
        else:
            await self._deliver(exchange, call, work.answered, is_gone=gone.is_set())

    async def _order(
        self, exchange: HttpExchange, payer: Payer | None, endpoint: PaidEndpoint, work: EndpointWork, body: bytes
    ) -> CallOrder:
        """Read a request of an endpoint into an order."""
        listing = await self.listings.of(endpoint)
        if payer is not None:
            payer.check_scope(listing)
            self.paid.disconnects.check(payer.identity.abuse_account, stream=False, streams=False)

        async def work_by(_: PriceCard) -> Work:
            return work

        return await self.reader.order(exchange, payer, listing, request_hash(exchange, body), work_by)

    async def _deliver(
        self, exchange: HttpExchange, call: OpenCall, answered: EndpointAnswer, *, is_gone: bool
    ) -> None:
        """Charge an open call and send its answer with the receipt; release it where nothing is delivered."""
        paid, headers = self.paid, [JSON, *answered.headers]
        try:
            await call.durable()
            if is_gone:  # an answer is worth nothing to a client that disconnected
                raise ClientGone
            metered = await paid.meter(call, self._served(exchange, call, answered)) if answered.rows else None
        except BaseException as error:
            await paid.release(exchange, call, error)
            raise
        if metered is None:
            await paid.releases.release(call.lease, "nothing_delivered")
        else:
            receipt = paid.receipt(call, metered)
            charged = receipt.document.receipt
            extensions = call.payer.delivery_extensions(exchange.url, charged)
            exchange.attach(
                await call.payer.response_headers(charged.amount, charged.cumulative, call.funded, extensions)
            )
            headers += receipt.headers()
        await exchange.answer(answered.status, answered.body, headers)

    def _served(self, exchange: HttpExchange, call: OpenCall, answered: EndpointAnswer) -> Served:
        """Return what is charged for an answer, as `Pipeline.meter` takes it."""
        now = self.clock.monotonic()
        return Served(
            measured=Measured(Usage(0, answered.rows, unit=call.price.card.unit), flagged=False),
            response_hash=content_hash(answered.body),
            kept=KeptAnswer(answered.body, call.order.listing.name, exchange.url),
            times=Times(now, None, now),
            body=answered.body,
        )

    async def _repeat(self, exchange: HttpExchange, payer: Payer, order: CallOrder, replay: Replay) -> None:
        """Send the answer that was kept for the same request, with the receipt it had; nothing is charged."""
        paid = self.paid
        call = await paid.ledger.call(replay.call)
        assert call is not None, "a stored answer has a call"
        receipt = with_savings(await kept_receipt(paid.ledger, call, paid.operator), order.listing)
        paid.counters.replayed()
        kept, charged = KeptAnswer.unpacked(replay.answer), receipt.document.receipt
        extensions = payer.delivery_extensions(kept.url, charged)
        exchange.attach(await payer.response_headers(charged.amount, charged.cumulative, None, extensions))
        await exchange.answer(200, kept.body, [JSON, *_REPLAYED, *receipt.headers()])


def request_hash(exchange: HttpExchange, body: bytes) -> Hash32:
    """Return the hash that binds a quote, a receipt and an idempotency key to a request: of its line and its body.

    The line is `METHOD PATH?QUERY` as it was sent, without the version of HTTP, and ends in a line feed.
    """
    query: bytes = exchange.scope["query_string"]
    target = exchange.path.encode() + (b"?" + query if query else b"")
    return content_hash(b"%s %s\n%s" % (exchange.method.encode(), target, body))
