"""The metered gateway: OpenAI's endpoints, paid by bearer keys or x402, each call charged once and receipted."""

from usufruct.gateway.api import gateway_routes
from usufruct.gateway.catalogue import Catalogue
from usufruct.gateway.errors import (
    InvalidListing,
    InvalidRequest,
    ListingExists,
    ReceiptNotFound,
    RetiredListing,
    UnknownModel,
    UnsupportedContent,
    WrongEndpoint,
)
from usufruct.gateway.jobs import UNUSED_SECONDS, UnusedKeys, remove_unused
from usufruct.gateway.metrics import CallCounters
from usufruct.gateway.model import Caps, CountingRule, Endpoint, PricePeriod, ServedListing, Upstream, plain_asset_id
from usufruct.gateway.operator_profile import Operator
from usufruct.gateway.payers.key_channels import KeyChannels
from usufruct.gateway.payers.pass_grant import PassGrantPayments
from usufruct.gateway.payers.x402 import PaymentWanted, X402Payments
from usufruct.gateway.quotes import Quotes, StaleQuote
from usufruct.gateway.registered import USUAL_WINDOW, RegisteredOffers, registered_card
from usufruct.gateway.service import Gateway
from usufruct.gateway.signed_receipt import SignedReceipt

__all__ = [
    "UNUSED_SECONDS",
    "USUAL_WINDOW",
    "CallCounters",
    "Caps",
    "Catalogue",
    "CountingRule",
    "Endpoint",
    "Gateway",
    "InvalidListing",
    "InvalidRequest",
    "KeyChannels",
    "ListingExists",
    "Operator",
    "PassGrantPayments",
    "PaymentWanted",
    "PricePeriod",
    "Quotes",
    "ReceiptNotFound",
    "RegisteredOffers",
    "RetiredListing",
    "ServedListing",
    "SignedReceipt",
    "StaleQuote",
    "UnknownModel",
    "UnsupportedContent",
    "UnusedKeys",
    "Upstream",
    "WrongEndpoint",
    "X402Payments",
    "gateway_routes",
    "plain_asset_id",
    "registered_card",
    "remove_unused",
]
