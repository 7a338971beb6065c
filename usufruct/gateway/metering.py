"""Charges a served call: once, durably, with the receipt's signature made in the same step."""

import asyncio
import logging

from usufruct.core.process import unbroken
from usufruct.gateway.disconnect_limit import DisconnectLimit
from usufruct.gateway.metrics import CallCounters
from usufruct.gateway.open_call import OpenCall
from usufruct.gateway.operator_profile import Operator
from usufruct.gateway.policy import GatewayPolicy
from usufruct.gateway.responses import Served
from usufruct.gateway.signed_receipt import receipt_signature
from usufruct.payments.ledger import Bill, Call, Lease, Ledger
from usufruct.payments.pricing import Usage, charge_up, price_lines
from usufruct.store import DatabaseUnavailable

logger = logging.getLogger(__name__)


class CallMeter:
    """Charges calls in the ledger, and counts them."""

    def __init__(
        self,
        ledger: Ledger,
        operator: Operator,
        disconnects: DisconnectLimit,
        counters: CallCounters,
        policy: GatewayPolicy,
    ) -> None:
        """Sign receipts as `operator`."""
        self._ledger = ledger
        self._operator = operator
        self._disconnects = disconnects
        self._counters = counters
        self._policy = policy

    async def meter(self, call: OpenCall, served: Served) -> Call:
        """Charge a call; durable when this returns.

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
            model_digest=listing.model_digest,
            response_hash=served.response_hash,
            counted_by=measured.counted_by,
            reasoning_tokens=measured.reasoning_tokens,
        )
        metered = await self._meter(call.lease, bill, served.kept.packed() if call.order.idempotency else None)
        self._counters.metered(listing.name, bill)
        if bill.charge:
            self._disconnects.paid(call.payer.identity.abuse_account)
        _log(call, bill, measured.usage)
        return metered

    async def _meter(self, lease: Lease, bill: Bill, kept: bytes | None) -> Call:
        """Meter, again when the database did not answer: the ledger counts it once."""
        for _ in range(self._policy.meter_tries - 1):
            try:
                return await unbroken(self._ledger.meter(lease, bill, kept, self._sign))
            except DatabaseUnavailable:
                await unbroken(asyncio.sleep(self._policy.meter_pause))
        return await unbroken(self._ledger.meter(lease, bill, kept, self._sign))

    def _sign(self, call: Call) -> bytes:
        """Sign a metered call's receipt, once: the ledger keeps the signature."""
        return receipt_signature(call, self._operator)


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
    }
    if bill.flagged:
        logger.warning("the upstream's usage was overruled", extra=extra)
    logger.info("metered", extra=extra)
