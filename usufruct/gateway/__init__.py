"""The metered gateway: OpenAI's endpoints, paid by bearer keys or x402, each call charged once and receipted."""

from usufruct.gateway.api import gateway_routes
from usufruct.gateway.bill import SignedReceipt
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
from usufruct.gateway.operator import KeyChannels, Operator
from usufruct.gateway.pass_holders import PassHolders
from usufruct.gateway.quotes import Quotes, StaleQuote
from usufruct.gateway.registered import USUAL_WINDOW, RegisteredOffers, registered_card
from usufruct.gateway.service import Gateway
from usufruct.gateway.wallets import PaymentWanted, Wallets

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
    "PassHolders",
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
    "Wallets",
    "WrongEndpoint",
    "gateway_routes",
    "plain_asset_id",
    "registered_card",
    "remove_unused",
]
