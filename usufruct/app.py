"""The only place where things are wired together: one installation, from its configuration."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from typing import Any, Literal

import uvicorn

from usufruct.accounts import KeyDomain, Keys, key_routes
from usufruct.assets import Follower, follow
from usufruct.chain import (
    DEVNET_ADDRESSES,
    DEVNET_CHAINS,
    Client,
    Deployments,
    KeySigner,
    KeystoreMissing,
    Revert,
    Sender,
    Terms,
    UnreadableAnswer,
    check_settlement,
    deploy_devnet,
    devnet_signer,
    lag_metrics,
    open_keystore,
    open_till,
    refuse_devnet_key,
    sender_metrics,
)
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.till import Till
from usufruct.config import Config, InvalidSetting, check_operator
from usufruct.core import Address, ChainId, Conflict, SystemClock, address
from usufruct.gateway import (
    CallCounters,
    Catalogue,
    Gateway,
    KeyChannels,
    Operator,
    Quotes,
    RegisteredOffers,
    UnusedKeys,
    Wallets,
    gateway_routes,
    remove_unused,
)
from usufruct.payments import (
    ChainSide,
    ChannelTerms,
    Claimer,
    ClaimPolicy,
    Counters,
    Deposits,
    Escrow,
    Funding,
    Ledger,
    Observer,
    Offer,
    Owed,
    RefundPolicy,
    Refunds,
    TokenFacts,
    Wanted,
    Watcher,
    claim_due,
    deposit_due,
    money_metrics,
    open_ledger,
    owed_due,
    payment_routes,
    recover_signer,
    refund_due,
    settlement_metrics,
    token_facts,
    watch,
)
from usufruct.store import Database, Seal, Stamp, ensure_current, open_database
from usufruct.web import GuardedProtocol, Health, Metrics, Router, SideServer

DEVNET_FEE_BPS = 250
"""The protocol fee of devnets: 2.5 %."""

MOST_CONNECTIONS = 2_000
"""Connections a gateway takes at once; more are answered 503."""

MOST_READERS = 20
"""Connections at which a process shows its numbers at once."""

FEE_SINK = DEVNET_ADDRESSES[3]
"""Where devnets' protocol fees go."""

_DEVNET_SECRET = b"a devnet's secrets are known to everybody"


class Role(StrEnum):
    """What a key of the installation is for; each is a separate secret.

    `OWNER` is cold: it lists payees and claim keys, and deploys. `CLAIM` sends claims and refunds. `RELAYER` sends
    payers' deposits, and holds nothing but gas. `RECEIPTS` signs receipts and holds no money.
    """

    OWNER = "owner"
    CLAIM = "claim"
    RECEIPTS = "receipts"
    RELAYER = "relayer"


_DEVNET_ACCOUNTS = {Role.OWNER: 0, Role.CLAIM: 1, Role.RECEIPTS: 2, Role.RELAYER: 8}


class WrongChain(Conflict):
    """The node speaks for another chain than the configuration names."""

    code = "wrong_chain"


class AddressTaken(Conflict):
    """The gateway cannot listen where it is told to."""

    code = "address_taken"


def signer_of(role: Role, config: Config) -> KeySigner:
    """Return a role's key: its keystore file; on a devnet, where there is none, the account everybody knows.

    Raises:
        KeystoreMissing: on any other chain without the file.
    """
    path, chain_id = config.keys.folder / f"{role}.json", ChainId(config.chain.id)
    if not path.exists():
        if chain_id in DEVNET_CHAINS:
            return devnet_signer(_DEVNET_ACCOUNTS[role], chain_id)
        raise KeystoreMissing(
            f"the role {role} has no key: {path} does not exist; `usufruct wallet new {role}` makes one",
            role=role,
            path=str(path),
        )
    signer = open_keystore(path, config.keys.password.reveal())
    refuse_devnet_key(signer.address, chain_id)
    return signer


