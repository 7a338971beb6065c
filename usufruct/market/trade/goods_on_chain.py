"""Goods as their contracts have them: what they are, who holds them, and what a sale deducts."""

import asyncio

from usufruct.assets import RegistryClient
from usufruct.chain import Call, Client
from usufruct.chain.contracts import access_pass
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.shares import Shares
from usufruct.core import UINT256_MAX, Address, AssetId, format_asset, moment
from usufruct.market.trade.errors import CreditsVoid, NotTraded
from usufruct.market.trade.model import Deductions
from usufruct_client.trade import Goods

_WHOLE = 10_000


class GoodsOnChain:
    """Reads shares and pass credits that trade on one exchange. Questions to the chain raise `Unavailable`."""

    def __init__(self, registry: RegistryClient, exchange: Exchange) -> None:
        self.exchange = exchange
        self._registry = registry

    @property
    def client(self) -> Client:
        """The chain's node."""
        return self._registry.client

    @property
    def passes(self) -> Address:
        """The contract of pass credits."""
        return self._registry.passes.address

    async def find(self, asset: AssetId, plan: int | None) -> Goods:
        """Return an asset's shares, or the credits of a plan; `void_at` tells whether there is such a plan.

        Raises:
            UnknownAsset: when the registry does not know the asset.
        """
        known = await self._registry.asset(asset)
        return Goods(asset, known.shares if plan is None else self.passes, plan)

    async def void_at(self, goods: Goods) -> int:
        """Return from when on the goods are void, chain seconds; 0: never.

        Raises:
            NotTraded: when the asset has no such plan.
        """
        if goods.plan is None:
            return 0
        unknown = (
            f"service {format_asset(AssetId(goods.asset))} has no plan {goods.plan:#x}; take one of the service's plans"
        )
        if goods.plan >> 128 != goods.asset:
            raise NotTraded(unknown, field="plan")
        try:
            return (await self._registry.passes.plan(goods.plan)).expiry
        except access_pass.UnknownPlan:
            raise NotTraded(unknown, field="plan") from None

    async def check_not_void(self, goods: Goods, void_at: int) -> None:
        """Raise `CreditsVoid` once goods that are void at a time are."""
        if 0 < void_at <= await self._registry.now():
            message = f"the credits of plan {goods.plan:#x} are void since {moment(void_at)}; they pay for nothing"
            raise CreditsVoid(message, field="plan")

    async def held(self, goods: Goods, account: Address) -> int:
        """Return how much an account holds that it can sell; activated credits are not in it."""
        if goods.plan is None:
            return await Shares(goods.token, self.client).balance_of(account)
        return await self._registry.passes.balance_of(account, goods.plan)

    async def approved(self, goods: Goods, maker: Address) -> int:
        """Return how much of a maker's goods the exchange may move; of credits it is all or nothing."""
        if goods.plan is None:
            return await Shares(goods.token, self.client).allowance(maker, self.exchange.address)
        every = await self._registry.passes.is_approved_for_all(maker, self.exchange.address)
        return UINT256_MAX if every else 0

    async def covered(self, goods: Goods, maker: Address) -> int:
        """Return how much of the goods a maker holds and has approved."""
        return min(await asyncio.gather(self.held(goods, maker), self.approved(goods, maker)))

    def approval(self, goods: Goods, amount: int) -> Call:
        """Return the call by which a maker lets the exchange move `amount` of shares, or all credits of all plans."""
        if goods.plan is None:
            return Shares(goods.token).approve(self.exchange.address, amount)
        return self._registry.passes.set_approval_for_all(self.exchange.address, True)

    async def deductions(self, goods: Goods) -> Deductions:
        """Return what a sale deducts now: the exchange's fee, and of credits the asset's resale royalty."""
        fee = self.exchange.protocol_fee()
        if goods.plan is None:
            return Deductions((await fee).bps)
        known, royalty = await asyncio.gather(fee, self._registry.passes.royalty_info(goods.plan, _WHOLE))
        return Deductions(known.bps, royalty.amount)
