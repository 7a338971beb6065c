"""What the gateway adds to an installation: OpenAI's endpoints, paid by bearer keys, pass grants or x402."""

from prometheus_client import CollectorRegistry

from usufruct.accounts import Channels, Keys, Sessions
from usufruct.assets import Listings
from usufruct.chain import ChainAccess, Client, TokenFacts
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.config import Config
from usufruct.core import Address, ChainId, Clock
from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostic
from usufruct.core.jobs import Job
from usufruct.gateway.api import gateway_routes
from usufruct.gateway.call_rate import CallRate
from usufruct.gateway.catalogue import Catalogue
from usufruct.gateway.configurations.document_source import DocumentSource
from usufruct.gateway.configurations.metrics import configuration_metrics
from usufruct.gateway.configurations.service import FollowedConfigurations, RegistryEntries
from usufruct.gateway.descriptions import BILLED
from usufruct.gateway.diagnostics import check_configurations, check_passes, check_payees, check_upstreams
from usufruct.gateway.jobs import UnusedKeys
from usufruct.gateway.level_pages import level_pages
from usufruct.gateway.metrics import CallCounters
from usufruct.gateway.operator_profile import Operator
from usufruct.gateway.pages import gateway_pages
from usufruct.gateway.payers.bearer_key import BearerKeyPayments
from usufruct.gateway.payers.key_channels import KeyChannels
from usufruct.gateway.payers.methods import PaymentMethods
from usufruct.gateway.payers.x402 import X402Payments
from usufruct.gateway.quality.service import SUMMARY_SECONDS, ServiceQuality
from usufruct.gateway.quotes import Quotes
from usufruct.gateway.samples.service import FORGET_SECONDS, FreeSamples
from usufruct.gateway.search.service import ServiceSearch
from usufruct.gateway.service import Gateway
from usufruct.payments.ledger import Ledger
from usufruct.payments.pricing import DigestSigner, Escrow, PayerBenefits
from usufruct.payments.settlement import AccountSync, ChannelRegistry, PassAccounts, ReceiptSigners
from usufruct.payments.x402 import EndpointPayments, Funding, OfferSigner, Requirements
from usufruct.store import Database, MasterSecret
from usufruct.web.ui import Pages
from usufruct_client.wire import Terms

_LONGEST_SECONDS = 5.0
_ENDPOINT_SECONDS = 3_600.0


def build(context: Context) -> Component:
    """Build the component."""
    _provide_operator(context)

    def catalogue() -> Catalogue:
        seal = context.get(MasterSecret).seal("upstreams")
        return Catalogue(context.get(Listings), context.get(Database), seal, context.get(Clock))

    def gateway() -> Gateway:
        clock = context.get(Clock)
        quotes = Quotes(context.get(MasterSecret).stamp("quotes"), clock)
        operator = context.get(Operator)
        payments = PaymentMethods(
            BearerKeyPayments(context.get(Keys), operator.escrow),
            context.get(PassAccounts),
            X402Payments(context.get(Requirements), context.get(Funding), quotes, context.get(OfferSigner), clock),
        )
        counters, most_calls = (
            CallCounters(context.get(CollectorRegistry)),
            context.get(Config).gateway.calls_per_minute,
        )
        return Gateway(
            payments,
            context.get(Catalogue),
            context.get(Ledger),
            operator,
            clock,
            context.get(ServiceQuality),
            ServiceSearch(context.get(Catalogue), context.get(Database), clock),
            context.get(FreeSamples),
            counters=counters,
            benefits=context.get(PayerBenefits),
            call_rate=CallRate(most_calls, context.get(PayerBenefits), clock) if most_calls else None,
        )

    def samples() -> FreeSamples:
        stamp = context.get(MasterSecret).stamp("visitors of free samples")
        return FreeSamples(context.get(Database), stamp, context.get(Clock))

    def unused() -> UnusedKeys:
        return UnusedKeys(context.get(Keys), context.get(Ledger), context.get(AccountSync), context.get(Clock))

    def configurations() -> FollowedConfigurations:
        documents = DocumentSource(context.get(Config).data.folder / "configurations")
        entries = RegistryEntries(context.get(ChainAccess))
        return FollowedConfigurations(context.get(Catalogue), entries, documents, context.get(Clock))

    def poll_seconds() -> float:
        return context.get(Config).chain.poll_milliseconds / 1000

    context.provide_later(FollowedConfigurations, configurations)
    context.provide_later(Catalogue, catalogue)
    context.provide_later(FreeSamples, samples)
    context.provide_later(Gateway, gateway)
    context.provide_later(EndpointPayments, lambda: context.get(Gateway).endpoint_pipeline)
    context.provide_later(ServiceQuality, lambda: ServiceQuality(context.get(Database), context.get(Clock)))
    return Component(
        "gateway",
        routes=lambda: [
            *gateway_routes(context.get(Gateway)),
            *gateway_pages(context.get(Gateway), context.get(Pages)),
            *level_pages(context.get(Gateway), context.get(PayerBenefits), context.get(Sessions), context.get(Pages)),
        ],
        exposed_headers=("payment-required", "x-usufruct-sample-left", *BILLED),
        jobs=lambda: [
            Job("keys", unused().run, 60.0),
            Job("configurations", context.get(FollowedConfigurations).poll, poll_seconds(), longest=_LONGEST_SECONDS),
            Job("samples", context.get(FreeSamples).forget, FORGET_SECONDS),
            Job("service-quality", context.get(ServiceQuality).summarize, SUMMARY_SECONDS),
        ],
        metrics={"configurations": lambda: configuration_metrics(context.get(Catalogue))},
        diagnostics=(
            Diagnostic("payees", lambda: check_payees(context), services=True),
            Diagnostic("upstreams", lambda: check_upstreams(context), services=True),
            Diagnostic("configurations", lambda: check_configurations(context), services=True),
            Diagnostic("passes", lambda: check_passes(context), services=True),
        ),
        gateway_jobs=lambda: [
            context.get(Gateway).lease_job(context.get(Config).ledger.lease_seconds),
            context.get(Gateway).quality_job(),
            context.get(Gateway).search_job(),
            Job("paid-endpoints", context.get(Gateway).endpoint_pipeline.update_listings, _ENDPOINT_SECONDS),
        ],
    )


def _provide_operator(context: Context) -> None:
    def operator() -> Operator:
        terms = context.get(Terms)
        return Operator(
            Escrow(ChainId(terms.chain_id)),
            terms.till,
            terms.token.address,
            context.get(DigestSigner),
            terms.token.decimals,
            terms.token.symbol,
            terms.withdraw_delay,
            context.get(ReceiptSigners).signed_before,
            terms.earlier_receipt_signers,
        )

    async def can_deposit(payer: Address) -> bool:
        token = Erc20(context.get(TokenFacts).address, context.get(Client))
        return await token.balance_of(payer) >= context.get(Terms).least_deposit

    def key_channels() -> KeyChannels:
        return KeyChannels(context.get(ChannelRegistry), context.get(Operator), can_deposit)

    context.provide_later(Operator, operator)
    context.provide_later(Channels, key_channels)
