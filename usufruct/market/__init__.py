"""The marketplace: people find services, pay for them, see what they spent, and are told of their money."""

from usufruct.market.account_levels import ServiceFailures
from usufruct.market.buyer import Buyer

__all__ = ["Buyer", "ServiceFailures"]
