"""Deals: sales of tokens at a fixed price, to which accounts with a higher level come earlier and with more."""

from usufruct.staking.deals.deal_calls import DealCalls
from usufruct.staking.deals.deal_logs import DealIndexer
from usufruct.staking.deals.deal_plan import DealPlan, read_file, read_level, read_plan
from usufruct.staking.deals.deal_words import amount_text, deal_in_words, price_of_one
from usufruct.staking.deals.deals import Deals, DealTokens, ShownDeals
from usufruct.staking.deals.deployment import has_deals
from usufruct.staking.deals.model import DealPart, DealState, DealTerms, Obstacle, Phase, obstacle, vested_down

__all__ = [
    "DealCalls",
    "DealIndexer",
    "DealPart",
    "DealPlan",
    "DealState",
    "DealTerms",
    "DealTokens",
    "Deals",
    "Obstacle",
    "Phase",
    "ShownDeals",
    "amount_text",
    "deal_in_words",
    "has_deals",
    "obstacle",
    "price_of_one",
    "read_file",
    "read_level",
    "read_plan",
    "vested_down",
]
