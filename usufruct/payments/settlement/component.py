"""What settlement adds to an installation: channels follow the chain, and what was charged reaches the owners."""

from functools import partial

from usufruct.accounts import Keys, Purses, WalletSignatures
from usufruct.chain import ChainAccess, ChainHead, Client, LogStreams, Senders, TokenFacts, amount_of, fee_sink_of
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.till import Till
from usufruct.chain.deployment import DeploySite
from usufruct.chain.keys import Role, claim_address, closed_key
from usufruct.config import Config
from usufruct.core import Clock
from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostic
from usufruct.core.jobs import Job
from usufruct.core.networks import is_local
from usufruct.payments.ledger import Ledger
from usufruct.payments.pricing import DigestSigner, Escrow, PassTerms
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.api import payment_routes
from usufruct.payments.settlement.claim_requests import ClaimRequests
from usufruct.payments.settlement.claimer import Claimer
from usufruct.payments.settlement.configurations import ChannelRegistry
from usufruct.payments.settlement.deferred_payouts import DeferredPayouts
from usufruct.payments.settlement.deposits import Deposits
from usufruct.payments.settlement.diagnostics import check_books, check_channels, check_claims, check_till
from usufruct.payments.settlement.event_watcher import EventWatcher
from usufruct.payments.settlement.evidence import Evidence
from usufruct.payments.settlement.metrics import Counters
from usufruct.payments.settlement.model import ClaimPolicy, Payee, RefundPolicy, SettlementContext
from usufruct.payments.settlement.money_back import MoneyBack
from usufruct.payments.settlement.operator_terms import ChannelTerms, operator_terms
from usufruct.payments.settlement.paid_batches import PaidBatches
from usufruct.payments.settlement.pass_accounts import PassAccounts, PassHeartbeat
from usufruct.payments.settlement.pass_credits import PassCredits
from usufruct.payments.settlement.receipt_signers import ReceiptSigners
from usufruct.payments.settlement.refunds import RefundRequests, Refunds
from usufruct.payments.settlement.till_settings import deploy_steps
from usufruct.payments.settlement.token_store import known_token_of
from usufruct.store import Database, MasterSecret
from usufruct_client.wire import Terms


def build(context: Context) -> Component:
    """Build the component."""
    get, counters = context.get, Counters()
    context.provide(Counters, counters)
    _provide_terms(context)
    _provide_channels(context)
    _provide_payouts(context)
    get(LogStreams)["settlement"] = lambda: get(EventWatcher).indexer

    async def start() -> None:
        await get(ReceiptSigners).earlier()
        context.provide(TokenFacts, await known_token_of(get(ChainAccess)))
        get(Terms)  # a setting that no escrow could hold is refused before anything runs

    return Component(
        "settlement",
        routes=lambda: payment_routes(
            get(SettlementContext), get(ChannelRegistry), get(Deposits), get(Keys), get(Terms), get(Clock)
        ),
        jobs=partial(_jobs, context),
        metrics={"settlement": counters.metrics},
        diagnostics=(
            Diagnostic("till", lambda: check_till(get(ChainAccess)), needs=("contracts",)),
            Diagnostic("claims", lambda: check_claims(context), services=True),
            Diagnostic("channels", lambda: check_channels(context), services=True),
            Diagnostic("books", lambda: check_books(context), services=True),
        ),
        deploy_steps=lambda: deploy_steps(get(DeploySite), get(Config)),
        start=start,
    )


def terms_of(context: Context) -> Terms:
    """Return what a payer must know.

    Raises:
        InvalidSetting: when the escrow could not hold the least deposit.
    """
    chain, token, signers = context.get(ChainAccess), context.get(TokenFacts), context.get(ReceiptSigners)
    till = chain.deployments.address(Till)
    least = amount_of(chain.config.gateway.least_deposit, "gateway.least_deposit", token)
    return operator_terms(chain.chain_id, till, token, least, signers.current, signers.known_earlier)


