"""What is to be seen of the trade in revenue shares: offers as they stand now, trades, income that goes with shares."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from usufruct.assets import Listing, Listings, RegistryClient, ShareHolders
from usufruct.chain import Call, Client
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.shares import Shares
from usufruct.core import ZERO_ADDRESS, Address, AssetId, Clock, Hash32, Unavailable, format_asset, hash32
from usufruct.market.trade.errors import InvalidShareOffer, ShareOfferNotFound, SharesNotFound
from usufruct.market.trade.exchange_logs import ExchangeIndexer
from usufruct.market.trade.model import MOST_OPEN, OfferState, ShareOffer
from usufruct.market.trade.store import (
    Trade,
    bought_by,
    count_trades,
    find_offer,
    offers_of_maker,
    open_offers,
    purchases_of,
    trades_of,
)
from usufruct.store import Database
from usufruct_client.wire import Terms

PAGE = 50
MOST_TRADES = 200


@dataclass(frozen=True, slots=True)
class StandingOffer:
    """An offer as it stands now: its state, and how much of it can be bought; None while the node does not answer."""

    offer: ShareOffer
    state: OfferState
    available: int | None


@dataclass(frozen=True, slots=True)
class SharesState:
    """A service's shares now: income in the payment token that is not booked, the exchange's fee, who may hold them."""

    unbooked: int
    fee_bps: int
    open_transfer: bool


@dataclass(frozen=True, slots=True)
class ShareAccount:
    """What an account holds of shares, and its uncollected income in the payment token; `pending` counts all of it."""

    holder: Address
    amount: int
    booked: int
    pending: int


class ShareMarket:
    """The trade in the shares of this installation's services. Questions to the chain raise `Unavailable`.

    `node_seconds`: how long one view waits for the chain's node.
    """

    def __init__(
        self,
        database: Database,
        registry: RegistryClient,
        holders: ShareHolders,
        listings: Listings,
        indexer: ExchangeIndexer,
        exchange: Exchange,
        terms: Terms,
        clock: Clock,
        *,
        node_seconds: float = 5.0,
    ) -> None:
        self.terms = terms
        self.exchange = exchange
        self._database = database
        self._registry = registry
        self._holders = holders
        self._listings = listings
        self._indexer = indexer
        self._clock = clock
        self._node_seconds = node_seconds

    @property
    def client(self) -> Client:
        """The chain's node."""
        return self._registry.client

    async def by_name(self, name: str) -> Listing:
        """Return the service of a name; raises `UnknownListing`, or `SharesNotFound` where it has no shares."""
        return _with_shares(await self._listings.find(name))

    async def by_id(self, asset: AssetId) -> Listing:
        """Return the service with an id; raises `SharesNotFound`."""
        listing = await self._listings.by_id(asset)
        if listing is None:
            raise SharesNotFound(f"asset {format_asset(asset)} is not sold here", field="asset")
        return _with_shares(listing)

    async def offer(self, hash_: Hash32) -> ShareOffer:
        """Return an offer, with what was sold of it up to now; raises `ShareOfferNotFound`."""
        await self.poll()
        async with self._database.snapshot() as unit:
            found = await find_offer(unit, hash_)
        if found is None:
            raise ShareOfferNotFound(f"there is no offer {hash_} here; look at the list again", field="offer")
        return found

    async def purchases(self, hash_: Hash32, buyer: Address) -> list[Trade]:
        """Return a buyer's trades of an offer as far as the logs were read, the oldest first."""
        async with self._database.snapshot() as unit:
            return await purchases_of(unit, hash_, buyer)

    async def bought_by(self, buyer: Address, offers: Sequence[StandingOffer]) -> dict[Hash32, int]:
        """Return how much of each of these offers a buyer has bought, as far as the logs were read."""
        async with self._database.snapshot() as unit:
            return await bought_by(unit, buyer, [each.offer.hash for each in offers])

    async def offers(self, asset: AssetId, after: str = "") -> tuple[list[StandingOffer], str | None]:
        """Return a page of offers that are not over, the lowest price of a share first; and where the next begins.

        Raises:
            InvalidShareOffer: for an `after` that no page has named.
        """
        await self._poll_if_possible()
        start = _read_cursor(after) if after else None
        async with self._database.snapshot() as unit:
            found = await open_offers(unit, asset, self._clock.now(), start, PAGE + 1)
        last = found[PAGE - 1] if len(found) > PAGE else None
        return await self.standing(found[:PAGE]), f"{last.rate}.{last.hash}" if last else None

    async def offers_of(self, asset: AssetId, maker: Address) -> list[StandingOffer]:
        """Return a maker's offers of an asset, the newest first, whatever became of them."""
        await self._poll_if_possible()
        async with self._database.snapshot() as unit:
            found = await offers_of_maker(unit, asset, maker, MOST_OPEN)
        return await self.standing(found)

    async def trades(self, asset: AssetId) -> list[Trade]:
        """Return the last trades of a service's shares, the newest first."""
        await self._poll_if_possible()
        async with self._database.snapshot() as unit:
            return await trades_of(unit, asset, MOST_TRADES)

    async def count_trades(self, asset: AssetId) -> int:
        """Return how many trades of a service's shares are known."""
        async with self._database.snapshot() as unit:
            return await count_trades(unit, asset)

    async def state(self, listing: Listing) -> SharesState:
        """Return a service's shares now."""
        shares = Shares(listing.pay_to, self.client)
        async with _patience(self._node_seconds):
            block = await self.client.block_number()
            income, fee, policy = await asyncio.gather(
                self._registry.income(shares.at_block(block), block), self.fee_bps(), shares.transfer_policy()
            )
        unbooked = sum(each.unaccrued for each in income if each.token.address == self.terms.token.address)
        return SharesState(unbooked, fee, policy == ZERO_ADDRESS)

    async def account(self, listing: Listing, holder: Address) -> ShareAccount:
        """Return what an account holds of a service's shares, and its uncollected income."""
        token = self.terms.token.address
        async with _patience(self._node_seconds):
            block = await self.client.block_number()
            shares = Shares(listing.pay_to, self.client, block=block)
            # Only tried, and to the shares themselves: the token may refuse to pay the holder.
            tried = self.client.call(shares.collect_to(token, shares.address), block=block, sender=holder)
            held, pending, booked = await asyncio.gather(
                shares.balance_of(holder), shares.pending(holder, token), tried
            )
        return ShareAccount(holder, held, int.from_bytes(booked, "big"), pending)

    async def collection(self, listing: Listing, holder: Address) -> tuple[int, list[Call]]:
        """Return a holder's uncollected income in the payment token, and the calls by which they collect all of it."""
        async with _patience(self._node_seconds):
            calls = await self._holders.plan_collection(listing.id, holder)
        return (await self.account(listing, holder)).pending, calls

    async def fee_bps(self) -> int:
        """Return the exchange's fee now, hundredths of a per cent."""
        return (await self.exchange.protocol_fee()).bps

    async def standing(self, offers: Sequence[ShareOffer]) -> list[StandingOffer]:
        """Return offers as they stand now; of unknown state where the node does not answer."""
        fee, covered = await self._coverage(offers)
        now = self._clock.now()
        found = []
        for each in offers:
            most = covered.get((each.shares, each.maker))
            state = each.state(now, fee, most)
            available = None if most is None else min(each.left, most) if state is OfferState.OPEN else 0
            found.append(StandingOffer(each, state, available))
        return found

    async def poll(self) -> None:
        """Take in the exchange's logs up to now; raises `Unavailable`."""
        async with _patience(self._node_seconds):
            await self._indexer.poll()

    async def _poll_if_possible(self) -> None:
        try:
            await self.poll()
        except Unavailable:
            return

    async def _coverage(self, offers: Iterable[ShareOffer]) -> tuple[int | None, Mapping[tuple[Address, Address], int]]:
        """Return the fee, and what each maker holds and has approved of the shares that they offer."""
        pairs = list(dict.fromkeys((each.shares, each.maker) for each in offers))
        if not pairs:
            return None, {}
        try:
            async with _patience(self._node_seconds):
                fee, *covered = await asyncio.gather(self.fee_bps(), *(self._covered(*pair) for pair in pairs))
        except Unavailable:
            return None, {}
        return fee, dict(zip(pairs, covered, strict=True))

    async def _covered(self, shares: Address, maker: Address) -> int:
        contract = Shares(shares, self.client)
        held, allowed = await asyncio.gather(
            contract.balance_of(maker), contract.allowance(maker, self.exchange.address)
        )
        return min(held, allowed)


@asynccontextmanager
async def _patience(seconds: float) -> AsyncIterator[None]:
    """Limit the time that the node has; the end of it is `Unavailable`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unavailable("the chain's node does not answer in time; try again", code="rpc_unavailable") from None


def _with_shares(listing: Listing) -> Listing:
    if not listing.registered:
        raise SharesNotFound(f"{listing.name} pays a plain address; it has no revenue shares", field="asset")
    return listing


def _read_cursor(text: str) -> tuple[int, Hash32]:
    rate, _, hash_ = text.partition(".")
    if not (rate.isascii() and rate.isdigit() and len(rate) < 78):
        raise InvalidShareOffer(f"after is {text[:60]!r}; leave it out, or take `next` of a page", field="after")
    return int(rate), hash32(hash_, "after")
