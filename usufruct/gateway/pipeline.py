"""A paid call, from its request to its receipt: the stages in the order in which they run."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass

from usufruct.core import Hash32, PaymentRequired, UsufructError
from usufruct.core.process import unbroken
from usufruct.gateway.call_limits import CallLimits
from usufruct.gateway.call_order import CallOrder, Price
from usufruct.gateway.call_order_reader import CallOrderReader
from usufruct.gateway.call_rate import CallRate
from usufruct.gateway.call_releases import ReleaseQueue
from usufruct.gateway.disconnect_limit import DisconnectLimit
from usufruct.gateway.metrics import CallCounters
from usufruct.gateway.open_call import KeptAnswer, OpenCall
from usufruct.gateway.operations.base import Operation
from usufruct.gateway.operator_profile import Operator
from usufruct.gateway.payers.base import Payer
from usufruct.gateway.payers.methods import PaymentMethods
from usufruct.gateway.quality.service import ServiceQuality
from usufruct.gateway.responses import Responder, Served
from usufruct.gateway.signed_receipt import SignedReceipt, kept_receipt, signed, with_savings
from usufruct.payments.ledger import Bill, Call, Lease, Ledger, Replay
from usufruct.payments.pricing import OverBudget, Receipt, Usage, charge_up, price_lines, sign_receipt
from usufruct.store import DatabaseUnavailable
from usufruct.web import HttpExchange

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The way of every paid call: identify, read, replay, price, fund, open, run, meter, receipt.

    `call_rate` is None where payers may make any number of calls.
    """

    payments: PaymentMethods
    reader: CallOrderReader
    ledger: Ledger
    responder: Responder
    releases: ReleaseQueue
    disconnects: DisconnectLimit
    operator: Operator
    counters: CallCounters
    quality: ServiceQuality
    limits: CallLimits
    call_rate: CallRate | None = None

    async def serve(self, exchange: HttpExchange, operation: Operation) -> None:
        """Answer a paid request.

        Raises:
            UsufructError: every refusal and fault; nothing was charged.
        """
        try:
            payer = await self.payments.identify(exchange)
            order = await self.reader.read(exchange, operation, payer)
            if payer is None:
                order.listing.check_open()
                raise await self.payments.refuse_unpaid(exchange, order)
            call = await self.admit(exchange, payer, order)
        except UsufructError as refusal:
            self.counters.refused(refusal.code)
            raise
        if isinstance(call, Replay):
            await self.repeat(exchange, payer, order, call)
            return
        try:
            served = await self.responder.run(exchange, call)
            metered = await self.meter(call, served)
        except BaseException as error:
            await self.release(exchange, call, error)
            if exchange.started and isinstance(error, UsufructError):
                await self.responder.end_with_error(exchange, error)
                return
            raise
        await self.responder.finish(exchange, call, served, self.receipt(call, metered))

    async def release(self, exchange: HttpExchange, call: OpenCall, error: BaseException) -> None:
        """End an open call, uncharged, for an error."""
        self.quality.released(call.order.listing.id, error, started=exchange.started)
        await asyncio.shield(self.releases.release_after(call, error))

    def receipt(self, call: OpenCall, metered: Call) -> SignedReceipt:
        """Return a metered call's receipt, with what the payer's level saved."""
        receipt = signed(metered, call.opened.account.token, self.operator)
        if not call.price.discount_bps:
            return receipt
        receipt = with_savings(receipt, call.order.listing)
        self.counters.saved(call.order.listing.name, receipt.saved)
        return receipt

    async def admit(self, exchange: HttpExchange, payer: Payer, order: CallOrder) -> OpenCall | Replay:
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

    async def find_replay(self, payer: Payer, order: CallOrder) -> Replay | None:
        """Find the stored answer of the same payer's same request, before it is priced or funded again."""
        identity = payer.identity
        if order.idempotency is None or not identity.is_proven:
            return None
        return await self.ledger.find_replay(identity.account, order.idempotency, identity.voucher)

    async def open_affordable(self, exchange: HttpExchange, payer: Payer, order: CallOrder) -> OpenCall | Replay:
        """Price, fund and open the call, with less output when the account does not carry the price.

        Only a new call is refused by a service that is paused or off sale, counts against the payer's quota, and is
        prepared: a stored answer was paid.
        """
        order.listing.check_open()
        price = payer.price(order)
        if self.call_rate is not None:
            await self.call_rate.count(payer.identity, payer.has_funds)
        await order.work.prepare()
        for _ in range(self.limits.lowerings):
            try:
                return await self.fund_and_open(exchange, payer, order, price)
            except PaymentRequired as refusal:
                price = payer.lower_price(order, price, refusal)
        return await self.fund_and_open(exchange, payer, order, price)

    async def fund_and_open(
        self, exchange: HttpExchange, payer: Payer, order: CallOrder, price: Price
    ) -> OpenCall | Replay:
        """Fund the call, naming a deposit that was made for it in the answer, and reserve its ceiling.

        Of two equal requests at once, the ledger opens one. The upstream may be asked at once; nothing may leave before
        `OpenCall.opened.durable`.
        """
        funded = await payer.fund_call(order, price, Hash32(exchange.call_id))
        if funded.deposit is not None:
            exchange.attach(await payer.response_headers(0, 0, funded))
        reservation = funded.reservation
        try:
            opened = await self.ledger.open(reservation)
        except (DatabaseUnavailable, asyncio.CancelledError):
            self.releases.add(Lease(reservation.call, reservation.account), "unknown")
            raise
        return opened if isinstance(opened, Replay) else OpenCall(order, price, payer, funded, opened)

    async def meter(self, call: OpenCall, served: Served) -> Call:
        """Charge a call, with the receipt's signature made in the same step; durable when this returns.

        Raises:
            CallLost: when the lease ended meanwhile; this attempt bills nothing.
            DatabaseUnavailable: when the ledger stays unreachable; the call will be released uncharged.
        """
        listing, measured = call.order.listing, served.measured
        lines = price_lines(measured.usage.quantities, call.price.card)
        bill = Bill(
            charge=charge_up(lines, call.price.allowance.ceiling),
            lines=lines,
            flagged=measured.flagged,
            model_digest=listing.served_digest,
            response_hash=served.response_hash,
            counted_by=measured.counted_by,
            reasoning_tokens=measured.reasoning_tokens,
        )
        metered = await self._meter(call.lease, bill, served.kept.packed() if call.order.idempotency else None)
        self.counters.metered(listing.name, bill)
        self.quality.charged(listing.id, served.fault, served.times, bill)
        if bill.charge:
            self.disconnects.paid(call.payer.identity.abuse_account)
        _log(call, bill, measured.usage)
        return metered

    async def _meter(self, lease: Lease, bill: Bill, kept: bytes | None) -> Call:
        """Meter, again when the database did not answer: the ledger counts it once."""
        for _ in range(self.limits.meter_tries - 1):
            try:
                return await unbroken(self.ledger.meter(lease, bill, kept, self._sign))
            except DatabaseUnavailable:
                await unbroken(asyncio.sleep(self.limits.meter_pause))
        return await unbroken(self.ledger.meter(lease, bill, kept, self._sign))

    def _sign(self, receipt: Receipt) -> bytes:
        """Sign a call's receipt, once: the ledger keeps the signature."""
        return sign_receipt(receipt, self.operator.escrow.chain_id, self.operator.till, self.operator.receipts)

    async def repeat(self, exchange: HttpExchange, payer: Payer, order: CallOrder, replay: Replay) -> None:
        """Give the stored answer again, with the receipt it had; nothing is charged."""
        call = await self.ledger.call(replay.call)
        assert call is not None, "a stored answer has a call"
        receipt = with_savings(await kept_receipt(self.ledger, call, self.operator), order.listing)
        self.counters.replayed()
        await self.responder.repeat(exchange, payer, order.work, KeptAnswer.unpacked(replay.answer), receipt)


def _log(call: OpenCall, bill: Bill, usage: Usage) -> None:
    extra = {
        "call_id": call.lease.call,
        "payer": call.payer.identity.name,
        "asset": call.order.listing.name,
        "input_tokens": usage.input_tokens,
        "cached_input_tokens": usage.cached_input_tokens,
        "output_tokens": usage.output_tokens,
        "counted_by": bill.counted_by.value,
        "charge": bill.charge,
        "ceiling": call.price.allowance.ceiling,
        "discount_bps": call.price.discount_bps,
    }
    if bill.flagged:
        logger.warning("the upstream's usage was overruled", extra=extra)
    logger.info("metered", extra=extra)
