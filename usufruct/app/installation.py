"""One installation, wired together from its configuration."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property, partial

from usufruct.accounts import KeyDomain, Keys, key_routes
from usufruct.app.access import ChainAccess, amount_of, fee_sink_of, known_token_of, open_chain, open_chain_later
from usufruct.app.roles import Role, claim_address, signer_of
from usufruct.assets import AccrualPolicy, Accruer, AssetIndexer, RegistryClient, accrue_due, index_assets
from usufruct.chain import (
    DEVNET_CHAINS,
    Sender,
    TokenFacts,
    check_settlement,
    gap_metrics,
    lag_metrics,
    sender_metrics,
)
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.till import Till
from usufruct.config import Config, check_operator
from usufruct.core import Address, Job, JobBoard, SystemClock
from usufruct.gateway import (
    CallCounters,
    Catalogue,
    Gateway,
    KeyChannels,
    Operator,
    PassGrantPayments,
    Quotes,
    RegisteredOffers,
    UnusedKeys,
    X402Payments,
    gateway_routes,
    remove_unused,
)
from usufruct.payments.ledger import Ledger, MoneyMetrics, open_ledger
from usufruct.payments.pricing import Escrow, PassTerms, recover_signer
from usufruct.payments.settlement import (
    AccountSync,
    ChannelTerms,
    Claimer,
    ClaimPolicy,
    ClaimRequests,
    Counters,
    DeferredPayouts,
    Deposits,
    EventWatcher,
    Evidence,
    Offer,
    PassAccounts,
    PassKeeper,
    ReceiptSigners,
    RefundPolicy,
    RefundRequests,
    Refunds,
    SettlementContext,
    claim_due,
    deposit_due,
    owed_due,
    payment_routes,
    refund_due,
    refund_requested,
    settlement_metrics,
    sign_due,
    watch,
)
from usufruct.payments.x402 import Funding, Requirements
from usufruct.store import DatabaseJobReports, Seal, Stamp
from usufruct.web import Health, Metrics, Router, job_metrics

_OUTBOX_SECONDS = 5.0
_NODE_SECONDS = 2.0
_DEVNET_SECRET = b"a devnet's secrets are known to everybody"


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
    receipt_signers: ReceiptSigners
    earlier_receipts: frozenset[Address]

    @cached_property
    def chain_side(self) -> SettlementContext:
        """Return what settlement stands on."""
        terms = ChannelTerms(self.operator.till, frozenset({self.operator.token}), self.operator.withdraw_delay)
        confirmations = self.config.chain.confirmations
        return SettlementContext(
            self.client,
            self.operator.escrow,
            terms,
            self.ledger,
            self.database,
            confirmations,
            passes=self.pass_terms,
            first_block=self.deployments.first_block(Till),
            alone=self.chain_id in DEVNET_CHAINS,
        )

    @cached_property
    def pass_terms(self) -> PassTerms:
        """Return whose pass credits are taken: those activated for the claim key."""
        contract = self.deployments.address(AccessPass)
        return PassTerms(self.chain_id, contract, claim_address(self.config), self.operator.token)

    @cached_property
    def counters(self) -> Counters:
        """Return what this process's settlement counts."""
        return Counters()

    def evidence(self) -> Evidence:
        """Return a check of this installation's vouchers and receipts, which counts what it meets."""
        return Evidence(self.chain_side, self.operator.receipts.address, self.earlier_receipts)

    @cached_property
    def observer(self) -> AccountSync:
        """Return what keeps the ledger's channels as the chain has them."""
        return AccountSync(self.chain_side, self.counters)

    @cached_property
    def watcher(self) -> EventWatcher:
        """Return what follows the settlement contract."""
        return EventWatcher(self.chain_side, self.observer)

    @cached_property
    def follower(self) -> AssetIndexer:
        """Return what follows the registry, and tells the catalogue what changes there."""
        return AssetIndexer(
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
        sink, threshold = fee_sink_of(self.config), self.config.claims.threshold
        policy = ClaimPolicy(threshold=amount_of(threshold, "claims.threshold", self.token))
        side, sender, counters = self.chain_side, self._claim_sender, self.counters
        return Claimer(side, sender, self.catalogue, sink, self.observer, policy=policy, counters=counters)

    @cached_property
    def claim_requests(self) -> ClaimRequests:
        """Return what commands ask the claiming process by."""
        return ClaimRequests(self.database)

    @cached_property
    def refunds(self) -> Refunds:
        """Return what gives unused money back."""
        side, sender, counters = self.chain_side, self._claim_sender, self.counters
        return Refunds(side, sender, self.observer, leavers=self.keys, policy=self._refund_policy, counters=counters)

    @property
    def _refund_policy(self) -> RefundPolicy:
        refunds = self.config.refunds
        least = amount_of(refunds.least, "refunds.least", self.token)
        return RefundPolicy(least=least, cooling_seconds=refunds.cooling_seconds)

    @cached_property
    def owed(self) -> DeferredPayouts:
        """Return what pays payees whom their token refused once."""
        return DeferredPayouts(self.chain_side, self._claim_sender, SystemClock(), counters=self.counters)

    @cached_property
    def _claim_sender(self) -> Sender:
        return self.sender(signer_of(Role.CLAIM, self.config))

    @cached_property
    def _relay_sender(self) -> Sender:
        return self.sender(signer_of(Role.RELAYER, self.config))

    @cached_property
    def _senders(self) -> dict[str, Sender]:
        """Return the senders that this process shows numbers of, by role; a worker adds the claim key's."""
        return {Role.RELAYER: self._relay_sender}

    @cached_property
    def metrics(self) -> Metrics:
        """Return this process's numbers: what it counts, and what it reads when somebody looks."""
        streams = {"assets": self.follower.behind, "settlement": self.watcher.behind}
        gaps = {"assets": self.follower.gaps, "settlement": self.watcher.gaps}
        return Metrics(
            {
                "ledger": MoneyMetrics(self.ledger, SystemClock()).metrics,
                "settlement": partial(settlement_metrics, self.counters),
                "outbox": partial(sender_metrics, self._senders),
                "chain": partial(lag_metrics, streams),
                "logs": partial(gap_metrics, gaps),
            }
        )

    @cached_property
    def wallets(self) -> X402Payments:
        """Return what takes payments by x402."""
        side, offer = self.chain_side, self.offer
        funding = Funding(
            side.escrow,
            side.terms,
            self.ledger,
            self.observer,
            self.deposits,
            RefundRequests(side, self.observer, self._refund_policy),
            self.keys,
            offer,
        )
        clock = SystemClock()
        return X402Payments(Requirements(offer), funding, Quotes(self.quote_stamp, clock), clock)

    @cached_property
    def passes(self) -> PassGrantPayments:
        """Return what takes grants of pass credits."""
        return PassGrantPayments(PassAccounts(self.chain_side, self.pass_terms, self.observer, SystemClock()))

    def jobs(self) -> list[Job]:
        """Return what a worker does again and again for this installation; it needs the claim key, gateways do not."""
        self._senders[Role.CLAIM] = self._claim_sender
        return [
            self.node_job,
            index_assets(self.follower),
            watch(self.watcher),
            Job("outbox", self._claim_sender.advance, _OUTBOX_SECONDS),
            claim_due(self.claimer, self.claim_requests),
            deposit_due(self.deposits),
            refund_requested(self.refunds),
            refund_due(self.refunds),
            owed_due(self.owed),
            remove_unused(UnusedKeys(self.keys, self.ledger, self.observer, SystemClock())),
            accrue_due(self._accruer),
            sign_due(PassKeeper(self.chain_side, self.pass_terms, self._claim_sender)),
        ]

    @cached_property
    def _accruer(self) -> Accruer:
        least = amount_of(self.config.claims.threshold, "claims.threshold", self.token)
        registry = RegistryClient(
            self.client, self.deployments, self.database, confirmations=self.config.chain.confirmations
        )

        async def payees() -> list[Address]:
            return [asset.pay_to for asset in await self.catalogue.list()]

        return Accruer(registry, self._claim_sender, payees, AccrualPolicy(self.operator.token, least))

    @property
    def node_job(self) -> Job:
        """Return the job that looks whether the node answers, so that no caller's question has to find that out."""
        return Job("node", self.client.probe, _NODE_SECONDS, longest=_NODE_SECONDS)

    def board(self, role: str) -> JobBoard:
        """Return where a process keeps how its jobs do: its metrics show it, and the database tells `doctor`."""
        board, clock = JobBoard(DatabaseJobReports(self.database, role)), SystemClock()
        self.metrics.add("jobs", partial(job_metrics, board, clock))
        return board

    @property
    def offer(self) -> Offer:
        """Return what a payer must know."""
        operator = self.operator
        return Offer(
            chain_id=self.chain_id,
            till=operator.till,
            token=self.token,
            withdraw_delay=operator.withdraw_delay,
            least_deposit=amount_of(self.config.gateway.least_deposit, "gateway.least_deposit", self.token),
            receipts=operator.receipts.address,
            earlier_receipts=tuple(sorted(self.earlier_receipts)),
        )

    @cached_property
    def health(self) -> Health:
        """Return what answers `/healthz` and `/readyz`."""
        board = self.gateway_board
        return Health({"database": self.database.now}, lambda: {s.name: s.code for s in board.states if s.failures})

    @cached_property
    def gateway_board(self) -> JobBoard:
        """Return where this gateway keeps how its jobs do."""
        return self.board("gateway")

    def router(self) -> Router:
        """Return the gateway's HTTP application."""
        clock = SystemClock()
        counters = CallCounters(self.metrics.registry)
        gateway = Gateway(
            self.keys,
            self.catalogue,
            self.ledger,
            self.operator,
            clock,
            wallets=self.wallets,
            passes=self.passes,
            counters=counters,
        )
        payments = payment_routes(self.chain_side, self.deposits, self.keys, self.offer, clock)
        routes = [*gateway_routes(gateway), *key_routes(self.keys, self.ledger), *payments]
        lifespan = partial(gateway.running, self.config.ledger.lease_seconds, self.gateway_board, [self.node_job])
        return Router([*routes, *self.health.routes], lifespan=lifespan)


@asynccontextmanager
async def open_installation(config: Config, *, wait_for_node: bool = True) -> AsyncIterator[Installation]:
    """Open the database, the node and everything between them; closed in the opposite order.

    Without `wait_for_node` the installation is opened although no node answers: what needs none works, and the rest
    works from the moment when one does.

    Raises:
        RpcUnavailable: when the node does not answer and is waited for, or when the token was never read from it.
        WrongChain, NotDeployed, SettlementMismatch: when the chain is not ready for this installation.
        InvalidSetting: when the configuration is not one to run an installation with.
    """
    check_operator(config)
    async with AsyncExitStack() as stack:
        chain = await stack.enter_async_context(open_chain(config) if wait_for_node else open_chain_later(config))
        client, deployments, database, chain_id = chain.client, chain.deployments, chain.database, chain.chain_id
        till = deployments.address(Till)
        if wait_for_node:
            await check_settlement(client, chain_id)

        secret = config.data.secret.reveal().encode() or _DEVNET_SECRET
        ledger = open_ledger(database, config.ledger, seal=Seal(secret, "stored answers"))
        stack.push_async_callback(ledger.close)

        receipts = signer_of(Role.RECEIPTS, config)
        token = await known_token_of(chain)
        signers = ReceiptSigners(database, Stamp(secret, "receipt keys"), receipts.address)
        operator = Operator(
            Escrow(chain_id),
            till,
            token.address,
            receipts,
            token.decimals,
            token.symbol,
            signed_before=signers.signed_before,
        )
        least_deposit = amount_of(config.gateway.least_deposit, "gateway.least_deposit", token)
        clock = SystemClock()
        domain = KeyDomain(chain_id, till)

        async def can_deposit(payer: Address) -> bool:
            held = await Erc20(operator.token, client).balance_of(payer)
            return held >= least_deposit

        channels = KeyChannels(ledger, operator, can_deposit)
        keys = Keys(database, Seal(secret, "session keys"), clock, domain, recover_signer, channels)
        catalogue = Catalogue(database, Seal(secret, "upstreams"), clock)
        quotes = Stamp(secret, "quotes")
        yield Installation(
            config,
            database,
            client,
            deployments,
            ledger,
            operator,
            keys,
            domain,
            catalogue,
            token,
            quotes,
            signers,
            await signers.earlier(),
        )
