"""Trade in revenue shares on the exchange: signed offers that are kept here, purchases, and what was traded."""

from usufruct.market.trade.exchange_logs import ExchangeIndexer
from usufruct.market.trade.model import listing_of
from usufruct.market.trade.offers import ShareOffers
from usufruct.market.trade.purchases import SharePurchases
from usufruct.market.trade.refusals import REFUSALS
from usufruct.market.trade.service import ShareMarket

__all__ = ["REFUSALS", "ExchangeIndexer", "ShareMarket", "ShareOffers", "SharePurchases", "listing_of"]
