"""What settlement adds to an installation: channels follow the chain, and what was charged reaches the owners."""

from functools import partial

from usufruct.accounts import Keys, Purses
from usufruct.chain import ChainAccess, ChainHead, LogStreams, Senders, TokenFacts, amount_of, fee_sink_of
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.till import Till
from usufruct.chain.deployment import DeploySite
from usufruct.chain.keys import Role, claim_address, signer_of
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
from usufruct.payments.settlement.channel_policy import LEAST_WITHDRAW_DELAY, ChannelTerms
from usufruct.payments.settlement.channel_registry import ChannelRegistry
from usufruct.payments.settlement.claim_requests import ClaimRequests
from usufruct.payments.settlement.claimer import Claimer
from usufruct.payments.settlement.deferred_payouts import DeferredPayouts
from usufruct.payments.settlement.deploying import deploy_steps
from usufruct.payments.settlement.deposits import Deposits
from usufruct.payments.settlement.diagnostics import check_books, check_channels, check_claims, check_till
from usufruct.payments.settlement.event_watcher import EventWatcher
from usufruct.payments.settlement.evidence import Evidence
from usufruct.payments.settlement.jobs import (
    claim_due,
    deposit_due,
    owed_due,
    refund_due,
    refund_requested,
    sign_due,
    watch,
)
from usufruct.payments.settlement.metrics import settlement_metrics
from usufruct.payments.settlement.model import ClaimPolicy, Counters, Payee, RefundPolicy, SettlementContext
from usufruct.payments.settlement.operator_terms import Offer
from usufruct.payments.settlement.pass_accounts import PassAccounts, PassHeartbeat
from usufruct.payments.settlement.pass_credits import PassCredits
from usufruct.payments.settlement.receipt_signers import ReceiptSigners
from usufruct.payments.settlement.refund_requests import RefundRequests
from usufruct.payments.settlement.refunds import Refunds
from usufruct.payments.settlement.token_store import known_token_of
from usufruct.store import MasterSecret


def build(context: Context) -> Component:
    """Build the component."""
    counters = Counters()
    context.provide(Counters, counters)
    _provide_terms(context)
    _provide_channels(context)
    _provide_payouts(context)
    context.get(LogStreams).add("settlement", lambda: context.get(EventWatcher))

    async def start() -> None:
        await context.get(ReceiptSigners).earlier()
        context.provide(TokenFacts, await known_token_of(context.get(ChainAccess)))
        context.get(Offer)  # a setting that no escrow could hold is refused before anything runs

    return Component(
        "settlement",
        routes=lambda: payment_routes(
            context.get(SettlementContext),
            context.get(ChannelRegistry),
            context.get(Deposits),
            context.get(Keys),
            context.get(Offer),
            context.get(Clock),
        ),
        jobs=partial(_jobs, context),
        metrics={"settlement": partial(settlement_metrics, counters)},
        diagnostics=(
            Diagnostic("till", lambda: check_till(context.get(ChainAccess)), needs=("contracts",)),
            Diagnostic("claims", lambda: check_claims(context), services=True),
            Diagnostic("channels", lambda: check_channels(context), services=True),
            Diagnostic("books", lambda: check_books(context), services=True),
        ),
        deploy_steps=lambda: deploy_steps(context.get(DeploySite), context.get(Config)),
        start=start,
    )


def offer_of(context: Context) -> Offer:
    """Return what a payer must know.

    Raises:
        InvalidSetting: when the escrow could not hold the least deposit.
    """
    chain, token, signers = context.get(ChainAccess), context.get(TokenFacts), context.get(ReceiptSigners)
    return Offer(
        chain_id=chain.chain_id,
        till=chain.deployments.address(Till),
        token=token,
        withdraw_delay=LEAST_WITHDRAW_DELAY,
        least_deposit=amount_of(chain.config.gateway.least_deposit, "gateway.least_deposit", token),
        receipts=signers.current,
        earlier_receipts=tuple(sorted(signers.known_earlier)),
    )


def _provide_terms(context: Context) -> None:
    """Provide what payers and this installation agree on."""

    def pass_terms() -> PassTerms:
        """Return whose pass credits are taken: those activated for the claim key."""
        chain = context.get(ChainAccess)
        contract, meter = chain.deployments.address(AccessPass), claim_address(chain.config)
        return PassTerms(chain.chain_id, contract, meter, context.get(TokenFacts).address)

    def signers() -> ReceiptSigners:
        chain, stamp = context.get(ChainAccess), context.get(MasterSecret).stamp("receipt keys")
        return ReceiptSigners(chain.database, stamp, context.get(DigestSigner).address)

    def evidence() -> Evidence:
        signers, sources = context.get(ReceiptSigners), context.get(AccountSync).sources
        return Evidence(context.get(SettlementContext), sources, signers.current, signers.known_earlier)

    context.provide_later(Offer, lambda: offer_of(context))
    context.provide_later(PassTerms, pass_terms)
    context.provide_later(DigestSigner, lambda: signer_of(Role.RECEIPTS, context.get(Config)))
    context.provide_later(ReceiptSigners, signers)
    context.provide_later(Evidence, evidence)


