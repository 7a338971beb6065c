"""Payment by x402: payment requirements, payment headers, funding, signed offers and receipts."""

from usufruct.payments.x402.bazaar import discovery_extension
from usufruct.payments.x402.errors import DepositNotNeeded, x402_name
from usufruct.payments.x402.funding import Funding
from usufruct.payments.x402.offer_receipt import OFFER_RECEIPT, OfferSigner
from usufruct.payments.x402.payment import Payment, PaymentKind, read_payment
from usufruct.payments.x402.requirements import Requirements

__all__ = [
    "OFFER_RECEIPT",
    "DepositNotNeeded",
    "Funding",
    "OfferSigner",
    "Payment",
    "PaymentKind",
    "Requirements",
    "discovery_extension",
    "read_payment",
    "x402_name",
]
