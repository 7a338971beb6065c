"""Plans of prepaid credits beside the trade in them: what a buyer of credits must know, and what an account holds."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.assets import Credits, Listing, Passes, PassPlan, RegistryClient, RevenueToken, about_calls
from usufruct.core import Address, AssetId, format_asset
from usufruct.market.trade.errors import NotTraded
from usufruct.market.trade.exchange_logs import ExchangeIndexer
from usufruct.market.trade.model import Deductions
from usufruct.market.trade.node_view import NodeView
from usufruct.market.trade.offer_book import OfferBook
from usufruct.payments.ledger import AccountUnknown, Ledger
from usufruct.payments.pricing import PassTerms


@dataclass(frozen=True, slots=True)
class PlanState:
    """A plan now. `calls`: about how many a package pays; None where calls are free or not counted in text tokens.

    `call_prices`: what such a call costs through the plan, in its token, and without it, in the currency of credits.

    Circulating credits can be given back, for what the plan sold them for, from `refundable_at` on (0: now) until they
    are void.
    """

    plan: PassPlan
    calls: int | None
    call_prices: tuple[int, int] | None
    refundable_at: int
    now: int

    @property
    def void(self) -> bool:
        """Whether the plan has expired."""
        return 0 < self.plan.expiry <= self.now

    @property
    def refundable(self) -> bool:
        """Whether circulating credits can be given back now."""
        return self.refundable_at <= self.now and not self.void


@dataclass(frozen=True, slots=True)
class HeldCredits:
    """A holder's credits of one plan for one meter, and what calls can still use of the activated ones here."""

    credits: Credits
    left: int


@dataclass(frozen=True, slots=True)
class ServiceCredits:
    """An account's credits of all plans of a service; `name` is empty where it is not sold here any more."""

    asset: str
    name: str
    currency: RevenueToken
    circulating: int
    left: int


@dataclass(frozen=True, slots=True)
class PassesState:
    """A service's plans now, what a credit counts in, and what a sale of credits deducts."""

    currency: RevenueToken
    plans: Sequence[PlanState]
    deductions: Deductions

    def find(self, plan: int) -> PlanState | None:
        """Return the plan of an id."""
        return next((each for each in self.plans if each.plan.id == plan), None)


class PassPlans:
    """Reads the plans of this installation's services. Questions to the chain raise `Unavailable`.

    `node` as `OfferBook` has it.
    """

    def __init__(
        self,
        book: OfferBook,
        registry: RegistryClient,
        passes: Passes,
        indexer: ExchangeIndexer,
        ledger: Ledger,
        terms: PassTerms,
    ) -> None:
        """Take what calls have used from `ledger`; `terms` are those of the credits that pay here."""
        self._indexer = indexer
        self._book = book
        self._registry = registry
        self._passes = passes
        self._ledger = ledger
        self._terms = terms

    async def state(self, listing: Listing, node: NodeView | None = None) -> PassesState:
        """Return a service's plans now, the oldest first."""
        async with (node or self._book.node()).limit():
            plans, known, fee, card, now = await asyncio.gather(
                self._passes.plans(listing.id),
                self._registry.asset(listing.id),
                self._book.exchange.protocol_fee(),
                self._registry.price_card(listing.id),
                self._registry.now(),
            )
            refundable = await asyncio.gather(
                *(self._registry.passes.circulating_refundable_at(each.id) for each in plans)
            )
            currency = await self._registry.token(known.currency)
        found = [
            PlanState(each, about_calls(each.credits, card), each.call_prices_up(card), opens_at, now)
            for each, opens_at in zip(plans, refundable, strict=True)
        ]
        return PassesState(currency, found, Deductions(fee.bps, known.resale_royalty_bps))

    async def credits(self, state: PassesState, holder: Address, node: NodeView | None = None) -> list[HeldCredits]:
        """Return a holder's credits of a service's plans, by plan and meter."""
        async with (node or self._book.node()).limit():
            return await self._held(holder, [each.plan for each in state.plans])

    async def by_service(self, holder: Address) -> list[ServiceCredits]:
        """Return an account's credits by service: of the plans of which it got credits in a purchase, unless void."""
        known = await self._indexer.plans(holder)
        if not known:
            return []
        async with self._book.node().limit():
            plans = await asyncio.gather(*(self._passes.show(each) for each in known))
            now = await self._registry.now()
            held = await self._held(holder, [each for each in plans if not 0 < each.expiry <= now])
        found: dict[AssetId, list[HeldCredits]] = {}
        for each in held:
            found.setdefault(each.credits.plan.asset, []).append(each)
        return [await self._of_service(*each) for each in found.items()]

    async def _of_service(self, asset: AssetId, held: Sequence[HeldCredits]) -> ServiceCredits:
        try:
            name = (await self._book.by_id(asset)).name
        except NotTraded:
            name = ""
        circulating, left = sum(each.credits.circulating for each in held), sum(each.left for each in held)
        return ServiceCredits(format_asset(asset), name, held[0].credits.plan.currency, circulating, left)

    async def _held(self, holder: Address, plans: Sequence[PassPlan]) -> list[HeldCredits]:
        found = await self._passes.credits_of(holder, plans)
        left = await asyncio.gather(*(self._left(each, holder) for each in found))
        return [HeldCredits(*each) for each in zip(found, left, strict=True)]

    async def _left(self, held: Credits, holder: Address) -> int:
        """Return what calls can still use here: charges count at once, although they are burned later."""
        activated = self._terms.credits(held.plan.id, holder)
        if held.meter != activated.meter or not held.activated:
            return 0
        standing = await self._registry.passes.standing(held.plan.id, holder, held.meter)
        try:
            account = await self._ledger.account(self._terms.account_id(activated))
        except AccountUnknown:  # no call has used them
            return standing.left
        return max(0, standing.left + standing.burned - account.charged - account.reserved)
