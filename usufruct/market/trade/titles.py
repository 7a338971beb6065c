"""A service's title beside the trade in it: its owner, what they have announced, what they could sell with it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.assets import Assets, Credits, Listing, PricePeriod, RegistryClient, RevenueToken
from usufruct.chain.contracts.shares import Shares
from usufruct.core import ZERO_ADDRESS, Address
from usufruct.core.price_cards import PriceCard
from usufruct.market.trade.model import Deductions
from usufruct.market.trade.node_view import NodeView
from usufruct.market.trade.offer_book import OfferBook
from usufruct.market.trade.pass_plans import PassesState, PassPlans
from usufruct_client.trade import Goods


@dataclass(frozen=True, slots=True)
class TitleState:
    """A service now, as far as a buyer of its title must know it; prices are in `currency`.

    A new price holds `notice_seconds` after it is announced; `next_price` is announced. `retires_at` 0: no end is.
    `restricted`: not every account may hold the shares. `deductions`: of a sale of the title.
    """

    owner: Address
    price: PriceCard
    next_price: PricePeriod | None
    notice_seconds: int
    retires_at: int
    now: int
    currency: RevenueToken
    restricted: bool
    deductions: Deductions

    @property
    def retired(self) -> bool:
        """Whether the service has ended."""
        return 0 < self.retires_at <= self.now


@dataclass(frozen=True, slots=True)
class BundleHoldings:
    """What an account could sell together with a title: shares, and credits of plans that circulate."""

    shares: int
    credits: Sequence[Credits]


class Titles:
    """Reads the titles of this installation's services. Questions to the chain raise `Unavailable`."""

    def __init__(self, book: OfferBook, registry: RegistryClient, plans: PassPlans) -> None:
        self._book = book
        self._registry = registry
        self._plans = plans

    async def state(self, listing: Listing, node: NodeView) -> TitleState:
        """Return a service's title now."""
        asset, registry = listing.id, self._registry
        title = Goods(asset, self._book.goods.titles, title=True)
        async with node.limit():
            (known, owner, policy), (price, pending, now), deductions = await asyncio.gather(
                asyncio.gather(
                    registry.asset(asset),
                    registry.contract.owner_of(asset),
                    Shares(listing.pay_to, self._book.client).transfer_policy(),
                ),
                asyncio.gather(registry.price_card(asset), Assets(registry).pending_price(asset), registry.now()),
                self._book.goods.deductions(title),
            )
            currency = await registry.token(known.currency)
        restricted, notice = policy != ZERO_ADDRESS, known.notice_period
        return TitleState(owner, price, pending, notice, known.retires_at, now, currency, restricted, deductions)

    async def holdings(self, listing: Listing, account: Address, node: NodeView) -> BundleHoldings:
        """Return what an account could sell together with a service's title."""
        plans = await self._plans.state(listing, node)
        async with node.limit():
            shares = await self._book.goods.held(Goods(listing.id, listing.pay_to), account)
        credits_ = [each.credits for each in await self._plans.credits(plans, account, node)]
        return BundleHoldings(shares, [each for each in credits_ if each.circulating and not _void(plans, each)])


def _void(plans: PassesState, held: Credits) -> bool:
    known = plans.find(held.plan.id)
    return known is None or known.void
