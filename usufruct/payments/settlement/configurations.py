"""What funds each account, by kind: the configuration of its channel, or which pass credits were activated."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Column, Row, Table, insert, select

from usufruct.core import DAY_SECONDS, Clock, Hash32
from usufruct.payments.ledger import Account, AccountIdentity, AccountKind, AccountReading, AccountUnknown, Ledger
from usufruct.payments.pricing import ActivatedCredits, ChannelConfig, Escrow, PassTerms, channel_id
from usufruct.store import AddressColumn, ConstraintViolated, Database, HashColumn, metadata
from usufruct_client.wire import ChannelOnChain, ChannelUse

C = TypeVar("C")

_MANY = 500

escrow_channels = Table(
    "escrow_channels",
    metadata,
    Column("account_id", HashColumn, primary_key=True),
    Column("payer", AddressColumn, nullable=False),
    Column("payer_authorizer", AddressColumn, nullable=False),
    Column("receiver", AddressColumn, nullable=False),
    Column("receiver_authorizer", AddressColumn, nullable=False),
    Column("token", AddressColumn, nullable=False),
    Column("withdraw_delay", BigInteger, nullable=False),
    Column("salt", HashColumn, nullable=False),
)

pass_credits = Table(
    "pass_credits",
    metadata,
    Column("account_id", HashColumn, primary_key=True),
    Column("plan", HashColumn, nullable=False),
    Column("holder", AddressColumn, nullable=False),
    Column("meter", AddressColumn, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Configurations(Generic[C]):
    """The configurations of one kind of account; once added, one never changes.

    They are in `table`, each as `row_of` writes and `read` reads it, under the account that `account_of` gives.
    """

    database: Database
    table: Table
    account_of: Callable[[C], Hash32]
    row_of: Callable[[C], Mapping[str, Any]]
    read: Callable[[Row[Any]], C]

    async def add(self, config: C) -> None:
        """Keep a configuration, unless it is kept already."""
        account, table = self.account_of(config), self.table
        async with self.database.snapshot() as unit:
            if await unit.row(select(table.c.account_id).where(table.c.account_id == account)):
                return
        with suppress(ConstraintViolated):  # it is there already
            async with self.database.transaction() as unit:
                await unit.change(insert(table).values(account_id=account, **self.row_of(config)))

    async def find(self, ids: Sequence[Hash32]) -> dict[Hash32, C]:
        """Return the configurations of these accounts.

        Raises:
            AccountUnknown: when one is not kept here, or is not that of its account.
        """
        found = await self.known(ids)
        for id_ in ids:
            if id_ not in found:
                raise AccountUnknown(id_)
        return found

    async def known(self, ids: Sequence[Hash32]) -> dict[Hash32, C]:
        """Return the configurations of those of these accounts that have theirs kept here."""
        found: dict[Hash32, C] = {}
        async with self.database.snapshot() as unit:
            for start in range(0, len(ids), _MANY):
                some = self.table.c.account_id.in_(ids[start : start + _MANY])
                found |= {row.account_id: self.read(row) for row in await unit.rows(select(self.table).where(some))}
        return {id_: config for id_, config in found.items() if self.account_of(config) == id_}


def channel_configurations(database: Database, escrow: Escrow) -> Configurations[ChannelConfig]:
    """Return the configurations of an escrow's channels."""

    def read(row: Row[Any]) -> ChannelConfig:
        return ChannelConfig(**{field.name: getattr(row, field.name) for field in fields(ChannelConfig)})

    return Configurations(database, escrow_channels, lambda config: channel_id(escrow, config), asdict, read)


def credits_configurations(database: Database, terms: PassTerms) -> Configurations[ActivatedCredits]:
    """Return which activated credits fund accounts."""

    def row_of(activated: ActivatedCredits) -> Mapping[str, Any]:
        return asdict(activated) | {"plan": Hash32(f"0x{activated.plan:064x}")}

    def read(row: Row[Any]) -> ActivatedCredits:
        return ActivatedCredits(int(row.plan, 16), row.holder, row.meter)

    return Configurations(database, pass_credits, terms.account_id, row_of, read)


def channel_identity(escrow: Escrow, config: ChannelConfig) -> AccountIdentity:
    """Return the ledger account that a channel funds."""
    id_ = channel_id(escrow, config)
    kind = AccountKind.ESCROW_CHANNEL
    return AccountIdentity(id_, kind, escrow.chain_id, config.payer, config.payer_authorizer, config.token)


class ChannelRegistry:
    """Channels that are known here, with their configurations."""

    def __init__(self, database: Database, ledger: Ledger, escrow: Escrow, clock: Clock) -> None:
        self.configs = channel_configurations(database, escrow)
        self._clock = clock
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
        today = account.charged_on(self._clock.now() // DAY_SECONDS)
        return on_chain, ChannelUse(account.charged, account.reserved, account.free, today, account.last_call_at)
