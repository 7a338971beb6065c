"""Buying packages of a plan: two calls of the buyer's account, for exactly the price.

The first lets the contract of the credits take exactly the price, the second buys. The plan's id holds its price, so
no one can change it under the buyer. A passkey signs both as one operation; its nonce is made of plan, buyer, number
and what the buyer bought of the plan before, and the chain makes an operation of one nonce once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.assets import Passes, PassPlan, RegistryClient
from usufruct.chain import Call
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.core import Address, AssetId, Hash32, format_asset
from usufruct.market.trade.errors import (
    InvalidPurchase,
    NotTraded,
    PlanClosed,
    PriceAboveAllowed,
    PurchaseOutdated,
    PurchaseUnfunded,
)
from usufruct.market.trade.exchange_logs import ExchangeIndexer
from usufruct.market.trade.node_view import NodeView
from usufruct.market.trade.package_store import plan_hash
from usufruct_client.pass_documents import PackageWish
from usufruct_client.trade import purchase_salt


@dataclass(frozen=True, slots=True)
class PackageTerms:
    """What a buyer does to buy packages, what it costs, and how many credits come of it.

    `name` is the same for the same purchase, and another after it.
    """

    calls: Sequence[Call]
    price: int
    credits: int
    name: Hash32


class Packages:
    """The verbs of a buyer of packages. Questions to the chain raise `Unavailable`."""

    def __init__(
        self, registry: RegistryClient, passes: Passes, indexer: ExchangeIndexer, *, node_seconds: float = 5.0
    ) -> None:
        """Ask `indexer` what was bought before."""
        self._registry = registry
        self._passes = passes
        self._indexer = indexer
        self._node_seconds = node_seconds

    async def plan(self, asset: AssetId, plan: int) -> PassPlan:
        """Return a plan of a service; raises `NotTraded` for another's, and `UnknownPlan`."""
        if plan >> 128 != asset:
            message = f"plan {plan:#x} is not of service {format_asset(asset)}; take one of the service's plans"
            raise NotTraded(message, field="plan")
        return await self._passes.show(plan)

    async def bought(self, buyer: Address, node: NodeView | None = None) -> dict[int, int]:
        """Return how many credits a buyer has bought in packages up to now, by plan; `node` as `OfferBook` has it."""
        async with (node or NodeView(self._node_seconds)).limit():
            return await self._indexer.in_packages(buyer)

    async def terms(self, buyer: Address, asset: AssetId, wish: PackageWish) -> PackageTerms:
        """Return the calls by which a buyer buys packages; everything that can be checked before is.

        Raises:
            NotTraded, UnknownPlan: when the service has no such plan.
            PlanClosed: when it is not on sale.
            PurchaseOutdated: when the buyer has bought of it since they saw it.
            PriceAboveAllowed: when it costs more than the buyer allows.
            PurchaseUnfunded: when the buyer's account holds less than the price.
        """
        if wish.packages <= 0:
            raise InvalidPurchase(f"packages is {wish.packages}; it must be above 0", field="packages")
        plan = await self.plan(asset, wish.plan)
        if not plan.open:
            message = f"{plan.id:#x} is not on sale: stopped, expired, or its service is retired; take another plan"
            raise PlanClosed(message, field="plan")
        await self._passes.check_not_paused()
        bought = (await self.bought(buyer)).get(plan.id, 0)
        if bought != wish.bought:
            message = f"{buyer} has bought {bought} credits of this plan, not {wish.bought}: look at it again"
            raise PurchaseOutdated(message, field="bought", bought=bought)
        price = plan.price * wish.packages
        if price > wish.max_price:
            message = f"the price is {price} atomic units, and you allow {wish.max_price}; allow more or buy less"
            raise PriceAboveAllowed(message, field="maxPrice", price=price)
        await self._check_funds(buyer, plan, price)
        contract = self._registry.passes
        approve = Erc20(plan.token.address).approve(contract.address, price)
        buy = contract.buy(plan.id, wish.packages, buyer)
        name = purchase_salt(plan_hash(plan.id), buyer, wish.packages, bought)
        return PackageTerms((approve, buy), price, plan.credits * wish.packages, name)

    async def _check_funds(self, buyer: Address, plan: PassPlan, price: int) -> None:
        held = await Erc20(plan.token.address, self._registry.client).balance_of(buyer)
        if held < price:
            message = f"{buyer} holds {held} atomic units of {plan.token.symbol}, and the price is {price}; buy less"
            raise PurchaseUnfunded(message, field="packages", held=held, price=price)
