"""The last decision of an index as orders for an exchange, and as weights of a vault."""

from usufruct.indices.orders.decision import Close, last_closes, target_cash, target_weights
from usufruct.indices.orders.order_list import (
    LeftOut,
    Listing,
    Order,
    OrderList,
    Stay,
    exchange_orders,
    listings_by_ticker,
    listings_of_venue,
)
from usufruct.indices.orders.vault import VaultWeight, vault_weights

__all__ = [
    "Close",
    "LeftOut",
    "Listing",
    "Order",
    "OrderList",
    "Stay",
    "VaultWeight",
    "exchange_orders",
    "last_closes",
    "listings_by_ticker",
    "listings_of_venue",
    "target_cash",
    "target_weights",
    "vault_weights",
]
