"""The chain of an installation: its node, where our contracts stand, and what is charged in."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from usufruct.chain.client import ChainHead, Client
from usufruct.chain.codec import UnreadableAnswer
from usufruct.chain.contracts.platform_timelock import PlatformTimelock
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.deployment import Deployments
from usufruct.chain.escrow import check_settlement
from usufruct.chain.indexer import Indexer, LogHandler, Stream
from usufruct.chain.keys import DEVNET_ADDRESSES, KeySigner, Role, signer_of
from usufruct.chain.revert import Revert
from usufruct.chain.sender import Sender
from usufruct.chain.token import TokenFacts, token_facts
from usufruct.chain.transport import RetryPolicy
from usufruct.config import Config, InvalidSetting
from usufruct.core import (
    UINT128_MAX,
    Address,
    ChainId,
    Conflict,
    Hash32,
    Unavailable,
    UsufructError,
    address,
    parse_units_up,
)
from usufruct.core.networks import is_devnet, is_local
from usufruct.store import Database, ensure_current, open_database

_log = logging.getLogger(__name__)

_REST_SECONDS = 30.0
"""A process with a job that probes the node leaves that to it: no caller waits for a node that hangs."""

FEE_SINK = DEVNET_ADDRESSES[3]
"""Where devnets' protocol fees go."""


def fee_sink_of(config: Config) -> Address:
    """Return the operator's fee account: it gets what reaches the till without a payee, and the fees where no DAO is.

    Raises:
        InvalidSetting: when that is not configured on a public chain.
    """
    if config.chain.fee_sink:
        return address(config.chain.fee_sink, "chain.fee_sink")
    if is_devnet(config.chain.id):
        return FEE_SINK
    raise InvalidSetting(
        f"chain.fee_sink is needed on chain {config.chain.id}: set it to an address of yours", key="chain.fee_sink"
    )


def token_address(config: Config, deployments: Deployments) -> Address:
    """Return where the token that is charged in stands: the configured one, or else a devnet's test dollar.

    Raises:
        InvalidSetting: when it is not configured on a public chain.
        NotDeployed: when the devnet has no test dollar.
    """
    if config.chain.token:
        return address(config.chain.token)
    if is_devnet(config.chain.id):
        return deployments.address(TestDollar)
    message = f"chain.token is needed on chain {config.chain.id}: set it to the address of the dollar to charge in"
    raise InvalidSetting(message, key="chain.token")


async def token_of(config: Config, client: Client, deployments: Deployments) -> TokenFacts:
    """Return the token that is charged in, as the chain describes it.

    Raises:
        InvalidSetting: when it is not configured on a public chain, or is not a token.
    """
    token = token_address(config, deployments)
    try:
        return await token_facts(client, token)
    except (Revert, UnreadableAnswer) as error:
        raise InvalidSetting(
            f"chain.token: {token} is not an ERC-20 token on chain {config.chain.id}", key="chain.token"
        ) from error


def amount_of(setting: str, name: str, token: TokenFacts) -> int:
    """Return a setting in whole units of the token as atomic units, rounded up.

    Raises:
        InvalidSetting: when the payment contracts could not hold it.
    """
    amount = parse_units_up(setting, token.decimals, name)
    if amount > UINT128_MAX:
        raise InvalidSetting(
            f"{name} is {setting} {token.symbol}, over 2**128 - 1 atomic units at {token.decimals} decimals; lower it",
            key=name,
        )
    return amount


@dataclass(frozen=True)
class ChainAccess:
    """A chain as wallets use it: its node, our contracts' addresses, and the database that remembers what was sent."""

    config: Config
    database: Database
    client: Client
    deployments: Deployments

    @property
    def chain_id(self) -> ChainId:
        """Return the chain this is."""
        return self.deployments.chain_id

    @property
    def treasury(self) -> Address:
        """The DAO's timelock, which is its treasury; the operator's fee account where there is no DAO."""
        if PlatformTimelock.__name__ in self.deployments.contracts:
            return self.deployments.address(PlatformTimelock)
        return fee_sink_of(self.config)

    def sender(self, signer: KeySigner) -> Sender:
        """Return what sends a key's calls, each once."""
        chain = self.config.chain
        return Sender(
            self.client,
            signer,
            self.database,
            self.chain_id,
            confirmations=chain.confirmations,
            poll_seconds=chain.poll_milliseconds / 1000,
        )

    def log_reader(
        self,
        name: str,
        handler: LogHandler,
        contracts: Sequence[Address],
        topics: Sequence[Hash32],
        first_block: int,
        head: ChainHead | None = None,
        *,
        at_once: bool = False,
    ) -> Indexer:
        """Return what keeps a table as these contracts' logs have it; several processes may run it.

        The stream is named after `name` and the first contract. Without `head` each poll reads the newest block: what
        an account did a moment ago is known when it asks again. `at_once`: logs are read before they are confirmed.
        """
        stream = Stream(
            name=f"{name}/{self.chain_id}/{contracts[0]}",
            handler=handler,
            first_block=first_block,
            addresses=contracts,
            topics=(topics,),
            confirmations=0 if at_once else self.config.chain.confirmations - 1,  # ours count a log's own block
        )
        return Indexer(self.client, self.database, stream, alone=is_local(self.chain_id), head=head)