def _provide_terms(context: Context) -> None:
    """Provide what payers and this installation agree on."""
    get, provide_later = context.get, context.provide_later

    def pass_terms() -> PassTerms:
        """Return whose pass credits are taken: those activated for the claim key."""
        chain = get(ChainAccess)
        contract, meter = chain.deployments.address(AccessPass), claim_address(chain.config)
        return PassTerms(chain.chain_id, contract, meter, get(TokenFacts).address)

    def signers() -> ReceiptSigners:
        stamp = get(MasterSecret).stamp("receipt keys")
        return ReceiptSigners(get(Database), stamp, get(DigestSigner).address)

    def evidence() -> Evidence:
        signers = get(ReceiptSigners)
        return Evidence(get(SettlementContext), get(AccountSync), signers.current, signers.known_earlier)

    def settlement() -> SettlementContext:
        chain = get(ChainAccess)
        return SettlementContext(
            chain.client,
            Escrow(chain.chain_id),
            ChannelTerms(chain.deployments.address(Till), frozenset({get(TokenFacts).address})),
            get(PassTerms),
            get(Ledger),
            chain.database,
            chain.config.chain.confirmations,
            first_block=chain.deployments.first_block(Till),
            alone=is_local(chain.chain_id),
            counters=get(Counters),
        )

    provide_later(Terms, partial(terms_of, context))
    provide_later(PassTerms, pass_terms)
    provide_later(DigestSigner, lambda: closed_key(Role.RECEIPTS, get(Config)))
    provide_later(ReceiptSigners, signers)
    provide_later(Evidence, evidence)
    provide_later(SettlementContext, settlement)


def _provide_channels(context: Context) -> None:
    """Provide what opens, funds and follows channels, by the relayer's key."""
    get, provide_later = context.get, context.provide_later

    def refund_policy() -> RefundPolicy:
        refunds = get(Config).refunds
        least = amount_of(refunds.least, "refunds.least", get(TokenFacts))
        return RefundPolicy(least=least, cooling_seconds=refunds.cooling_seconds)

    def watcher() -> EventWatcher:
        return EventWatcher(get(SettlementContext), get(AccountSync), get(Clock), get(ChainHead))

    def pass_accounts() -> PassAccounts:
        sync, signatures = get(AccountSync), get(WalletSignatures)
        return PassAccounts(get(Ledger), get(PassCredits), sync, get(Clock), signatures)

    provide_later(AccountSync, lambda: AccountSync(get(SettlementContext)))
    provide_later(EventWatcher, watcher)
    provide_later(RefundPolicy, refund_policy)
    provide_later(Deposits, lambda: Deposits(get(SettlementContext), get(Senders).of(Role.RELAYER), get(AccountSync)))
    provide_later(RefundRequests, lambda: RefundRequests(get(SettlementContext), get(AccountSync), get(RefundPolicy)))
    provide_later(MoneyBack, lambda: MoneyBack(get(SettlementContext), get(AccountSync), get(RefundPolicy)))
    provide_later(PassAccounts, pass_accounts)
    provide_later(PassCredits, lambda: get(AccountSync).credits)
    provide_later(
        ChannelRegistry,
        lambda: ChannelRegistry(get(Database), get(Ledger), Escrow(get(ChainAccess).chain_id), get(Clock)),
    )
    provide_later(Purses, lambda: get(ChannelRegistry))


def _provide_payouts(context: Context) -> None:
    """Provide what moves money out, by the claim key: on workers only."""
    get, provide_later = context.get, context.provide_later

    def claimer() -> Claimer:
        config, sender = get(Config), get(Senders).of(Role.CLAIM)
        policy = ClaimPolicy(threshold=amount_of(config.claims.threshold, "claims.threshold", get(TokenFacts)))
        settlement, sync = get(SettlementContext), get(AccountSync)
        return Claimer(settlement, sender, get(Payee), fee_sink_of(config), sync, policy=policy)

    def refunds() -> Refunds:
        settlement, sender, sync = get(SettlementContext), get(Senders).of(Role.CLAIM), get(AccountSync)
        return Refunds(settlement, sender, sync, get(Keys).leaving, get(RefundPolicy))

    def owed() -> DeferredPayouts:
        return DeferredPayouts(get(SettlementContext), get(Senders).of(Role.CLAIM), get(Clock))

    provide_later(Claimer, claimer)
    provide_later(ClaimRequests, lambda: ClaimRequests(get(Database)))
    provide_later(Refunds, refunds)
    provide_later(DeferredPayouts, owed)
    provide_later(PaidBatches, lambda: PaidBatches(get(Database), get(Ledger)))
    provide_later(PassHeartbeat, lambda: PassHeartbeat(get(Client), get(PassCredits), get(Senders).of(Role.CLAIM)))


def _jobs(context: Context) -> list[Job]:
    """Return what a worker does: follow the chain, finish deposits, claim and burn, refund, send heartbeats."""
    claimer, refunds, owed = context.get(Claimer), context.get(Refunds), context.get(DeferredPayouts)
    return [
        Job("watch", context.get(EventWatcher).poll, 1.0),
        Job("claim", partial(context.get(ClaimRequests).serve, claimer), 5.0, claimer.lease.release),
        Job("deposit", context.get(Deposits).run, 5.0),
        Job("refund_requests", refunds.serve, 1.0),
        Job("refund", refunds.run, 60.0),
        Job("owed", owed.run, 60.0, owed.lease.release),
        Job("sign", context.get(PassHeartbeat).run, 600.0),
    ]
