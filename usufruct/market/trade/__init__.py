"""Trade in shares and pass credits on the exchange: signed offers that are kept here, purchases, what was traded."""

from usufruct.market.trade.exchange_logs import ExchangeIndexer
from usufruct.market.trade.goods_on_chain import GoodsOnChain
from usufruct.market.trade.model import last_expiry, listing_of
from usufruct.market.trade.node_view import NodeView
from usufruct.market.trade.offer_book import OfferBook
from usufruct.market.trade.offers import Offers
from usufruct.market.trade.pass_plans import AccountCredits, PassPlans
from usufruct.market.trade.purchases import Purchases
from usufruct.market.trade.refusals import REFUSALS

__all__ = [
    "REFUSALS",
    "AccountCredits",
    "ExchangeIndexer",
    "GoodsOnChain",
    "NodeView",
    "OfferBook",
    "Offers",
    "PassPlans",
    "Purchases",
    "last_expiry",
    "listing_of",
]
