"""A paid call, from its request to its receipt: the stages in the order in which they run."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from usufruct.core import Hash32, PaymentRequired, UsufructError
from usufruct.gateway.metering import CallMeter
from usufruct.gateway.metrics import CallCounters
from usufruct.gateway.open_call import KeptAnswer, OpenCall
from usufruct.gateway.operations.base import Operation
from usufruct.gateway.operator_profile import Operator
from usufruct.gateway.order import Order, Price
from usufruct.gateway.order_reader import OrderReader
from usufruct.gateway.payers.base import FundedCall, Payer, Refused
from usufruct.gateway.payers.methods import PaymentMethods, Unpaid
from usufruct.gateway.policy import GatewayPolicy
from usufruct.gateway.releases import ReleaseQueue
from usufruct.gateway.responses import Responder, Served
from usufruct.gateway.signed_receipt import SignedReceipt, kept_receipt, signed
from usufruct.payments.ledger import FIRST_EPOCH, Call, Lease, Ledger, Replay
from usufruct.payments.pricing import OverBudget
from usufruct.store import DatabaseUnavailable
from usufruct.web import Exchange


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The way of every paid call: identify, read, replay, price, fund, open, run, meter, receipt."""

    payments: PaymentMethods
    reader: OrderReader
    ledger: Ledger
    responder: Responder
    call_meter: CallMeter
    releases: ReleaseQueue
    operator: Operator
    counters: CallCounters
    policy: GatewayPolicy

    async def serve(self, exchange: Exchange, operation: Operation) -> None:
        """Answer a paid request.

        Raises:
            UsufructError: every refusal and fault; nothing was charged.
        """
        try:
            payer = await self.identify(exchange)
            if isinstance(payer, Unpaid):
                raise await payer.x402.refuse_unpaid(exchange, await self.read(exchange, operation, None))
            order = await self.read(exchange, operation, payer)
            call = await self.admit(exchange, payer, order)
        except UsufructError as refusal:
            self.counters.refused(refusal.code)
            raise
        if isinstance(call, Replay):
            await self.repeat(exchange, payer, order, call)
            return
        try:
            served = await self.run(exchange, call)
            metered = await self.meter(call, served)
        except BaseException as error:
            await asyncio.shield(self.releases.release_after(call, error))
            if exchange.started and isinstance(error, UsufructError):
                await self.responder.end_with_error(exchange, error)
                return
            raise
        await self.responder.finish(exchange, call, served, self.receipt(metered))

    async def identify(self, exchange: Exchange) -> Payer | Unpaid:
        """Identify the payer.

        Raises:
            Unauthenticated: when the credentials are wrong, or are missing where no quote is given.
        """
        return await self.payments.identify(exchange)

    async def read(self, exchange: Exchange, operation: Operation, payer: Payer | None) -> Order:
        """Read the request, and count its input."""
        return await self.reader.read(exchange, operation, payer)

    async def admit(self, exchange: Exchange, payer: Payer, order: Order) -> OpenCall | Replay:
        """Find the stored answer, or price, fund and open the call; the headers of a refusal say how to pay."""
        try:
            call = await self.find_replay(payer, order) or await self.open_affordable(exchange, payer, order)
        except PaymentRequired as refusal:
            with suppress(OverBudget):
                exchange.attach(await payer.refusal_headers(exchange, order, refusal))
            raise
        if isinstance(call, OpenCall):
            exchange.attach(await payer.response_headers(0, call.total - call.price.allowance.ceiling, call.funded))
        return call

    async def find_replay(self, payer: Payer, order: Order) -> Replay | None:
        """Find the stored answer of the same payer's same request, before it is priced or funded again."""
        identity = payer.identity
        if order.idempotency is None or not identity.is_proven:
            return None
        return await self.ledger.find_replay(identity.account, order.idempotency, identity.voucher)

    async def open_affordable(self, exchange: Exchange, payer: Payer, order: Order) -> OpenCall | Replay:
        """Price, fund and open the call, with less output when the account does not carry the price."""
        refused: Refused | None = None
        for lowerings_left in range(self.policy.lowerings, -1, -1):
            price = self.price(payer, order, refused)
            try:
                return await self.open(payer, order, price, await self.fund_call(exchange, payer, order, price))
            except PaymentRequired as refusal:
                if not lowerings_left:
                    raise
                refused = Refused(price, refusal)
        raise AssertionError("the last attempt returns or raises")

    def price(self, payer: Payer, order: Order, refused: Refused | None) -> Price:
        """Price the call; after a refusal, lower."""
        return payer.price(order, refused)

    async def fund_call(self, exchange: Exchange, payer: Payer, order: Order, price: Price) -> FundedCall:
        """Fund the call: a deposit that came with it is submitted, awaited, and named in the answer."""
        funded = await payer.fund_call(order, price, Hash32(exchange.call_id))
        if funded.deposit is not None:
            exchange.attach(await payer.response_headers(0, 0, funded))
        return funded

    async def open(self, payer: Payer, order: Order, price: Price, funded: FundedCall) -> OpenCall | Replay:
        """Reserve the ceiling; of two equal requests at once, the ledger opens one.

        The upstream may be asked at once; nothing may leave before `OpenCall.opened.durable`.
        """
        reservation = funded.reservation
        try:
            opened = await self.ledger.open(reservation)
        except (DatabaseUnavailable, asyncio.CancelledError):
            self.releases.add(Lease(reservation.call, reservation.account, FIRST_EPOCH), "unknown")
            raise
        return opened if isinstance(opened, Replay) else OpenCall(payer, order, price, funded, opened)

    async def run(self, exchange: Exchange, call: OpenCall) -> Served:
        """Ask the upstreams; a stream goes out as it comes."""
        return await self.responder.run(exchange, call)

    async def meter(self, call: OpenCall, served: Served) -> Call:
        """Charge the call; durable when this returns."""
        return await self.call_meter.meter(call, served)

    def receipt(self, metered: Call) -> SignedReceipt:
        """Return the receipt, which was signed as the call was metered."""
        return signed(metered, self.operator)

    async def repeat(self, exchange: Exchange, payer: Payer, order: Order, replay: Replay) -> None:
        """Give the stored answer again, with the receipt it had; nothing is charged."""
        call = await self.ledger.call(replay.call)
        assert call is not None, "a stored answer has a call"
        receipt = await kept_receipt(call, self.operator)
        exchange.attach(await payer.response_headers(receipt.receipt.amount, receipt.receipt.cumulative, None))
        self.counters.replayed()
        await self.responder.repeat(exchange, order.work, KeptAnswer.unpacked(replay.answer), receipt)