def fee_sink_of(config: Config) -> Address:
    """Return who gets the protocol fee and what reaches the till without a payee.

    Raises:
        InvalidSetting: when that is not configured on a public chain.
    """
    if config.chain.fee_sink:
        return address(config.chain.fee_sink, "chain.fee_sink")
    if config.chain.id in DEVNET_CHAINS:
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
    if not config.chain.token and config.chain.id not in DEVNET_CHAINS:
        raise InvalidSetting(
            f"chain.token is needed on chain {config.chain.id}: set it to the address of the dollar to charge in",
            key="chain.token",
        )
    return address(config.chain.token) if config.chain.token else deployments.address(TestDollar)


async def token_of(config: Config, client: Client, deployments: Deployments) -> TokenFacts:
    """Return the token that is charged in, as the chain describes it.

    Raises:
        InvalidSetting: when it is not configured on a public chain, or is no token.
    """
    token = token_address(config, deployments)
    try:
        return await token_facts(client, token)
    except (Revert, UnreadableAnswer) as error:
        raise InvalidSetting(
            f"chain.token: there is no ERC-20 token at {token} on chain {config.chain.id}", key="chain.token"
        ) from error


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


@dataclass(frozen=True)
class Installation(ChainAccess):
    """Everything one installation is made of, opened and ready."""

    ledger: Ledger
    operator: Operator
    keys: Keys
    key_domain: KeyDomain
    catalogue: Catalogue
    token: TokenFacts
    quote_stamp: Stamp

    @cached_property
    def chain_side(self) -> ChainSide:
        """Return what settlement stands on."""
        terms = ChannelTerms(self.operator.till, frozenset({self.operator.token}), self.operator.withdraw_delay)
        confirmations = self.config.chain.confirmations
        return ChainSide(self.client, self.operator.escrow, terms, self.ledger, self.database, confirmations)

    @cached_property
    def counters(self) -> Counters:
        """Return what this process's settlement counts."""
        return Counters()

    @cached_property
    def observer(self) -> Observer:
        """Return what keeps the ledger's channels as the chain has them."""
        return Observer(self.chain_side, self.counters)

    @cached_property
    def watcher(self) -> Watcher:
        """Return what follows the settlement contract."""
        return Watcher(self.chain_side, self.observer)

    @cached_property
    def follower(self) -> Follower:
        """Return what follows the registry, and tells the catalogue what changes there."""
        return Follower(
            self.client,
            self.database,
            self.deployments,
            confirmations=self.config.chain.confirmations,
            offers=RegisteredOffers(self.catalogue),
        )

    @cached_property
    def deposits(self) -> Deposits:
        """Return what puts payers' deposits on the chain."""
        return Deposits(self.chain_side, self._relay_sender, self.observer, counters=self.counters)

    @cached_property
    def claimer(self) -> Claimer:
        """Return what claims what was charged and splits it to the assets."""
        sink, policy = fee_sink_of(self.config), ClaimPolicy(threshold=self.config.claims.threshold)
        side, sender, counters = self.chain_side, self._claim_sender, self.counters
        return Claimer(side, sender, self.catalogue, sink, self.observer, policy=policy, counters=counters)

    @cached_property
    def refunds(self) -> Refunds:
        """Return what gives unused money back."""
        policy = RefundPolicy(cooling_seconds=self.config.refunds.cooling_seconds)
        side, sender, counters = self.chain_side, self._claim_sender, self.counters
        return Refunds(side, sender, self.observer, leavers=self.keys, policy=policy, counters=counters)

    @cached_property
    def owed(self) -> Owed:
        """Return what pays payees whom their token refused once."""
        return Owed(self.chain_side, self._claim_sender, SystemClock(), counters=self.counters)

    @cached_property
    def _claim_sender(self) -> Sender:
        return self.sender(signer_of(Role.CLAIM, self.config))

    @cached_property
    def _relay_sender(self) -> Sender:
        return self.sender(signer_of(Role.RELAYER, self.config))

    @cached_property
    def metrics(self) -> Metrics:
        """Return this process's numbers: what it counts, and what it reads when somebody looks."""
        senders: dict[str, Sender] = {Role.CLAIM: self._claim_sender, Role.RELAYER: self._relay_sender}
        streams = {"assets": self.follower.behind, "settlement": self.watcher.behind}
        return Metrics(
            {
                "ledger": partial(money_metrics, self.ledger),
                "settlement": partial(settlement_metrics, self.counters),
                "outbox": partial(sender_metrics, senders),
                "chain": partial(lag_metrics, streams),
            }
        )

    @cached_property
    def wallets(self) -> Wallets:
        """Return what takes payments by x402."""
        side, offer = self.chain_side, self.offer
        funding = Funding(
            side.escrow,
            side.terms,
            self.ledger,
            self.observer,
            self.deposits,
            self.refunds,
            self.keys,
            offer,
        )
        clock = SystemClock()
        return Wallets(Wanted(offer), funding, Quotes(self.quote_stamp, clock), clock)

    def jobs(self) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        """Return what a worker runs for this installation, by name; none of them ends by itself."""
        return {
            "assets": partial(follow, self.follower),
            "watch": partial(watch, self.watcher),
            "claim": partial(claim_due, self.claimer),
            "deposit": partial(deposit_due, self.deposits),
            "refund": partial(refund_due, self.refunds),
            "owed": partial(owed_due, self.owed),
            "keys": partial(remove_unused, UnusedKeys(self.keys, self.ledger, self.observer, SystemClock())),
        }

    @property
    def offer(self) -> Offer:
        """Return what a payer must know."""
        operator = self.operator
        return Offer(
            chain_id=self.chain_id,
            till=operator.till,
            token=self.token,
            withdraw_delay=operator.withdraw_delay,
            least_deposit=self.config.gateway.least_deposit,
            receipts=operator.receipts.address,
        )

    def router(self) -> Router:
        """Return the gateway's HTTP application."""
        clock = SystemClock()
        counters = CallCounters(self.metrics.registry)
        gateway = Gateway(
            self.keys, self.catalogue, self.ledger, self.operator, clock, wallets=self.wallets, counters=counters
        )
        payments = payment_routes(self.chain_side, self.deposits, self.keys, self.offer, clock)
        routes = [*gateway_routes(gateway), *key_routes(self.keys, self.ledger), *payments]
        health = Health({"database": self.database.now, "chain": self.client.block_number})
        lease = self.config.ledger.lease_seconds
        return Router([*routes, *health.routes], lifespan=lambda: gateway.running(lease))


