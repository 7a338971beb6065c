"""Revenue shares beside their trade: who may hold them, what an account holds, and the income that goes with them."""

import asyncio
from dataclasses import dataclass

from usufruct.assets import Listing, RegistryClient, ShareHolders
from usufruct.chain import Call
from usufruct.chain.contracts.shares import Shares
from usufruct.core import ZERO_ADDRESS, Address
from usufruct.market.trade.node_view import NodeView
from usufruct.market.trade.offer_book import OfferBook


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


class ShareIncome:
    """Reads the shares of this installation's services. Questions to the chain raise `Unavailable`.

    `node` as `OfferBook` has it.
    """

    def __init__(self, book: OfferBook, registry: RegistryClient, holders: ShareHolders) -> None:
        self._book = book
        self._registry = registry
        self._holders = holders

    async def state(self, listing: Listing, node: NodeView | None = None) -> SharesState:
        """Return a service's shares now."""
        shares = Shares(listing.pay_to, self._book.client)
        async with (node or self._book.node()).limit():
            block = await self._book.client.block_number()
            income, fee, policy = await asyncio.gather(
                self._registry.income(shares.at_block(block), block),
                self._book.exchange.protocol_fee(),
                shares.transfer_policy(),
            )
        unbooked = sum(each.unaccrued for each in income if each.token.address == self._book.terms.token.address)
        return SharesState(unbooked, fee.bps, policy == ZERO_ADDRESS)

    async def account(self, listing: Listing, holder: Address, node: NodeView | None = None) -> ShareAccount:
        """Return what an account holds of a service's shares, and its uncollected income."""
        token = self._book.terms.token.address
        async with (node or self._book.node()).limit():
            block = await self._book.client.block_number()
            shares = Shares(listing.pay_to, self._book.client, block=block)
            # Only tried, and to the shares themselves: the token may refuse to pay the holder.
            tried = self._book.client.call(shares.collect_to(token, shares.address), block=block, sender=holder)
            held, pending, booked = await asyncio.gather(
                shares.balance_of(holder), shares.pending(holder, token), tried
            )
        return ShareAccount(holder, held, int.from_bytes(booked, "big"), pending)

    async def collection(self, listing: Listing, holder: Address) -> tuple[int, list[Call]]:
        """Return a holder's uncollected income in the payment token, and the calls by which they collect all of it."""
        node = self._book.node()
        async with node.limit():
            calls = await self._holders.plan_collection(listing.id, holder)
        return (await self.account(listing, holder, node)).pending, calls
