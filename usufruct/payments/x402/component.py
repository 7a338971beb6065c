"""What x402 adds to an installation: it makes wallets' payments good."""

from usufruct.accounts import Keys
from usufruct.config import Config
from usufruct.core import Clock
from usufruct.core.components import Component, Context
from usufruct.payments.pricing import DigestSigner
from usufruct.payments.settlement import AccountSync, Deposits, RefundRequests, SettlementContext
from usufruct.payments.x402.funding import Funding
from usufruct.payments.x402.offer_receipt import OfferSigner
from usufruct.payments.x402.requirements import Requirements
from usufruct_client.wire import Terms
from usufruct_client.wire_types import adapter
from usufruct_client.x402 import Payment, PaymentHead


def build(context: Context) -> Component:
    """Build the component."""

    def funding() -> Funding:
        for document in (PaymentHead, Payment):
            adapter(document)  # takes tens of milliseconds to make: not with the first call
        return Funding(
            context.get(SettlementContext),
            context.get(AccountSync),
            context.get(Deposits),
            context.get(RefundRequests),
            context.get(Keys),
            context.get(Terms),
        )

    def offers() -> OfferSigner:
        return OfferSigner(context.get(DigestSigner), context.get(Clock), context.get(Config).gateway.offers_per_second)

    context.provide_later(Funding, funding)
    context.provide_later(OfferSigner, offers)
    context.provide_later(Requirements, lambda: Requirements(context.get(Terms)))
    return Component("x402")