class Senders:
    """The senders of one process: each role's, from the moment when its key is needed."""

    def __init__(self, chain: ChainAccess) -> None:
        self._chain = chain
        self.opened: dict[str, Sender] = {}
        """Those whose key this process has opened, by role."""

    def of(self, role: Role) -> Sender:
        """Return a role's sender; opens its key the first time.

        Raises:
            KeystoreMissing: when the key is not on this machine.
        """
        if role not in self.opened:
            self.opened[role] = self._chain.sender(signer_of(role, self._chain.config))
        return self.opened[role]


@asynccontextmanager
async def open_node(config: Config) -> AsyncIterator[Client]:
    """Open the node of the configured chain.

    Raises:
        Conflict: when it speaks for another one.
        RpcUnavailable: when nothing answers there.
    """
    async with Client(config.chain.rpc_url, retry=_retries(config)) as client:
        await check_chain_id(client, config)
        yield client


def _retries(config: Config) -> RetryPolicy:
    return RetryPolicy(probe_seconds=config.chain.node_seconds)


async def check_chain_id(client: Client, config: Config) -> None:
    """Check that the node is one of the configured chain; raises `Conflict` when it speaks for another one."""
    found = await client.chain_id()
    if found != config.chain.id:
        raise Conflict(
            f"the node at chain.rpc_url speaks for chain {found}, chain.id is {config.chain.id}; set one to the other",
            code="wrong_chain",
            found=found,
            expected=config.chain.id,
        )


class NodeUnfit(Unavailable, code="node_unfit"):
    """The node answers, but for another chain, or without our contracts: nothing it says is used."""

    def __init__(self, found: UsufructError) -> None:
        super().__init__(f"the node at chain.rpc_url is not used: {found.message}", reason=found.code)
        self.found = found


@asynccontextmanager
async def open_chain_unchecked(config: Config, client: Client | None = None) -> AsyncIterator[ChainAccess]:
    """Open the node and the database, and ask neither anything: for the doctor, who wants to see what is wrong.

    Raises:
        InvalidDatabaseUrl: for a database of no kind that is known here.
    """
    async with AsyncExitStack() as stack:
        database = open_database(config.database.url)
        stack.push_async_callback(database.close)
        opened = await stack.enter_async_context(client or Client(config.chain.rpc_url, retry=_retries(config)))
        yield ChainAccess(config, database, opened, Deployments.read(config.data.folder, ChainId(config.chain.id)))


@asynccontextmanager
async def open_chain(config: Config) -> AsyncIterator[ChainAccess]:
    """Open the node and the database, for what a wallet does on the chain; needs no operator's secret.

    Raises:
        Conflict: when the node speaks for another chain than the configuration names.
        Conflict: when the code at our contracts' addresses is not theirs.
    """
    async with open_chain_unchecked(config) as chain:
        await check_chain_id(chain.client, config)
        await chain.deployments.verify(chain.client)
        await ensure_current(chain.database)
        yield chain


@asynccontextmanager
async def open_chain_later(config: Config) -> AsyncIterator[ChainAccess]:
    """Open the database, and the node whether it answers or not: a gateway or worker does not wait for it.

    The node is checked before its first answer is used, whenever that comes; `degraded` says that it has not been yet.

    Raises:
        Conflict, Faulty: when it answers now, and is not one for this installation.
    """

    async def check() -> None:
        try:
            await check_chain_id(client, config)
            await chain.deployments.verify(client)
            await check_settlement(client, chain.chain_id)
        except Unavailable:
            raise
        except UsufructError as error:
            raise NodeUnfit(error) from error

    client = Client(config.chain.rpc_url, retry=replace(_retries(config), rest_seconds=_REST_SECONDS), check=check)
    async with open_chain_unchecked(config, client) as chain:
        try:
            await client.ready()
        except NodeUnfit as unfit:
            raise unfit.found from None
        except Unavailable as error:
            _log.warning("starting degraded: %s", error.message, extra={"degraded": "chain", "code": error.code})
        await ensure_current(chain.database)
        yield chain
