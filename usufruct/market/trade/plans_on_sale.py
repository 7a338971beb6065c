"""The plans of prepaid credits that a service has on sale, as its page shows them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from usufruct.assets import Listing, Listings, RevenueToken, UnknownListing
from usufruct.core import AssetId, Clock, Unavailable, format_asset
from usufruct.market.trade.pass_plans import PassesState, PassPlans, PlanState

FRESH_SECONDS = 60.0
"""How long what the chain said is shown: a new plan is seen so much later."""

_AWAY_SECONDS = 5.0
"""How long a node that did not answer is not asked again."""


@dataclass(frozen=True, slots=True)
class ServicePlans:
    """A service and its plans that are on sale; what a credit counts in, of a service that can have plans."""

    listing: Listing
    plans: Sequence[PlanState] = ()
    unit: RevenueToken | None = None


class PlansOnSale:
    """The plans that a reader of a service's page can buy from. The node is asked once a minute for a service."""

    def __init__(self, listings: Listings, plans: PassPlans, clock: Clock) -> None:
        """Ask `plans` about registered services only: others have none."""
        self._listings = listings
        self._plans = plans
        self._clock = clock
        self._known: dict[AssetId, tuple[float, PassesState]] = {}
        self._away_until = 0.0
        self._reading = asyncio.Lock()

    async def of(self, asset: AssetId) -> ServicePlans:
        """Return a service's plans, the cheapest use first.

        Raises:
            UnknownListing: when no service that is on sale has this id.
            Unavailable: when it is registered, and the chain's node does not answer, or did not a moment ago.
        """
        listing = await self._listings.by_id(asset)
        if listing is None or listing.retired_at is not None:
            raise UnknownListing(f"there is no service with id {format_asset(asset)} here", asset=format_asset(asset))
        if not listing.registered:
            return ServicePlans(listing)
        async with self._reading:  # of many readers at once, one asks the node
            state = await self._state(listing)
        on_sale = [each for each in state.plans if each.plan.open]
        return ServicePlans(listing, sorted(on_sale, key=_price_of_use), state.currency)

    async def _state(self, listing: Listing) -> PassesState:
        now = self._clock.monotonic()
        if (known := self._known.get(listing.id)) and now - known[0] < FRESH_SECONDS:
            return known[1]
        if now < self._away_until:
            raise Unavailable("the chain's node did not answer a moment ago; try again", code="rpc_unavailable")
        try:
            state = await self._plans.state(listing)
        except Unavailable:
            self._away_until = self._clock.monotonic() + _AWAY_SECONDS
            raise
        self._known[listing.id] = now, state
        return state


def _price_of_use(state: PlanState) -> tuple[str, Fraction]:
    plan = state.plan
    return plan.token.address, Fraction(plan.price, plan.credits)
