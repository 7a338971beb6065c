"""Goods as their contracts have them: what they are, who holds them, and what a sale deducts."""

import asyncio
from collections.abc import Sequence

from usufruct.assets import RegistryClient
from usufruct.chain import Call, Client
from usufruct.chain.contracts import access_pass
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.shares import Shares
from usufruct.core import UINT256_MAX, Address, AssetId, format_asset, moment
from usufruct.market.trade.errors import CreditsVoid, NotTraded
from usufruct.market.trade.model import Deductions
from usufruct_client.trade import WHOLE_BPS, Goods, GoodsKind, OfferedItem
from usufruct_client.trade_documents import BundledGoods


class GoodsOnChain:
    """Reads shares, pass credits and titles that trade on one exchange. Questions to the chain raise `Unavailable`."""

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

    @property
    def titles(self) -> Address:
        """The contract of the titles: the asset registry."""
        return self._registry.contract.address

    async def find(self, asset: AssetId, plan: int | None, *, title: bool = False) -> Goods:
        """Return an asset's title, its shares, or the credits of a plan; `void_at` tells whether there is such a plan.

        Raises:
            UnknownAsset: when the registry does not know the asset.
        """
        known = await self._registry.asset(asset)
        if title:
            return Goods(asset, self.titles, title=True)
        return Goods(asset, known.shares if plan is None else self.passes, plan)

    async def bundled(self, asset: AssetId, more: Sequence[BundledGoods]) -> tuple[OfferedItem, ...]:
        """Return what is sold together with an asset's title."""
        return tuple([OfferedItem(await self.find(asset, each.plan), each.amount, each.price) for each in more])

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
        if goods.kind is GoodsKind.TITLE:
            return int(await self._registry.contract.owner_of(goods.id) == account)
        if goods.kind is GoodsKind.SHARES:
            return await Shares(goods.token, self.client).balance_of(account)
        return await self._registry.passes.balance_of(account, goods.id)

    async def approved(self, goods: Goods, maker: Address) -> int:
        """Return how much of a maker's goods the exchange may move; of credits it is all or nothing."""
        exchange, titles = self.exchange.address, self._registry.contract
        if goods.kind is GoodsKind.SHARES:
            return await Shares(goods.token, self.client).allowance(maker, exchange)
        if goods.kind is GoodsKind.CREDITS:
            return UINT256_MAX if await self._registry.passes.is_approved_for_all(maker, exchange) else 0
        one, every = await asyncio.gather(titles.get_approved(goods.id), titles.is_approved_for_all(maker, exchange))
        return int(every or one == exchange)

    async def covered(self, goods: Goods, maker: Address) -> int:
        """Return how much of the goods a maker holds and has approved."""
        return min(await asyncio.gather(self.held(goods, maker), self.approved(goods, maker)))

    def approval(self, goods: Goods, amount: int) -> Call:
        """Return the call by which a maker lets the exchange move `amount` of shares, a title, or all their credits."""
        exchange = self.exchange.address
        if goods.kind is GoodsKind.SHARES:
            return Shares(goods.token).approve(exchange, amount)
        if goods.kind is GoodsKind.TITLE:
            return self._registry.contract.approve(exchange, goods.id)
        return self._registry.passes.set_approval_for_all(exchange, True)

    async def deductions(self, goods: Goods) -> Deductions:
        """Return what a sale deducts now: the exchange's fee, and of title and credits the asset's resale royalty."""
        fee, royalty_bps = await asyncio.gather(self.exchange.protocol_fee(), self._royalty_bps(goods))
        return Deductions(fee.bps, royalty_bps)

    async def _royalty_bps(self, goods: Goods) -> int:
        if goods.kind is GoodsKind.SHARES:
            return 0
        if goods.kind is GoodsKind.CREDITS:
            return (await self._registry.passes.royalty_info(goods.id, WHOLE_BPS)).amount
        return (await self._registry.contract.royalty_info(goods.id, WHOLE_BPS)).amount
