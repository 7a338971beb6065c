"""Who announced a withdrawal: the event does not say, so the sender of its transaction is looked up."""

import logging

from usufruct.chain import Client, Header, Log
from usufruct.chain.contracts.batch_settlement import WithdrawInitiated
from usufruct.core import Address, Hash32

_MOST_REMEMBERED = 10_000

_log = logging.getLogger(__name__)


class Announcers:
    """Finds senders of announcements, each once."""

    def __init__(self, client: Client, settlement: Address) -> None:
        self._client = client
        self._settlement = settlement
        self._known: dict[tuple[Hash32, int], Address | None] = {}

    async def announcer(self, channel: Hash32, announced: int, head: Header) -> Address | None:
        """Return who sent the transaction in which a channel's withdrawal was announced; None if it is not found.

        `announced` is the chain's time of the announcement, which is its block's; `head` is the newest block.

        Raises:
            RpcUnavailable: when the node does not answer.
        """
        key = (channel, announced)
        if key not in self._known:
            if len(self._known) >= _MOST_REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[key] = found = await self._find(channel, announced, head)
            _log.warning("channel %s: %s announced a withdrawal", channel, found or "an unknown sender")
        return self._known[key]

    async def _find(self, channel: Hash32, announced: int, head: Header) -> Address | None:
        first = await self._first_block(announced, head)
        last = await self._first_block(announced + 1, head)
        logs = await self._client.logs(
            first, last, addresses=[self._settlement], topics=[WithdrawInitiated.TOPIC, channel]
        )
        return await self._sender(logs[-1]) if logs else None

    async def _first_block(self, time: int, head: Header) -> int:
        """Return the first block at or after a time, or the newest."""
        low, high = 0, head.number
        while low < high:
            middle = (low + high) // 2
            header = await self._client.header(middle)
            if header is None or header.timestamp >= time:
                high = middle
            else:
                low = middle + 1
        return low

    async def _sender(self, log: Log) -> Address | None:
        sent = await self._client.transactions(log.block_number)
        return next((each.sender for each in sent if each.hash == log.transaction_hash), None)
