"""The offers of goods as they stand now, and what was traded."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from usufruct.assets import Listing, Listings
from usufruct.chain import Client
from usufruct.chain.contracts.exchange import Exchange
from usufruct.core import Address, AssetId, Clock, Hash32, Unavailable, format_asset, hash32
from usufruct.market.trade.errors import InvalidOffer, NotTraded, OfferNotFound
from usufruct.market.trade.exchange_logs import ExchangeIndexer
from usufruct.market.trade.goods_on_chain import GoodsOnChain
from usufruct.market.trade.model import MOST_OPEN, Deductions, GoodsGroup, GoodsOffer, OfferFilter, OfferState
from usufruct.market.trade.node_view import NodeView
from usufruct.market.trade.store import (
    Trade,
    bought_by,
    count_trades,
    find_offer,
    newest_open_offers,
    offers_of_maker,
    open_offers,
    purchases_of,
    trades_of,
)
from usufruct.store import Database
from usufruct_client.trade import Goods
from usufruct_client.wire import Terms

PAGE = 50
MOST_TRADES = 200


@dataclass(frozen=True, slots=True)
class StandingOffer:
    """An offer as it stands now: its state, and how much of it can be bought; None while the node does not answer."""

    offer: GoodsOffer
    state: OfferState
    available: int | None


class OfferBook:
    """The trade in goods of this installation's services. Questions to the chain raise `Unavailable`.

    `node_seconds`: how long one view waits for the chain's node. Where a method takes a `node`, it is that of the view;
    None stands for one that asks nothing else.
    """

    def __init__(
        self,
        database: Database,
        goods: GoodsOnChain,
        listings: Listings,
        indexer: ExchangeIndexer,
        terms: Terms,
        clock: Clock,
        *,
        node_seconds: float = 5.0,
    ) -> None:
        self.terms = terms
        self.goods = goods
        self.node_seconds = node_seconds
        self._database = database
        self._listings = listings
        self._indexer = indexer
        self._clock = clock

    @property
    def exchange(self) -> Exchange:
        """The contract that the goods are sold on."""
        return self.goods.exchange

    @property
    def client(self) -> Client:
        """The chain's node."""
        return self.goods.client

    async def by_name(self, name: str) -> Listing:
        """Return the service of a name; raises `UnknownListing`, or `NotTraded` where it pays a plain address."""
        return _traded(await self._listings.find(name))

    async def by_id(self, asset: AssetId) -> Listing:
        """Return the service with an id; raises `NotTraded`."""
        listing = await self._listings.by_id(asset)
        if listing is None:
            raise NotTraded(f"asset {format_asset(asset)} is not sold here", field="asset")
        return _traded(listing)

    async def names(self, assets: Iterable[AssetId]) -> dict[AssetId, str]:
        """Return the names of the services among some assets, as far as was read; other assets are not sold here."""
        return {each.id: each.name for each in await self._listings.among(assets)}

    async def offer(self, hash_: Hash32) -> GoodsOffer:
        """Return an offer, with what was sold of it up to now; raises `OfferNotFound`."""
        await self.poll()
        async with self._database.snapshot() as unit:
            found = await find_offer(unit, hash_)
        if found is None:
            raise OfferNotFound(f"there is no offer {hash_} here; look at the list again", field="offer")
        return found

    async def purchases(self, hash_: Hash32, buyer: Address) -> list[Trade]:
        """Return a buyer's trades of an offer as far as the logs were read, the oldest first."""
        async with self._database.snapshot() as unit:
            return await purchases_of(unit, hash_, buyer)

    async def bought_by(self, buyer: Address, offers: Sequence[StandingOffer]) -> dict[Hash32, int]:
        """Return how much of each of these offers a buyer has bought, as far as the logs were read."""
        async with self._database.snapshot() as unit:
            return await bought_by(unit, buyer, [each.offer.hash for each in offers])

    async def offers(
        self, group: GoodsGroup, after: str = "", node: NodeView | None = None
    ) -> tuple[list[StandingOffer], str | None]:
        """Return a page of offers that are not over, the lowest price of a unit first; and where the next begins.

        Raises:
            InvalidOffer: for an `after` that no page has named.
        """
        start = _read_cursor(after) if after else None
        async with self._database.snapshot() as unit:
            found = await open_offers(unit, group, self._clock.now(), start, PAGE + 1)
        last = found[PAGE - 1] if len(found) > PAGE else None
        return await self.standing(found[:PAGE], node), f"{last.rate}.{last.hash}" if last else None

    async def offers_of(self, group: GoodsGroup, maker: Address, node: NodeView | None = None) -> list[StandingOffer]:
        """Return a maker's offers, the newest first, whatever became of them."""
        async with self._database.snapshot() as unit:
            found = await offers_of_maker(unit, group, maker, MOST_OPEN)
        return await self.standing(found, node)

    async def open_offers(
        self, filters: OfferFilter, after: str = "", node: NodeView | None = None, page: int = PAGE
    ) -> tuple[list[StandingOffer], str | None]:
        """Return a page of open offers of all services, the newest first; and where the next begins.

        Raises:
            InvalidOffer: for an `after` that no page has named.
        """
        start = _read_cursor(after) if after else None
        async with self._database.snapshot() as unit:
            found = await newest_open_offers(unit, filters, self._clock.now(), start, page + 1)
        last = found[page - 1] if len(found) > page else None
        return await self.standing(found[:page], node), f"{last.created_at}.{last.hash}" if last else None

    async def trades(self, group: GoodsGroup) -> list[Trade]:
        """Return the last trades as far as the logs were read, the newest first."""
        async with self._database.snapshot() as unit:
            return await trades_of(unit, group, MOST_TRADES)

    async def count_trades(self, group: GoodsGroup) -> int:
        """Return how many trades are known."""
        async with self._database.snapshot() as unit:
            return await count_trades(unit, group)

    async def standing(self, offers: Sequence[GoodsOffer], node: NodeView | None = None) -> list[StandingOffer]:
        """Return offers as they stand now; of unknown state where the node does not answer."""
        deductions, covered = await self._coverage(offers, node or self.node())
        now = self._clock.now()
        found = []
        for each in offers:
            deducted, held = deductions.get(each.goods), covered.get(each.maker)
            most = each.covered(held) if held else None
            state = each.state(now, deducted.bps_up(each.items) if deducted else None, most)
            available = None if most is None else min(each.left, most) if state is OfferState.OPEN else 0
            found.append(StandingOffer(each, state, available))
        return found

    def node(self) -> NodeView:
        """Return the chain's node for a view that begins."""
        return NodeView(self.node_seconds)

    async def poll(self, node: NodeView | None = None) -> None:
        """Take in the exchange's logs up to now; raises `Unavailable`."""
        async with (node or self.node()).limit():
            await self._indexer.poll()

    async def catch_up(self, node: NodeView) -> None:
        """Take in the exchange's logs up to now; without an answer of the node, a view shows what was read before."""
        try:
            await self.poll(node)
        except Unavailable:
            return

    async def _coverage(
        self, offers: Iterable[GoodsOffer], node: NodeView
    ) -> tuple[Mapping[Goods, Deductions], Mapping[Address, Mapping[Goods, int]]]:
        """Return what is deducted of each of the goods, and what each maker holds and has approved of them."""
        pairs = list(dict.fromkeys((item.goods, each.maker) for each in offers for item in each.items))
        kinds = list(dict.fromkeys(each.goods for each in offers))
        try:
            async with node.limit():
                deductions, covered = await asyncio.gather(
                    asyncio.gather(*(self.goods.deductions(each) for each in kinds)),
                    asyncio.gather(*(self.goods.covered(*pair) for pair in pairs)),
                )
        except Unavailable:
            return {}, {}
        held: dict[Address, dict[Goods, int]] = {}
        for (goods, maker), most in zip(pairs, covered, strict=True):
            held.setdefault(maker, {})[goods] = most
        return dict(zip(kinds, deductions, strict=True)), held


def _traded(listing: Listing) -> Listing:
    if not listing.registered:
        message = f"{listing.name} pays a plain address; it has no revenue shares, plans or title"
        raise NotTraded(message, field="asset")
    return listing


def _read_cursor(text: str) -> tuple[int, Hash32]:
    number, _, hash_ = text.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 78):
        raise InvalidOffer(f"after is {text[:60]!r}; leave it out, or take `next` of a page", field="after")
    return int(number), hash32(hash_, "after")
