"""The marketplace: people find services, pay for them, and see what they spent."""

from usufruct.market.buyer import Buyer

__all__ = ["Buyer"]
