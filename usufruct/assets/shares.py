"""What a holder of revenue shares does: transfer, see who holds them, see what they earned, collect it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.assets.errors import demand
from usufruct.assets.indexer import AssetIndexer
from usufruct.assets.model import SHARE_DECIMALS, Holding, OwnerIncome, Pending, RevenueToken, SharesIncome
from usufruct.assets.registry_client import RegistryClient, execute_once
from usufruct.assets.share_store import CollectionLogs, SharesLogs, collected, holdings, owners, received_by
from usufruct.chain import Call, Receipt, Revert, Sender
from usufruct.chain.contracts import shares as shares_contract
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.shares import Shares
from usufruct.core import Address, AssetId, Conflict, Hash32, format_asset, format_units

_MOST_OWNERS = 100


@dataclass(frozen=True, slots=True)
class Collected:
    """Income in one token that was just paid out, atomic units."""

    token: RevenueToken
    amount: int
    transaction: Hash32


class ShareHolders:
    """The holders of one registry's shares. Methods raise `UnknownAsset` where the asset does not exist."""

    def __init__(self, registry: RegistryClient, indexer: AssetIndexer) -> None:
        """Keep to one registry, of which `indexer` knows the assets."""
        self._registry = registry
        self._indexer = indexer
        self._parents: dict[Address, frozenset[Address]] = {}

    async def transfer(self, sender: Sender, asset: AssetId, to: Address, amount: int) -> Hash32:
        """Give away `amount` atomic shares; return the transaction. What accrued before stays the giver's.

        Raises:
            Conflict: when the sender holds fewer.
        """
        demand(amount > 0, "amount", amount, "above 0")
        shares = await self._registry.shares(asset)
        held = await shares.balance_of(sender.address)
        if held < amount:
            raise Conflict(
                f"{sender.address} holds {format_units(held, SHARE_DECIMALS)} shares of {format_asset(asset)}, not "
                f"{format_units(amount, SHARE_DECIMALS)}; give at most what is held",
                field="amount",
                value=amount,
                held=held,
                code="not_enough_shares",
            )
        return (await execute_once(sender, shares.transfer(to, amount), f"shares/transfer/{asset:#x}")).hash

    async def holders(self, asset: AssetId) -> list[Holding]:
        """Return who holds the shares, from the logs up to now, most first."""
        await self._registry.asset(asset)
        for known in await self._indexer.assets(asset):
            await self._indexer.poll_shares(known, SharesLogs)
        async with self._registry.database.snapshot() as unit:
            return await holdings(unit, asset)

    async def received_by(self, holder: Address, limit: int) -> list[AssetId]:
        """Return the assets of which an account ever received shares, as far as their logs were read; asks no node."""
        async with self._registry.database.snapshot() as unit:
            return await received_by(unit, holder, limit)

    async def pending(self, asset: AssetId, holder: Address) -> list[Pending]:
        """Return what a shareholder has earned and not collected, for every revenue token.

        `total` counts native coin that is not wrapped and what children owe, as `collect` brings them.
        """
        shares = await self._registry.shares(asset)
        return await self._pending(shares, holder, await self._owing(shares))

    async def income(self, asset: AssetId, token: Address) -> SharesIncome:
        """Return what reached the shares in a token so far, and what of it each owner collected and can collect.

        Royalties that child assets owe count when they are fetched.

        Raises:
            UnknownAsset: when the asset does not exist.
        """
        for known in await self._indexer.assets(asset):
            await self._indexer.poll_shares(known, SharesLogs, CollectionLogs)
        async with self._registry.database.snapshot() as unit:
            held, paid = await owners(unit, asset), await collected(unit, asset, token)
        client, listed = self._registry.client, list(held)[:_MOST_OWNERS]
        block = await client.block_number()
        shares = (await self._registry.shares(asset)).at_block(block)
        pending = await asyncio.gather(*(shares.pending(owner, token) for owner in listed))
        revenue, balance, parents = await asyncio.gather(
            shares.revenue(token), Erc20(token, client, block=block).balance_of(shares.address), shares.parents()
        )
        royalties = royalties_paid = 0
        for parent in parents:
            royalty_paid = await shares.royalty_paid(parent.shares, token)
            royalties_paid += royalty_paid
            royalties += royalty_paid + await shares.pending_royalty(parent.shares, token)
        taken = revenue.paid_out - revenue.fee_released - royalties_paid
        unaccrued = max(0, balance + revenue.paid_out - revenue.gross)
        return SharesIncome(
            received=revenue.gross + unaccrued,
            unaccrued=unaccrued,
            protocol_fee=revenue.fee_credited,
            royalties=royalties,
            collected=taken,
            collectable=revenue.gross - revenue.fee_credited - royalties - taken,
            owners=tuple(
                OwnerIncome(owner, held[owner], paid[owner], due) for owner, due in zip(listed, pending, strict=True)
            ),
        )

    async def _pending(self, shares: Shares, holder: Address, children: Sequence[Address]) -> list[Pending]:
        client = self._registry.client
        block = await client.block_number()
        at_block = shares.at_block(block)
        income = await self._registry.income(at_block, block)
        totals = await self._collectable(at_block, holder, children, block)
        found = []
        for each in income:
            token = each.token
            # A collect that is only tried says what has accrued. It is tried to the shares themselves: the token may
            # refuse to pay the holder, and they are owed it all the same.
            tried = at_block.collect_to(token.address, shares.address)
            answer = await client.call(tried, block=block, sender=holder)
            total = totals.get(token.address)
            if total is None:
                total = await at_block.pending(holder, token.address)
            found.append(Pending(token, int.from_bytes(answer, "big"), total, each.unaccrued))
        return found

    async def _children(self, shares: Address) -> list[Address]:
        """Return the Shares of the assets that name these shares as a parent.

        Parents are fixed at registration, so each asset's are read once.
        """
        others = [each.shares for each in await self._indexer.assets() if each.shares != shares]
        unread = [each for each in others if each not in self._parents]
        found = await asyncio.gather(*(Shares(each, self._registry.client).parents() for each in unread))
        for each, parents in zip(unread, found, strict=True):
            self._parents[each] = frozenset(parent.shares for parent in parents)
        return [each for each in others if shares in self._parents[each]]

    async def _owing(self, shares: Shares) -> list[Address]:
        """Return the children that owe these shares something, in any token."""
        found = []
        tokens = await self._registry.tokens()
        for child in await self._children(shares.address):
            contract = Shares(child, self._registry.client)
            owed = [await self._registry.client.balance(child)]
            for token in tokens:
                owed.append(await contract.pending_royalty(shares.address, token.address))
                owed.append(await contract.pending(shares.address, token.address))
            waiting = await self._registry.income(contract, await self._registry.client.block_number())
            if any(owed) or any(each.unaccrued for each in waiting):
                found.append(child)
        return found

    async def _collectable(
        self, shares: Shares, holder: Address, children: Sequence[Address], block: int
    ) -> dict[Address, int]:
        """Return what a `collectAll` would pay the holder, by token, for it is only tried; nothing if it would fail."""
        tried = shares.collect_all(children, shares.address)
        try:
            answer = await self._registry.client.call(tried, block=block, sender=holder)
        except Revert:
            return {}
        words = [int.from_bytes(answer[at : at + 32], "big") for at in range(64, len(answer), 32)]
        return dict(zip([token.address for token in await self._registry.tokens()], words, strict=True))

    async def collect(self, sender: Sender, asset: AssetId, to: Address | None = None) -> list[Collected]:
        """Pay the sender all their income, to themselves or to `to`, by one transaction.

        It wraps native coin, fetches what children owe, and accrues every token first. If one token or child makes that
        fail, what can be collected is collected token by token, and the rest stays pending. Returns nothing where
        nothing is due.

        Raises:
            Revert: when nothing that is due can be collected.
        """
        shares = await self._registry.shares(asset)
        receiver = to or sender.address
        children = await self._owing(shares)
        due = [each for each in await self._pending(shares, sender.address, children) if each.total]
        if not due:
            return []
        try:
            call, key = shares.collect_all(children, receiver), f"shares/collect/{asset:#x}/all"
            return self._paid(shares, due, await execute_once(sender, call, key))
        except Revert:
            return await self._collect_by_token(sender, asset, shares, due, receiver)

    async def plan_collection(self, asset: AssetId, holder: Address) -> list[Call]:
        """Return the calls by which a holder's own wallet collects all their income; none where nothing is due."""
        shares = await self._registry.shares(asset)
        children = await self._owing(shares)
        due = [each for each in await self._pending(shares, holder, children) if each.total]
        whole = shares.collect_all(children, holder)
        try:
            await self._registry.client.call(whole, sender=holder)
        except Revert:
            return [
                (shares.accrue_and_collect if each.unaccrued else shares.collect_to)(each.token.address, holder)
                for each in due
            ]
        return [whole] if due else []

    async def _collect_by_token(
        self, sender: Sender, asset: AssetId, shares: Shares, due: Sequence[Pending], receiver: Address
    ) -> list[Collected]:
        collected: list[Collected] = []
        refused: list[Revert] = []
        for each in due:
            token = each.token.address
            collect = shares.accrue_and_collect if each.unaccrued else shares.collect_to
            try:
                receipt = await execute_once(sender, collect(token, receiver), f"shares/collect/{asset:#x}/{token}")
            except Revert as revert:
                refused.append(revert)
            else:
                collected += self._paid(shares, [each], receipt)
        if refused and not collected:
            raise refused[0]
        return collected

    def _paid(self, shares: Shares, due: Sequence[Pending], receipt: Receipt) -> list[Collected]:
        tokens = {each.token.address: each.token for each in due}
        events = shares_contract.Collected.among(receipt.logs, shares.address)
        return [Collected(tokens[each.token], each.amount, receipt.hash) for each in events if each.token in tokens]
