"""The configurations of channels, which the ledger does not keep: what a channel's account is on the chain."""

from usufruct.core import Hash32
from usufruct.payments.ledger import Account, AccountIdentity, AccountReading, Ledger
from usufruct.payments.pricing import ChannelConfig, Escrow
from usufruct.payments.settlement.channel_reader import channel_identity
from usufruct.payments.settlement.configurations import channel_configurations
from usufruct.store import Database
from usufruct_client.wire import ChannelOnChain, ChannelUse


class ChannelRegistry:
    """Channels that are known here, with their configurations."""

    def __init__(self, database: Database, ledger: Ledger, escrow: Escrow) -> None:
        self.configs = channel_configurations(database, escrow)
        self._ledger = ledger
        self._escrow = escrow

    async def add(self, config: ChannelConfig) -> AccountIdentity:
        """Keep a channel's configuration and return the account that it funds."""
        await self.configs.add(config)
        return channel_identity(self._escrow, config)

    async def open_empty(self, config: ChannelConfig) -> Hash32:
        """Make a channel known to the ledger that holds nothing yet; a deposit on the chain fills it."""
        identity = await self.add(config)
        await self._ledger.observe(AccountReading(identity, block=0, balance=0, total_claimed=0))
        return identity.id

    async def config(self, channel: Hash32) -> ChannelConfig:
        """Return a channel's configuration; raises as `Configurations.find`."""
        return (await self.configs.find([channel]))[channel]

    async def channel(self, channel: Hash32) -> tuple[ChannelOnChain, ChannelUse]:
        """Return the chain's side of a channel and ours: the latter is for the channel's payer only.

        Raises:
            AccountUnknown: when there is none.
        """
        return await self.describe(await self._ledger.account(channel))

    async def describe(self, account: Account) -> tuple[ChannelOnChain, ChannelUse]:
        """Return the chain's side of an account that a channel funds, and ours."""
        reading, config = account.reading, await self.config(account.id)
        on_chain = ChannelOnChain(account.id, config, reading.balance, reading.total_claimed, reading.withdraw_at)
        return on_chain, ChannelUse(account.charged, account.reserved, account.free)
