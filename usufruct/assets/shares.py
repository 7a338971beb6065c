"""What a holder of revenue shares does: transfer, see who holds them, see what they earned, collect it."""

from dataclasses import dataclass

from usufruct.assets.errors import NotEnoughShares
from usufruct.assets.model import SHARE_DECIMALS, Holding, Pending, Token, check_positive
from usufruct.assets.registry import Register, take
from usufruct.assets.store import holdings
from usufruct.chain import Sender
from usufruct.chain.contracts import shares as shares_contract
from usufruct.core import Address, AssetId, Hash32, format_asset, format_units


@dataclass(frozen=True, slots=True)
class Collected:
    """Income in one token that was just paid out, atomic units."""

    token: Token
    amount: int
    transaction: Hash32


class ShareHolders:
    """The holders of one registry's shares."""

    def __init__(self, register: Register) -> None:
        """Keep to one registry."""
        self._register = register

    async def transfer(self, sender: Sender, asset: AssetId, to: Address, amount: int) -> Hash32:
        """Give away `amount` atomic shares; return the transaction. What accrued before stays the giver's.

        Raises:
            NotEnoughShares: when the sender holds fewer.
        """
        check_positive("amount", amount)
        shares = await self._register.shares(asset)
        held = await shares.balance_of(sender.address)
        if held < amount:
            raise NotEnoughShares(
                f"{sender.address} holds {format_units(held, SHARE_DECIMALS)} shares of {format_asset(asset)}, not "
                f"{format_units(amount, SHARE_DECIMALS)}; give at most what is held",
                field="amount",
                value=amount,
                held=held,
            )
        return (await take(sender, shares.transfer(to, amount), f"shares/transfer/{asset:#x}")).hash

    async def holders(self, asset: AssetId) -> list[Holding]:
        """Return who holds the shares, from the logs up to now, most first.

        Raises:
            UnknownAsset: when there is no such asset.
        """
        await self._register.asset(asset)
        for known in await self._register.listed(asset):
            await self._register.follower.poll_shares(known)
        async with self._register.database.snapshot() as unit:
            return await holdings(unit, asset)

    async def pending(self, asset: AssetId, holder: Address) -> list[Pending]:
        """Return what a holder has earned and not collected, for every revenue token.

        Raises:
            UnknownAsset: when there is no such asset.
        """
        client = self._register.client
        block = await client.block_number()
        shares = (await self._register.shares(asset)).at_block(block)
        found = []
        for income in await self._register.income(shares, block):
            token = income.token
            # A collect that is only tried says what has accrued. It is tried to the shares themselves: the token may
            # refuse to pay the holder, and they are owed it all the same.
            tried = shares.collect_to(token.address, shares.address)
            answer = await client.call(tried, block=block, sender=holder)
            total = await shares.pending(holder, token.address)
            found.append(Pending(token, int.from_bytes(answer, "big"), total, income.unaccrued))
        return found

    async def collect(self, sender: Sender, asset: AssetId, to: Address | None = None) -> list[Collected]:
        """Pay the sender all their income, to themselves or to `to`; accrues first where money waits to be noticed.

        Returns nothing where nothing is due.

        Raises:
            UnknownAsset: when there is no such asset.
        """
        shares = await self._register.shares(asset)
        receiver = to or sender.address
        collected = []
        for due in await self.pending(asset, sender.address):
            if due.total == 0:
                continue
            token = due.token.address
            collect = shares.accrue_and_collect if due.unaccrued else shares.collect_to
            receipt = await take(sender, collect(token, receiver), f"shares/collect/{asset:#x}/{token}")
            paid = shares_contract.Collected.among(receipt.logs, shares.address)
            collected += [Collected(due.token, event.amount, receipt.hash) for event in paid]
        return collected
