"""Plans of prepaid credits beside the trade in them: what a buyer of credits must know, and what an account holds."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from usufruct.assets import Credits, Listing, Passes, PassPlan, RegistryClient, RevenueToken, about_calls
from usufruct.core import Address, AssetId, NotFound, Unavailable, format_asset
from usufruct.market.trade.credit_transfers import CreditIndexer
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
    """An account's credits of all plans of a service; `name` is empty where it is not sold here."""

    asset: str
    name: str
    currency: RevenueToken
    circulating: int
    left: int


@dataclass(frozen=True, slots=True)
class AccountCredits:
    """An account's credits by service; `more` tells that it got credits of further plans, which were not looked at."""

    services: Sequence[ServiceCredits] = ()
    more: bool = False


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
        transfers: CreditIndexer,
        ledger: Ledger,
        terms: PassTerms,
        *,
        most_plans: int = 50,
    ) -> None:
        """Take what calls have used from `ledger`; `terms` are those of the credits that pay here."""
        self._most_plans = most_plans
        self._transfers = transfers
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

    async def by_service(self, holder: Address) -> AccountCredits:
        """Return an account's credits by service, unless void; those of services that are sold here come first.

        The chain is asked about `most_plans` plans at most: an account cannot refuse what strangers give it.
        """
        node = self._book.node()
        with suppress(Unavailable):  # an account without credits need not know that the node is away
            async with node.limit():
                await self._transfers.poll()
        known = await self._transfers.plans(holder)
        names = await self._book.names({_asset_of(each) for each in known})
        known.sort(key=lambda each: _asset_of(each) not in names)
        if not known:
            return AccountCredits()
        async with node.limit():
            plans = await asyncio.gather(*(self._find(each) for each in known[: self._most_plans]))
            now = await self._registry.now()
            held = await self._held(holder, [each for each in plans if each and not 0 < each.expiry <= now])
        found: dict[AssetId, list[HeldCredits]] = {}
        for each in held:
            found.setdefault(each.credits.plan.asset, []).append(each)
        services = [_of_service(asset, names.get(asset, ""), held) for asset, held in found.items()]
        return AccountCredits(services, len(known) > self._most_plans)

    async def _find(self, plan: int) -> PassPlan | None:
        """Return a plan; None where a reorganisation took it back."""
        try:
            return await self._passes.show(plan)
        except NotFound:
            return None

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


def _asset_of(plan: int) -> AssetId:
    return AssetId(plan >> 128)


def _of_service(asset: AssetId, name: str, held: Sequence[HeldCredits]) -> ServiceCredits:
    circulating, left = sum(each.credits.circulating for each in held), sum(each.left for each in held)
    return ServiceCredits(format_asset(asset), name, held[0].credits.plan.currency, circulating, left)
