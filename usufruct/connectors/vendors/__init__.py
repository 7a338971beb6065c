"""Vendors of prices, caps and supplies, with the user's own key: CoinGecko and Coin Metrics."""

from usufruct.connectors.vendors.coingecko import CoinGecko
from usufruct.connectors.vendors.coinmetrics import CoinMetrics
from usufruct.connectors.vendors.errors import (
    InvalidIds,
    UnknownToVendor,
    VendorRateLimited,
    VendorRefused,
    VendorUnavailable,
    VendorUnreadable,
)
from usufruct.connectors.vendors.ids import read_ids

__all__ = [
    "CoinGecko",
    "CoinMetrics",
    "InvalidIds",
    "UnknownToVendor",
    "VendorRateLimited",
    "VendorRefused",
    "VendorUnavailable",
    "VendorUnreadable",
    "read_ids",
]
