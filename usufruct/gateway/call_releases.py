"""Ends calls that are charged nothing, also when the database is down as they end."""

import asyncio
import logging

from usufruct.core import UsufructError
from usufruct.gateway.disconnect_limit import DisconnectLimit, is_callers
from usufruct.gateway.metrics import CallCounters
from usufruct.gateway.open_call import OpenCall
from usufruct.payments.ledger import CallLost, CallUnknown, Lease, Ledger
from usufruct.store import DatabaseUnavailable
from usufruct.web import ClientGone, ShuttingDown

logger = logging.getLogger(__name__)


class ReleaseQueue:
    """Releases calls, and keeps those whose release failed.

    A living process renews the leases of its open calls, so a call that is not released here would stay open.
    """

    def __init__(self, ledger: Ledger, disconnects: DisconnectLimit, counters: CallCounters) -> None:
        """Begin with nothing to release."""
        self._ledger = ledger
        self._disconnects = disconnects
        self._counters = counters
        self._waiting: dict[Lease, str] = {}

    def add(self, lease: Lease, reason: str) -> None:
        """Let the next `retry` release a call, if it is open at all."""
        self._waiting[lease] = reason

    async def release(self, lease: Lease, reason: str) -> None:
        """End a call uncharged: now, or by `retry` when the database does not answer now."""
        self._waiting[lease] = reason
        await self._release(lease, reason)

    async def release_after(self, call: OpenCall, error: BaseException) -> None:
        """End a call uncharged for an error; one that its caller had made for nothing counts against its payer."""
        if is_callers(error):
            self._disconnects.note(call.payer.identity.abuse_account, stream=call.order.work.streamed is not None)
        await self.release(call.lease, _reason(error))

    async def retry(self) -> None:
        """Retry the releases that failed."""
        for lease, reason in list(self._waiting.items()):
            await self._release(lease, reason)

    async def _release(self, lease: Lease, reason: str) -> None:
        extra = {"call_id": lease.call, "reason": reason}
        try:
            await self._ledger.release(lease, reason)
        except DatabaseUnavailable:
            logger.exception("not released; will be tried again", extra=extra)
            return
        except (CallLost, CallUnknown) as ended:
            logger.warning("not released: %s", ended.message, extra=extra)
        else:
            self._counters.released(reason)
            logger.info("released", extra=extra)
        self._waiting.pop(lease, None)


def _reason(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError):
        return ShuttingDown.code
    if isinstance(error, UsufructError):
        return error.code
    return "client_gone" if isinstance(error, ClientGone) else "faulty"