async def connect(config: Config, stack: AsyncExitStack) -> Client:
    """Open the node of the configured chain.

    Raises:
        WrongChain: when it speaks for another one.
        RpcUnavailable: when nothing answers there.
    """
    client = await stack.enter_async_context(Client(config.chain.rpc_url))
    found = await client.chain_id()
    if found != config.chain.id:
        raise WrongChain(
            f"the node at chain.rpc_url speaks for chain {found}, chain.id is {config.chain.id}; set one to the other",
            found=found,
            expected=config.chain.id,
        )
    return client


@asynccontextmanager
async def open_chain(config: Config) -> AsyncIterator[ChainAccess]:
    """Open the node and the database, for what a wallet does on the chain; needs no operator's secret.

    Raises:
        WrongChain: when the node speaks for another chain than the configuration names.
        WrongCode: when what stands at our contracts' addresses is something else.
    """
    async with AsyncExitStack() as stack:
        client = await connect(config, stack)
        deployments = Deployments.read(config.data.folder, ChainId(config.chain.id))
        await deployments.verify(client)
        database = open_database(config.database.url)
        stack.push_async_callback(database.close)
        await ensure_current(database)
        yield ChainAccess(config, database, client, deployments)


@asynccontextmanager
async def open_installation(config: Config) -> AsyncIterator[Installation]:
    """Open the database, the node and everything between them; closed in the opposite order.

    Raises:
        WrongChain, NotDeployed, SettlementMismatch: when the chain is not ready for this installation.
        InvalidSetting: when the configuration is not one to run an installation with.
    """
    check_operator(config)
    async with AsyncExitStack() as stack:
        chain = await stack.enter_async_context(open_chain(config))
        client, deployments, database, chain_id = chain.client, chain.deployments, chain.database, chain.chain_id
        till = deployments.address(Till)
        await check_settlement(client, chain_id)

        secret = config.data.secret.reveal().encode() or _DEVNET_SECRET
        ledger = open_ledger(database, config.ledger, seal=Seal(secret, "stored answers"))
        stack.push_async_callback(ledger.close)

        receipts = signer_of(Role.RECEIPTS, config)
        token = await token_of(config, client, deployments)
        operator = Operator(Escrow(chain_id), till, token.address, receipts, token.decimals, token.symbol)
        clock = SystemClock()
        domain = KeyDomain(chain_id, till)

        async def can_deposit(payer: Address) -> bool:
            held = await TestDollar(operator.token, client).balance_of(payer)
            return held >= config.gateway.least_deposit

        channels = KeyChannels(ledger, operator, can_deposit)
        keys = Keys(database, Seal(secret, "session keys"), clock, domain, recover_signer, channels)
        catalogue = Catalogue(database, Seal(secret, "upstreams"), clock)
        quotes = Stamp(secret, "quotes")
        yield Installation(
            config, database, client, deployments, ledger, operator, keys, domain, catalogue, token, quotes
        )


