"""A channel as the chain has it; no gateway is asked."""

from dataclasses import dataclass

from usufruct.chain import Client, TokenFacts, token_facts
from usufruct.chain.contracts.batch_settlement import BatchSettlement, ChannelCreated
from usufruct.chain.escrow import SETTLEMENT
from usufruct.cli.support.local_store import saved_channel
from usufruct.config import Config
from usufruct.core import Conflict, Hash32, NotFound, format_units, moment
from usufruct_client import channel_id
from usufruct_client.wire import ChannelConfig


@dataclass(frozen=True, slots=True)
class EscrowChannel:
    """A channel's money on the chain, in atomic units, as of chain time `now`.

    `leaving`: what a withdrawal was announced for, since chain time `left_at`; both 0 when none was.
    """

    id: Hash32
    config: ChannelConfig
    token: TokenFacts
    balance: int
    claimed: int
    leaving: int
    left_at: int
    now: int

    @property
    def unclaimed(self) -> int:
        """Return what can still be claimed or withdrawn."""
        return self.balance - self.claimed

    @property
    def finish_at(self) -> int:
        """Return the chain time from which the announced withdrawal can be finished."""
        return self.left_at + self.config.withdraw_delay

    def shown(self, amount: int) -> str:
        """Write an amount in whole units of the token."""
        return format_units(amount, self.token.decimals)

    def facts(self) -> dict[str, object]:
        """Return what is printed."""
        return {
            "channel": self.id,
            "payer": self.config.payer,
            "payer_authorizer": self.config.payer_authorizer,
            "till": self.config.receiver,
            "token": self.token.symbol,
            "balance": self.shown(self.balance),
            "claimed": self.shown(self.claimed),
            "leaving": self.shown(self.leaving),
            "finish_from": moment(self.finish_at) if self.left_at else None,
        }


async def read_escrow_channel(client: Client, config: Config, channel: Hash32) -> EscrowChannel:
    """Read a channel from the chain."""
    saved = saved_channel(config, channel)
    of = saved.channel_config if saved else await _created(client, channel)
    found = channel_id(of, config.chain.id)
    if found != channel:
        raise Conflict(
            f"what is known of channel {channel} is channel {found}; pay nothing into it", code="channel_mismatch"
        )
    settlement, key = BatchSettlement(SETTLEMENT, client), bytes.fromhex(channel[2:])
    money, leaving = await settlement.channels(key), await settlement.pending_withdrawals(key)
    return EscrowChannel(
        id=channel,
        config=of,
        token=await token_facts(client, of.token),
        balance=money.balance,
        claimed=money.total_claimed,
        leaving=leaving.amount,
        left_at=leaving.initiated_at,
        now=(await client.head()).timestamp,
    )


async def _created(client: Client, channel: Hash32) -> ChannelConfig:
    """Find what a channel is in the event of its first deposit."""
    last = await client.block_number()
    logs = await client.logs(0, last, addresses=[SETTLEMENT], topics=[ChannelCreated.TOPIC, channel])
    if not logs:
        raise NotFound(
            f"channel {channel} is neither kept here nor found on the chain; has money been paid into it?",
            code="channel_not_found",
        )
    of = ChannelCreated.decode(logs[0]).config
    return ChannelConfig(
        payer=of.payer,
        payer_authorizer=of.payer_authorizer,
        receiver=of.receiver,
        receiver_authorizer=of.receiver_authorizer,
        token=of.token,
        withdraw_delay=of.withdraw_delay,
        salt=Hash32("0x" + of.salt.hex()),
    )