def _provide_channels(context: Context) -> None:
    """Provide what opens, funds and follows channels, by the relayer's key."""

    def settlement() -> SettlementContext:
        chain, token = context.get(ChainAccess), context.get(TokenFacts)
        return SettlementContext(
            chain.client,
            Escrow(chain.chain_id),
            ChannelTerms(chain.deployments.address(Till), frozenset({token.address}), LEAST_WITHDRAW_DELAY),
            context.get(Ledger),
            chain.database,
            chain.config.chain.confirmations,
            passes=context.get(PassTerms),
            first_block=chain.deployments.first_block(Till),
            alone=is_local(chain.chain_id),
        )

    def refund_policy() -> RefundPolicy:
        refunds = context.get(Config).refunds
        least = amount_of(refunds.least, "refunds.least", context.get(TokenFacts))
        return RefundPolicy(least=least, cooling_seconds=refunds.cooling_seconds)

    def deposits() -> Deposits:
        settlement, sender = context.get(SettlementContext), context.get(Senders).of(Role.RELAYER)
        return Deposits(settlement, sender, context.get(AccountSync), counters=context.get(Counters))

    def refund_requests() -> RefundRequests:
        return RefundRequests(context.get(SettlementContext), context.get(AccountSync), context.get(RefundPolicy))

    def passes() -> PassAccounts:
        settlement, credits_ = context.get(SettlementContext), context.get(PassCredits)
        return PassAccounts(settlement, credits_, context.get(AccountSync), context.get(Clock))

    def channels() -> ChannelRegistry:
        chain = context.get(ChainAccess)
        return ChannelRegistry(chain.database, context.get(Ledger), Escrow(chain.chain_id))

    def pass_credits() -> PassCredits:
        found = context.get(AccountSync).sources.credits
        assert found is not None, "the context has pass terms"
        return found

    context.provide_later(SettlementContext, settlement)
    context.provide_later(AccountSync, lambda: AccountSync(context.get(SettlementContext), context.get(Counters)))
    context.provide_later(
        EventWatcher,
        lambda: EventWatcher(
            context.get(SettlementContext), context.get(AccountSync), context.get(Clock), context.get(ChainHead)
        ),
    )
    context.provide_later(RefundPolicy, refund_policy)
    context.provide_later(Deposits, deposits)
    context.provide_later(RefundRequests, refund_requests)
    context.provide_later(PassAccounts, passes)
    context.provide_later(PassCredits, pass_credits)
    context.provide_later(ChannelRegistry, channels)
    context.provide_later(Purses, lambda: context.get(ChannelRegistry))


def _provide_payouts(context: Context) -> None:
    """Provide what moves money out, by the claim key: on workers only."""

    def claimer() -> Claimer:
        config, sender = context.get(Config), context.get(Senders).of(Role.CLAIM)
        policy = ClaimPolicy(threshold=amount_of(config.claims.threshold, "claims.threshold", context.get(TokenFacts)))
        return Claimer(
            context.get(SettlementContext),
            sender,
            context.get(Payee),
            fee_sink_of(config),
            context.get(AccountSync),
            policy=policy,
            counters=context.get(Counters),
        )

    def refunds() -> Refunds:
        return Refunds(
            context.get(SettlementContext),
            context.get(Senders).of(Role.CLAIM),
            context.get(AccountSync),
            leavers=context.get(Keys),
            policy=context.get(RefundPolicy),
            counters=context.get(Counters),
        )

    def owed() -> DeferredPayouts:
        settlement, sender = context.get(SettlementContext), context.get(Senders).of(Role.CLAIM)
        return DeferredPayouts(settlement, sender, context.get(Clock), counters=context.get(Counters))

    def heartbeat() -> PassHeartbeat:
        settlement, sender = context.get(SettlementContext), context.get(Senders).of(Role.CLAIM)
        return PassHeartbeat(settlement, context.get(PassCredits), sender)

    context.provide_later(Claimer, claimer)
    context.provide_later(ClaimRequests, lambda: ClaimRequests(context.get(ChainAccess).database))
    context.provide_later(Refunds, refunds)
    context.provide_later(DeferredPayouts, owed)
    context.provide_later(PassHeartbeat, heartbeat)


def _jobs(context: Context) -> list[Job]:
    return [
        watch(context.get(EventWatcher)),
        claim_due(context.get(Claimer), context.get(ClaimRequests)),
        deposit_due(context.get(Deposits)),
        refund_requested(context.get(Refunds)),
        refund_due(context.get(Refunds)),
        owed_due(context.get(DeferredPayouts)),
        sign_due(context.get(PassHeartbeat)),
    ]