async def serve(installation: Installation, announce: Callable[[str], None]) -> None:
    """Serve the gateway until the process is told to stop; `announce` is given its base URL once it accepts calls."""
    setting = installation.config.gateway
    listening = _listen(setting.host, setting.port, "gateway.host or gateway.port")
    options = uvicorn.Config(
        installation.router(),
        log_config=None,
        access_log=False,
        ws="none",
        lifespan="on",
        http=GuardedProtocol,
        limit_concurrency=MOST_CONNECTIONS,
    )
    server = uvicorn.Server(options)
    with listening:
        async with show_metrics(installation, "gateway"):
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.02)
            if server.started:
                announce(f"http://{setting.host}:{listening.getsockname()[1]}/v1")
            await serving


@asynccontextmanager
async def show_metrics(installation: Installation, process: Literal["gateway", "worker"]) -> AsyncIterator[None]:
    """Let the operator read this process's numbers while the block runs, unless its port in `[metrics]` is 0.

    Raises:
        AddressTaken: when something else listens there.
    """
    setting = installation.config.metrics
    port = setting.gateway_port if process == "gateway" else setting.worker_port
    if not port:
        yield
        return
    with _listen(setting.host, port, f"metrics.host or metrics.{process}_port") as listening:
        options = uvicorn.Config(
            Router(installation.metrics.routes),
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="off",
            http=GuardedProtocol,
            limit_concurrency=MOST_READERS,
            timeout_graceful_shutdown=1,
        )
        server = SideServer(options)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield
        finally:
            server.should_exit = True
            await serving


def _listen(host: str, port: int, settings: str) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise AddressTaken(
            f"cannot listen at {host}:{port} ({error.strerror}); free it, or change {settings}",
            host=host,
            port=port,
        ) from error


async def set_up_devnet(config: Config) -> Deployments:
    """Deploy everything on the configured devnet and write down where it stands; idempotent.

    The owner's key deploys, and makes the claim key the till's.
    """
    async with AsyncExitStack() as stack:
        client = await connect(config, stack)
        database = open_database(config.database.url)
        stack.push_async_callback(database.close)
        await ensure_current(database)
        chain_id = ChainId(config.chain.id)
        owner = signer_of(Role.OWNER, config)
        sender = Sender(client, owner, database, chain_id, poll_seconds=config.chain.poll_milliseconds / 1000)
        terms = Terms(owner.address, owner.address, fee_sink_of(config), DEVNET_FEE_BPS)
        deployments = await deploy_devnet(client, sender, chain_id, terms)
        till = Till(deployments.address(Till), client)
        await open_till(till, sender, signer_of(Role.CLAIM, config).address, terms.fee_sink)
        deployments.write(config.data.folder)
        return deployments
