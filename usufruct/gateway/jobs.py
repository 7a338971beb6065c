"""What a worker runs for the gateway: keys without money behind them are removed."""

import logging

from usufruct.accounts import BearerKey, Keys
from usufruct.core import Clock
from usufruct.payments.ledger import Ledger
from usufruct.payments.settlement import AccountSync

UNUSED_SECONDS = 3 * 86_400
"""How long a key waits for its first money."""

_log = logging.getLogger(__name__)


class UnusedKeys:
    """Removes keys whose channel never held anything; the channel stays, so that late money goes back by itself."""

    def __init__(self, keys: Keys, ledger: Ledger, sync: AccountSync, clock: Clock) -> None:
        """Ask the chain by `sync` before anything is removed."""
        self._keys = keys
        self._ledger = ledger
        self._sync = sync
        self._clock = clock

    async def run(self) -> int:
        """Note which keys got money, and return how many were removed that got none in `UNUSED_SECONDS`.

        Raises:
            RpcUnavailable: when the node does not answer; the key stays.
        """
        removed = sum([await self._look(key) for key in await self._keys.store.waiting()])
        if removed:
            _log.info("removed keys that never got money", extra={"keys": removed})
        return removed

    async def _look(self, key: BearerKey) -> bool:
        channel = await self._ledger.account(key.channel)
        if channel.reading.balance or channel.charged:
            await self._keys.store.end_waiting(key.id)
            return False
        if self._clock.now() < key.created_at + UNUSED_SECONDS:
            return False
        reading = await self._sync.peek(channel)
        if reading.balance or reading.total_claimed:
            await self._sync.observe([channel])
            return False
        deposit = await self._ledger.pending_deposit_of(key.payer)
        if deposit is not None and deposit.account == key.channel:
            return False
        await self._keys.remove(key)
        return True
