"""The metered gateway: OpenAI's endpoints, paid by bearer keys or x402, each call charged once and receipted."""

from usufruct.gateway.api import gateway_routes
from usufruct.gateway.catalogue import Catalogue
from usufruct.gateway.errors import InvalidRequest, ReceiptNotFound, UnsupportedContent, WrongEndpoint
from usufruct.gateway.jobs import UNUSED_SECONDS, UnusedKeys, remove_unused
from usufruct.gateway.metrics import CallCounters
from usufruct.gateway.model import CountingRule, Endpoint, ServedListing, Upstream
from usufruct.gateway.operator_profile import Operator
from usufruct.gateway.payers.bearer_key import BearerKeyPayments
from usufruct.gateway.payers.key_channels import KeyChannels
from usufruct.gateway.payers.methods import PaymentMethods
from usufruct.gateway.payers.pass_grant import PassGrantPayments
from usufruct.gateway.payers.x402 import PaymentWanted, X402Payments
from usufruct.gateway.policy import CountingPolicy, DisconnectPolicy, GatewayPolicy
from usufruct.gateway.quotes import Quotes, StaleQuote
from usufruct.gateway.service import Gateway
from usufruct.gateway.signed_receipt import SignedReceipt

__all__ = [
    "UNUSED_SECONDS",
    "BearerKeyPayments",
    "CallCounters",
    "Catalogue",
    "CountingPolicy",
    "CountingRule",
    "DisconnectPolicy",
    "Endpoint",
    "Gateway",
    "GatewayPolicy",
    "InvalidRequest",
    "KeyChannels",
    "Operator",
    "PassGrantPayments",
    "PaymentMethods",
    "PaymentWanted",
    "Quotes",
    "ReceiptNotFound",
    "ServedListing",
    "SignedReceipt",
    "StaleQuote",
    "UnsupportedContent",
    "UnusedKeys",
    "Upstream",
    "WrongEndpoint",
    "X402Payments",
    "gateway_routes",
    "remove_unused",
]
