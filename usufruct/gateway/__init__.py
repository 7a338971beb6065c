"""The metered gateway: OpenAI's endpoints, paid by bearer keys, each call charged once and receipted."""

from usufruct.gateway.api import gateway_routes
from usufruct.gateway.bill import SignedReceipt
from usufruct.gateway.catalogue import Catalogue
from usufruct.gateway.errors import (
    AssetExists,
    InvalidAsset,
    InvalidRequest,
    LimitReached,
    ReceiptNotFound,
    RetiredAsset,
    UnknownModel,
    UnsupportedContent,
    WrongEndpoint,
)
from usufruct.gateway.model import Asset, Caps, CountingRule, Endpoint, PricePeriod, Replica, plain_asset_id
from usufruct.gateway.operator import KeyChannels, Operator
from usufruct.gateway.service import Gateway

__all__ = [
    "Asset",
    "AssetExists",
    "Caps",
    "Catalogue",
    "CountingRule",
    "Endpoint",
    "Gateway",
    "InvalidAsset",
    "InvalidRequest",
    "KeyChannels",
    "LimitReached",
    "Operator",
    "PricePeriod",
    "ReceiptNotFound",
    "Replica",
    "RetiredAsset",
    "SignedReceipt",
    "UnknownModel",
    "UnsupportedContent",
    "WrongEndpoint",
    "gateway_routes",
    "plain_asset_id",
]
