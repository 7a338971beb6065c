"""The configurations of channels, which the ledger does not keep: what a channel's account is on the chain."""

from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.core import Hash32
from usufruct.payments.ledger import Account, AccountIdentity, AccountReading, AccountUnknown, Ledger
from usufruct.payments.pricing import ChannelConfig, Escrow, channel_id
from usufruct.payments.settlement.account_store import add_channel, find_channels
from usufruct.payments.settlement.channel_reader import channel_identity
from usufruct.store import Database
from usufruct_client.wire import ChannelOnChain, ChannelUse


@dataclass(frozen=True, slots=True)
class Channel:
    """An account funded by a channel, with the channel's configuration."""

    account: Account
    config: ChannelConfig

    @property
    def charged(self) -> int:
        """What was charged in all."""
        return self.account.charged

    @property
    def reserved(self) -> int:
        """What running calls may cost."""
        return self.account.reserved

    def document(self) -> ChannelOnChain:
        """Return what everyone can read on the chain."""
        reading = self.account.reading
        return ChannelOnChain(reading.id, self.config, reading.balance, reading.total_claimed, reading.withdraw_at)

    def as_json(self) -> dict[str, object]:
        """Return the chain's side and ours as they travel: for the channel's payer only."""
        account = self.account
        return self.document().as_json() | ChannelUse(account.charged, account.reserved, account.free).as_json()


class ChannelRegistry:
    """Channels that are known here, with their configurations."""

    def __init__(self, database: Database, ledger: Ledger, escrow: Escrow) -> None:
        self._database = database
        self._ledger = ledger
        self._escrow = escrow

    async def add(self, config: ChannelConfig) -> AccountIdentity:
        """Keep a channel's configuration and return the account that it funds."""
        identity = channel_identity(self._escrow, config)
        await add_channel(self._database, identity.id, config)
        return identity

    async def open_empty(self, config: ChannelConfig) -> Hash32:
        """Make a channel known to the ledger that holds nothing yet; a deposit on the chain fills it."""
        identity = await self.add(config)
        await self._ledger.observe(AccountReading(identity, block=0, balance=0, total_claimed=0))
        return identity.id

    async def configs(self, ids: Sequence[Hash32]) -> dict[Hash32, ChannelConfig]:
        """Return the configurations of these channels.

        Raises:
            AccountUnknown: when one is not kept here, or is not that of its channel.
        """
        async with self._database.snapshot() as unit:
            found = await find_channels(unit, ids)
        for id_ in ids:
            if id_ not in found or channel_id(self._escrow, found[id_]) != id_:
                raise AccountUnknown(id_)
        return found

    async def config(self, channel: Hash32) -> ChannelConfig:
        """Return a channel's configuration; raises as `configs`."""
        return (await self.configs([channel]))[channel]

    async def channel(self, channel: Hash32) -> Channel:
        """Return a channel with its account.

        Raises:
            AccountUnknown: when there is none.
        """
        return Channel(await self._ledger.account(channel), await self.config(channel))
