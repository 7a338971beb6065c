"""Read escrow channels from the chain, many in one call."""

import logging
from collections.abc import Sequence

from usufruct.chain import Client, Header, UnreadableAnswer, keccak
from usufruct.chain.contracts.batch_settlement import BatchSettlement, WithdrawInitiated
from usufruct.core import Address, Hash32
from usufruct.payments.ledger import AccountReading
from usufruct.payments.pricing import ChannelConfig, Escrow, channel_id
from usufruct.payments.settlement.configurations import channel_identity
from usufruct.payments.settlement.funding_source import Readings, read_at_one_block

_CHANNELS = keccak(b"channels(bytes32)")[:4]
_WITHDRAWALS = keccak(b"pendingWithdrawals(bytes32)")[:4]
_MANY = 100
_MOST_REMEMBERED = 10_000

_log = logging.getLogger(__name__)


class ChannelReader:
    """Reads channels of the escrow."""

    def __init__(self, client: Client, escrow: Escrow, confirmations: int = 1) -> None:
        self._client = client
        self._escrow = escrow
        self._confirmations = confirmations
        self._settlement = BatchSettlement(escrow.contract, client)
        self._senders: dict[tuple[Hash32, int], Address | None] = {}
        """Of announced withdrawals."""

    async def read(self, configs: Sequence[ChannelConfig]) -> Readings:
        """Read the channels with these configurations, all of one block; raises as `read_at_one_block`."""
        return await read_at_one_block(
            self._client, self._confirmations, lambda block, head: self._at(configs, block, head)
        )

    async def _at(self, configs: Sequence[ChannelConfig], block: Header, head: Header) -> list[AccountReading]:
        ids = [channel_id(self._escrow, config) for config in configs]
        then = await self._words(ids, block.number)
        now = then if head == block else await self._words(ids, head.number)
        until = [
            await self._serve_until(channel, config, new[3], head)
            for channel, config, new in zip(ids, configs, now, strict=True)
        ]
        return [
            AccountReading(
                identity=channel_identity(self._escrow, config),
                block=block.number,
                balance=min(old[0], new[0]),
                total_claimed=old[1],
                withdraw_at=new[3] or old[3],
                leaving=max(old[2], new[2]),
                serve_until=served,
            )
            for config, old, new, served in zip(configs, then, now, until, strict=True)
        ]

    async def _serve_until(self, channel: Hash32, config: ChannelConfig, announced: int, head: Header) -> int:
        """Return until when all money can be claimed before it leaves; 0 if none leaves, or the payer announced it.

        The last quarter of the delay is for claiming.
        """
        if not announced or config.payer == config.payer_authorizer:
            return 0
        if await self._announcer(channel, announced, head) != config.payer_authorizer:
            return 0
        return announced + config.withdraw_delay * 3 // 4

    async def _words(self, ids: Sequence[Hash32], block: int) -> list[tuple[int, ...]]:
        """Return (balance, total claimed, amount being withdrawn, since when) of each channel."""
        words: list[tuple[int, ...]] = []
        for start in range(0, len(ids), _MANY):
            keys = [bytes.fromhex(channel[2:]) for channel in ids[start : start + _MANY]]
            questions = [selector + key for key in keys for selector in (_CHANNELS, _WITHDRAWALS)]
            answer = await self._client.call(self._settlement.multicall(questions), block=block)
            answers = _pairs(answer, len(questions))
            words += [state + withdrawal for state, withdrawal in zip(answers[::2], answers[1::2], strict=True)]
        return words

    async def _announcer(self, channel: Hash32, announced: int, head: Header) -> Address | None:
        """Return who sent the transaction in which a channel's withdrawal was announced; None if it is not found.

        `announced` is the chain's time of the announcement, which is its block's; the event does not name the sender.
        """
        key = (channel, announced)
        if key not in self._senders:
            if len(self._senders) >= _MOST_REMEMBERED:
                del self._senders[next(iter(self._senders))]
            self._senders[key] = found = await self._find_announcer(channel, announced, head)
            _log.warning("channel %s: %s announced a withdrawal", channel, found or "an unknown sender")
        return self._senders[key]

    async def _find_announcer(self, channel: Hash32, announced: int, head: Header) -> Address | None:
        first = await self._first_block(announced, head)
        last = await self._first_block(announced + 1, head)
        logs = await self._client.logs(
            first, last, addresses=[self._escrow.contract], topics=[WithdrawInitiated.TOPIC, channel]
        )
        if not logs:
            return None
        sent = await self._client.transactions(logs[-1].block_number)
        return next((each.sender for each in sent if each.hash == logs[-1].transaction_hash), None)

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


def _pairs(output: bytes, count: int) -> list[tuple[int, int]]:
    """Read the `bytes[]` that `multicall` returns: `count` answers of two words each."""

    def word(at: int) -> int:
        return int.from_bytes(output[at : at + 32], "big")

    body = word(0) + 32
    if word(0) != 32 or word(32) != count or len(output) < body + count * (32 + 96):
        raise UnreadableAnswer(f"{count} answers were expected, {len(output)} bytes came; is the settlement there?")
    places = [body + word(body + 32 * index) for index in range(count)]
    if any(place + 96 > len(output) or word(place) != 64 for place in places):
        raise UnreadableAnswer("the settlement's answer has another shape than its ABI; is the settlement there?")
    return [(word(place + 32), word(place + 64)) for place in places]
