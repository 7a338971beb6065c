"""A free call, from its request to its answer: it reaches the upstream as a paid call does, without the ledger."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.connectors.openai import UpstreamBusy, UpstreamDenied, UpstreamDown, UpstreamFault, UpstreamSlow
from usufruct.core import Clock, UsufructError, value
from usufruct.gateway.call_order import CallOrder, Price
from usufruct.gateway.call_order_reader import CallOrderReader
from usufruct.gateway.disconnect_limit import is_callers
from usufruct.gateway.errors import SampleTooLong
from usufruct.gateway.metrics import CallCounters
from usufruct.gateway.open_call import RunningCall
from usufruct.gateway.operations.base import Budget, Operation
from usufruct.gateway.operator_profile import Operator
from usufruct.gateway.responses import Responder, Served
from usufruct.gateway.samples.bill import SampleBill, sample_headers
from usufruct.gateway.samples.service import FreeSamples, TakenSample
from usufruct.payments.pricing import OverBudget, charge_up, price_lines
from usufruct.store import DatabaseUnavailable
from usufruct.web import Header, HttpExchange, client_network
from usufruct.web.ui import check_own_site

logger = logging.getLogger(__name__)


@value
class SampleCall(RunningCall):
    """A free call. Its count was committed before the call was made."""

    taken: TakenSample

    @property
    def commit(self) -> "asyncio.Future[None]":
        """A completed commit."""
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    async def stream_headers(self) -> Sequence[Header]:
        """Return the headers of a stream."""
        return sample_headers(self.taken)


@dataclass(frozen=True, slots=True)
class SamplePipeline:
    """The stages of every free call: check the origin, read, count, run, bill 0. No account, no money, no receipt."""

    samples: FreeSamples
    reader: CallOrderReader
    responder: Responder
    operator: Operator
    counters: CallCounters
    clock: Clock

    async def serve(self, exchange: HttpExchange, operation: Operation) -> None:
        """Answer a free call. A payment in the request is ignored.

        Raises:
            CrossSite: when another site's page sent it.
            UsufructError: every other refusal and fault.
        """
        check_own_site(exchange)
        try:
            order = await self.reader.read_sample(exchange, operation)
            price = _price(order)
            taken = await self.samples.take(order.listing, client_network(exchange))
        except UsufructError as refusal:
            self.counters.refused(refusal.code)
            raise
        call = SampleCall(order, price, taken)
        exchange.attach(sample_headers(taken))
        try:
            served = await self.responder.run(exchange, call)
        except BaseException as error:
            await asyncio.shield(self._fail(exchange, call, error))
            if exchange.started and isinstance(error, UsufructError):
                await self.responder.end_with_error(exchange, error)
                return
            raise
        await self.responder.send_rest(exchange, served, self._bill(exchange, call, served))

    def _bill(self, exchange: HttpExchange, call: SampleCall, served: Served) -> SampleBill:
        measured, listing = served.measured, call.order.listing
        lines = price_lines(measured.usage.quantities, call.price.card)
        self.counters.sampled(listing.name, "answered")
        extra = {
            "call_id": exchange.call_id,
            "asset": listing.name,
            "input_tokens": measured.usage.input_tokens,
            "output_tokens": measured.usage.output_tokens,
        }
        logger.info("gave a free sample", extra=extra)
        paid = charge_up(lines, call.price.allowance.ceiling)
        return SampleBill(exchange.call_id, self.clock.now(), measured, paid, call.taken, self.operator)

    async def _fail(self, exchange: HttpExchange, call: SampleCall, error: BaseException) -> None:
        """Give a failed call back, unless a server worked for it: a visitor can cause such failures."""
        self.counters.sampled(call.order.listing.name, "failed")
        if exchange.started or is_callers(error) or _cost_work(error):
            return
        try:
            exchange.attach(sample_headers(await self.samples.give_back(call.taken)))
        except DatabaseUnavailable:
            logger.exception("a free call that failed stays counted", extra={"call_id": exchange.call_id})


def _cost_work(error: BaseException) -> bool:
    """Tell whether an upstream may have worked before it failed like this."""
    if isinstance(error, UpstreamSlow):
        return error.details.get("phase") != "connect"
    return isinstance(error, UpstreamFault) and not isinstance(error, UpstreamDown | UpstreamDenied | UpstreamBusy)


def _price(order: CallOrder) -> Price:
    """Return what a paid call with this output would cost at most.

    Raises:
        OverContext, SampleTooLong: when it does not fit.
    """
    try:
        return Price(order.card, order.work.limits(order.card, Budget()))
    except OverBudget as error:
        message = "the input leaves too little of the context window for an answer; shorten it"
        raise SampleTooLong(message, field="messages") from error
