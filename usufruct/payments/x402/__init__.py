"""Payment by x402: requirements, headers, funding, signed offers and receipts, endpoints that are sold by the call."""

from usufruct.payments.x402.bazaar import body_extension, discovery_extension, query_extension
from usufruct.payments.x402.errors import DepositNotNeeded, MalformedPayment, x402_name
from usufruct.payments.x402.funding import Funding
from usufruct.payments.x402.offer_receipt import OFFER_RECEIPT, OfferSigner
from usufruct.payments.x402.paid_endpoint import Answer, EndpointAnswer, EndpointPayments, PaidEndpoint
from usufruct.payments.x402.payment import Payment, PaymentKind, read_payment
from usufruct.payments.x402.requirements import Requirements

__all__ = [
    "OFFER_RECEIPT",
    "Answer",
    "DepositNotNeeded",
    "EndpointAnswer",
    "EndpointPayments",
    "Funding",
    "MalformedPayment",
    "OfferSigner",
    "PaidEndpoint",
    "Payment",
    "PaymentKind",
    "Requirements",
    "body_extension",
    "discovery_extension",
    "query_extension",
    "read_payment",
    "x402_name",
]
